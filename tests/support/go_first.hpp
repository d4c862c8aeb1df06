/// go_first: whoever measures does not wait for what is measured.
///
/// vipd has the lowest real-time priority, and while two of them move thousands of addresses on a machine of two cores,
/// nobody with the usual policy runs for some 0.4 s: a client asks late, a server answers late, an address is seen long
/// after it was added. Two servers do not share their cores. Not for what only has to keep up: it would take from
/// vipd what it measures. Callers: vipd-traffic, AddressMonitor.
#pragma once

#include <sched.h>

namespace vipd {

/// The calling thread goes before a vipd, if it may.
inline void go_first() {
  const sched_param before_vipd{.sched_priority = ::sched_get_priority_min(SCHED_RR) + 1};
  (void)::sched_setscheduler(0, SCHED_RR, &before_vipd);
}

}  // namespace vipd
