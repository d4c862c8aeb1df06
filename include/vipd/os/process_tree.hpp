/// A process and all that came from it.
///
/// A process group or a session can be left with setsid(2); the tree cannot: whoever loses its parent is given to the
/// next ancestor that is a subreaper (PR_SET_CHILD_SUBREAPER in prctl(2)). So what descends from a subreaper is exactly
/// what was started below it, however often it forked. Read from /proc/PID/task/TID/children (proc(5)), at the cost of
/// the tree and not of the machine. A tree that forks faster than it is read needs a second look: callers ask again
/// until nothing is left.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace vipd {

/// All descendants of `pid`, zombies included; not `pid` itself.
std::vector<pid_t> descendants(pid_t pid);

/// Sends `signal` to all descendants of `pid`; returns how many there were.
std::size_t signal_descendants(pid_t pid, int signal);

}  // namespace vipd
