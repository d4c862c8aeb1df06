/// A process and all its descendants.
///
/// A process can leave its process group or session by setsid(2), but not the tree. A process whose parent ends becomes
/// a child of its next ancestor that is a subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)). The descendants of a subreaper
/// are therefore exactly the processes that were started below it. They are read from /proc/PID/task/TID/children
/// (proc(5)); the cost grows with the tree and not with the machine. A tree may fork faster than it is read, so callers
/// ask again until nothing is left.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace vipd {

/// All descendants of `pid`, zombies included, without `pid` itself.
std::vector<pid_t> descendants(pid_t pid);

/// Sends `signal` to all descendants of `pid`; returns their number.
std::size_t signal_descendants(pid_t pid, int signal);

}  // namespace vipd
