/// How soon this process runs when its deadline has come.
///
/// The daemon calls both functions once at its start. Programs that it starts later run with the usual settings.
/// Everything here is optional: if a container or a kernel refuses, vipd still works, but is late on a busy machine.
#pragma once

namespace vipd {

/// Makes timers of this thread exact (PR_SET_TIMERSLACK, prctl(2)) and lets it run first on a busy machine. That needs
/// the lowest real-time priority (SCHED_RR, sched(7)), available to root or by RLIMIT_RTPRIO. Otherwise the process
/// asks for the shortest slice, 0.1 ms (sched_setattr(2); Linux 6.12 and later), so that it waits less for the running
/// process. If the process was started with a policy other than SCHED_OTHER, that policy stays.
void wake_promptly();

/// Keeps the memory that vipd has touched out of swap (mlockall(2), MCL_ONFAULT). Needs CAP_IPC_LOCK or an unlimited
/// RLIMIT_MEMLOCK: below a limit vipd would run out of memory later.
void stay_in_memory();

}  // namespace vipd
