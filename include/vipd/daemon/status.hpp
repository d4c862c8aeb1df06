/// The JSON documents that vipctl gets; the contract of the control socket.
///
/// Each carries "schema": "vipd.<verb>/1" and only ever grows. Tests and users' tools build on these names, so they are
/// formed here and nowhere else. Caller: ControlServer.
#pragma once

#include <optional>
#include <string>

#include "vipd/daemon/supervisor.hpp"
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
};

/// All instances with their states, reasons, addresses and counters. `trial_ends` is when a reload goes back unless it
/// is confirmed.
Json status_document(const Supervisor& supervisor, std::optional<TimePoint> trial_ends, const DaemonInfo& info,
                     const Clocks& clocks);
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
