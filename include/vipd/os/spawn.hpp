/// posix_spawn(3) as vipd uses it: a session of its own, no signal blocked or ignored, nothing inherited by accident.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "vipd/base/result.hpp"

namespace vipd {

/// What a new process gets.
struct SpawnPlan {
  std::vector<std::string> arguments;    ///< the program by absolute path, then its arguments
  std::vector<std::string> environment;  ///< "NAME=value"; all of it
  int input = -1;                        ///< its standard input; -1 = /dev/null
  int output = -1;                       ///< its standard output and error; -1 = ours
};

/// Starts it in the root directory. Fails with the errno of whatever kept it from being run.
Result<pid_t> spawn(const SpawnPlan& plan);

/// Collects all children that have ended; for a process that waits for none of them by itself.
void reap_children();

}  // namespace vipd
