/// How soon this process runs when something is due.
///
/// Caller: the daemon, once at its start. What it starts then is as patient as any other program. Nothing here is
/// insisted upon: a container or a kernel that refuses has a vipd that is late on a busy machine, and works.
#pragma once

namespace vipd {

/// Timers of this thread end when they are due (PR_SET_TIMERSLACK, prctl(2)), and on a busy machine it goes first: with
/// the lowest real-time priority (SCHED_RR, sched(7)) where it may have that, as root or by RLIMIT_RTPRIO. Where not,
/// it asks for the shortest slice, 0.1 ms, so that it need not wait until whoever runs has had its own
/// (sched_setattr(2); Linux 6.12 and later). Whoever gave the process another policy than the usual one knows better.
void wake_promptly();

/// What it has touched is never written to swap (mlockall(2), MCL_ONFAULT), if it may lock as much as it wants, as root
/// or by RLIMIT_MEMLOCK: below a limit it would run out of memory later.
void stay_in_memory();

}  // namespace vipd
