/// go_first: lets a measuring thread run before the processes that it measures.
///
/// vipd has the lowest real-time priority. While two vipds move thousands of addresses on a machine of two cores,
/// threads with the usual policy do not run for some 0.4 s. Then a client asks late, a server answers late, and an
/// address is seen long after it was added. Real servers do not share their cores. Threads that only have to keep up
/// must not use this: they would take from vipd the time that they measure.
#pragma once

#include <sched.h>

namespace vipd {

/// Lets the calling thread run before any vipd, if the kernel permits.
inline void go_first() {
  const sched_param before_vipd{.sched_priority = ::sched_get_priority_min(SCHED_RR) + 1};
  (void)::sched_setscheduler(0, SCHED_RR, &before_vipd);
}

}  // namespace vipd
