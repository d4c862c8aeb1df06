/// Time as vipd uses it: a unit is never in a bare integer.
///
/// The protocol path lives on one monotonic clock. The pure half never reads it: whoever calls hands `now` in, so a
/// test can own time. MonotonicClock therefore has no now(); the event loop makes the time points
/// (CLOCK_BOOTTIME, clock_gettime(2)).
#pragma once

#include <chrono>
#include <string>

namespace vipd {

/// Lengths of time on the protocol path. 292 years fit.
using Duration = std::chrono::nanoseconds;

/// The wire's unit for intervals in VRRPv3 (RFC 9568 5.2.7): 10 ms.
using Centiseconds = std::chrono::duration<int, std::centi>;

/// The protocol path's clock; without a now(), see above.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, duration>;
  static constexpr bool is_steady = true;
};

/// A moment of CLOCK_BOOTTIME, in nanoseconds: it goes on while the machine is suspended, as the peers do.
using TimePoint = MonotonicClock::time_point;

/// A deadline that never comes.
inline constexpr TimePoint kNever = TimePoint::max();

/// "1s", "250ms", "3.61s", "2min 5s": short, for logs and the CLI. Rounded to a millisecond.
std::string format_duration(Duration duration);

/// "2026-11-22T22:52:03.123Z" (RFC 3339, UTC, milliseconds).
std::string format_rfc3339(std::chrono::system_clock::time_point time);

}  // namespace vipd
