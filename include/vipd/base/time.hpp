/// Time in vipd: every length of time has a type with a unit.
///
/// The protocol path uses one monotonic clock. The pure libraries never read it: the caller passes `now`, so a test can
/// own time. MonotonicClock therefore has no now(); the event loop makes the time points (CLOCK_BOOTTIME,
/// clock_gettime(2)).
#pragma once

#include <chrono>
#include <string>

namespace vipd {

/// A length of time on the protocol path. Its range is 292 years.
using Duration = std::chrono::nanoseconds;

/// The unit of intervals in VRRPv3 messages (RFC 9568 5.2.7): 10 ms.
using Centiseconds = std::chrono::duration<int, std::centi>;

/// The clock of the protocol path. It has no now(), see above.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, duration>;
  static constexpr bool is_steady = true;
};

/// A moment of CLOCK_BOOTTIME, in nanoseconds. Like the peers, this clock goes on while the machine is suspended.
using TimePoint = MonotonicClock::time_point;

/// A deadline that never comes.
inline constexpr TimePoint kNever = TimePoint::max();

/// "1s", "250ms", "3.61s", "2min 5s": a short text for logs and the command line, rounded to a millisecond.
std::string format_duration(Duration duration);

/// "2026-11-22T22:52:03.123Z" (RFC 3339, UTC, milliseconds).
std::string format_rfc3339(std::chrono::system_clock::time_point time);

}  // namespace vipd
