/// How soon the kernel lets this process run when something is due.
///
/// Caller: the daemon, once at its start.
#pragma once

namespace vipd {

/// Timers of this thread end when they are due (PR_SET_TIMERSLACK, prctl(2)), and on a busy machine it need not wait
/// until whoever runs has had its slice: by asking for the shortest slice itself, 0.1 ms, it goes first when it wakes
/// (sched_setattr(2); Linux 6.12 and later, an older one takes no notice). Its share of the processor stays the same,
/// and what it starts is as patient as any other program. Whoever gave the process a real-time policy knows better, and
/// a kernel that refuses is not insisted upon.
void wake_promptly();

}  // namespace vipd
