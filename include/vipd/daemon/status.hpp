/// The JSON documents that vipctl gets; the contract of the control socket.
///
/// Each document carries "schema": "vipd.<verb>/1"; members are added to it and never removed. Tests and users' tools
/// build on these names. The documents of diff, reload and confirm are made by the Reloader.
///
/// A Status has the facts of a status document as values. It is taken in one go, so all of it belongs to one moment.
/// Writing it out takes ten times as long, and another thread may do that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vipd/node/supervisor.hpp"
#include "vipd/os/json.hpp"

namespace vipd {

/// Monotonic time and wall-clock time of the same moment, to turn the former into the latter.
struct Clocks {
  TimePoint monotonic;
  std::chrono::system_clock::time_point wall;
  /// A monotonic time as RFC 3339, by the present wall clock.
  std::string rfc3339(TimePoint time) const;
};

/// Facts about the daemon itself.
struct DaemonInfo {
  std::string host;  ///< the host's name, which names the node unless [node] has a name
  TimePoint started;
  int pid = 0;
  std::string program = {};  ///< the path of its program, as it was started
  std::string config = {};   ///< the configuration file, absolute
  bool given_back = false;   ///< true if another program was to take over and refused the configuration in force
};

/// Facts about the configuration in force that are not part of it.
struct ConfigState {
  std::optional<TimePoint> trial_ends = {};  ///< when an unconfirmed reload goes back
  bool files_in_force = true;                ///< false if the files differed when they were last read
};

/// The status of a hook queue.
struct HooksStatus {
  std::optional<std::string> running = {};  ///< the program that runs; nullopt if none does
  std::size_t waiting = 0;                  ///< how many programs wait
  std::uint64_t superseded = 0;             ///< transitions that newer ones superseded before a hook was told of them
  std::optional<HookQueue::Ended> last = {};
};

/// The status of an address, route or rule.
struct HeldStatus {
  KernelObject object;
  bool present = false, foreign = false;
  std::optional<std::string> trouble = {};
};

/// The status of a check, as an instance uses it.
struct CheckStatus {
  std::string name, detail, stale_reason;
  CheckState state;
  TimePoint since;
  OnFail on_fail;
  int weight = 0;
};

/// The status of an instance.
struct InstanceStatus {
  SharedInstance config;
  State state = State::initialize;
  std::optional<std::string> fault = {}, unfit = {};
  bool fit = true, stopping = false, ready = false;
  std::vector<CheckStatus> checks = {};
  std::string reason = {};
  TimePoint since{};
  TimePoint flapping_until{};  ///< until when the instance does not preempt after flapping; kNever if it may preempt
  int base_priority = 0, effective_priority = 0;
  std::vector<HeldStatus> held = {};
  std::optional<Peer> active = {};  ///< the Active router, which may be this one
  std::vector<SeenPeer> peers = {};
  std::optional<IpAddress> last_unknown_source = {};  ///< the last sender that is none of `peers`
  std::optional<Defence::Contest> contest = {};
  std::optional<HostWatch::Twin> twin = {};
  RouterCounters counters = {};
  HooksStatus hooks = {};
};

/// The status of a sync group.
struct GroupStatus {
  SyncGroupConfig config;
  ShownState state = ShownState::initialize;
  std::string reason;
  TimePoint since{};
  std::vector<std::string> waiting_for;  ///< members that are not ready while others are
  HooksStatus hooks;
};

/// All instances with their states, reasons, addresses and counters.
struct Status {
  std::string node;
  DaemonInfo info;
  Clocks clocks;
  ConfigState config;
  std::optional<std::string> fifo_path;
  std::uint64_t fifo_dropped = 0;
  std::vector<InstanceStatus> instances = {};
  std::vector<GroupStatus> groups = {};

  /// How many instances, groups and held objects it has.
  std::size_t size() const;
};

/// The status as it is now.
Status status_of(const Supervisor& supervisor, const ConfigState& config, const DaemonInfo& info, const Clocks& clocks);
/// A status as a document.
Json status_document(const Status& status);
inline Json status_document(const Supervisor& supervisor, const ConfigState& config, const DaemonInfo& info,
                            const Clocks& clocks) {
  return status_document(status_of(supervisor, config, info, clocks));
}
/// The version of the daemon, its program and its configuration file.
Json version_document(const DaemonInfo& info, const Clocks& clocks);
/// All transitions that the log keeps.
Json events_document(const EventLog& events, const Clocks& clocks);
/// One transition, for followers.
Json event_document(const Transition& transition, const Clocks& clocks);
/// The answer to a request that is refused, with the reason. `kind` is "right" if the client lacks the right.
Json error_document(const std::string& sentence, const std::string& kind = "");
/// A document as the line that a client gets, newline included. A document longer than kLongestAnswer
/// (base/control.hpp) becomes an error document that says so.
std::string answer_line(const Json& document);

/// The states for `systemctl status`: "web active, db backup".
std::string summary_line(const Supervisor& supervisor);

}  // namespace vipd
