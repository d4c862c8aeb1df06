/// The JSON documents that vipctl gets; the contract of the control socket.
///
/// Each carries "schema": "vipd.<verb>/1" and only ever grows. Tests and users' tools build on these names, so they are
/// formed here and nowhere else. Caller: ControlServer.
///
/// A Status has the same as values: it is taken in one go, so that all of it belongs to one moment. To write it out
/// takes ten times as long, and may be done in another thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vipd/node/supervisor.hpp"
#include "vipd/os/json.hpp"

namespace vipd {

/// Monotonic and wall-clock time of the same moment: what turns the one into the other.
struct Clocks {
  TimePoint monotonic;
  std::chrono::system_clock::time_point wall;
  /// RFC 3339 of a monotonic time, by today's wall clock.
  std::string rfc3339(TimePoint time) const;
};

/// What the daemon knows of itself.
struct DaemonInfo {
  std::string host;  ///< the host's name: the node's, where [node] gives none
  TimePoint started;
  int pid = 0;
  std::string program = {};  ///< its file, as it was started
  std::string config = {};   ///< the configuration file, absolute
  bool given_back = false;   ///< true where another program was to take over and did not accept what is in force
};

/// Facts about the configuration in force that it does not say itself.
struct ConfigState {
  std::optional<TimePoint> trial_ends = {};  ///< when a reload goes back unless it is confirmed
  bool files_in_force = true;                ///< false where the files said something else when they were last read
};

/// What is shown of a hook queue.
struct HooksStatus {
  std::optional<std::string> running = {};  ///< the program
  std::size_t waiting = 0;                  ///< programs
  std::uint64_t superseded = 0;             ///< transitions that newer ones superseded before a hook was told of them
  std::optional<HookQueue::Ended> last = {};
};

/// What is shown of an address, route or rule.
struct HeldStatus {
  KernelObject object;
  bool present = false, foreign = false;
  std::optional<std::string> trouble = {};
};

/// What is shown of a check, as an instance uses it.
struct CheckStatus {
  std::string name, detail, stale_reason;
  CheckState state;
  TimePoint since;
  OnFail on_fail;
  int weight = 0;
};

/// What is shown of an instance.
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

/// What is shown of a sync group.
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

  /// How many things are in it.
  std::size_t size() const;
};

/// The status as it is now.
Status status_of(const Supervisor& supervisor, const ConfigState& config, const DaemonInfo& info, const Clocks& clocks);
/// The same as a document.
Json status_document(const Status& status);
inline Json status_document(const Supervisor& supervisor, const ConfigState& config, const DaemonInfo& info,
                            const Clocks& clocks) {
  return status_document(status_of(supervisor, config, info, clocks));
}
/// Which vipd answers.
Json version_document(const DaemonInfo& info, const Clocks& clocks);
/// All transitions that are kept.
Json events_document(const EventLog& events, const Clocks& clocks);
/// One transition, for those who follow.
Json event_document(const Transition& transition, const Clocks& clocks);
/// A request that cannot be answered, and why. `kind` is "right" where the client is not allowed to ask.
Json error_document(const std::string& sentence, const std::string& kind = "");
/// A document as the line that a client gets, newline included; one that is longer than kLongestAnswer
/// (base/control.hpp) becomes an error document that says so.
std::string answer_line(const Json& document);

/// "web active, db backup": for `systemctl status`.
std::string summary_line(const Supervisor& supervisor);

}  // namespace vipd
