/// posix_spawn(3) with a session of its own, no signal blocked or ignored, and no descriptor inherited by accident.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "vipd/base/result.hpp"

namespace vipd {

/// The properties of a new process.
struct SpawnPlan {
  std::vector<std::string> arguments;    ///< the program by absolute path, then its arguments
  std::vector<std::string> environment;  ///< "NAME=value" each; the complete environment
  int input = -1;                        ///< the process's standard input; -1 = /dev/null
  int output = -1;                       ///< the process's standard output and error; -1 = those of this process
};

/// Starts the program in the root directory. Fails with the errno that kept the program from running.
Result<pid_t> spawn(const SpawnPlan& plan);

/// Reaps all children that have ended; for a process that does not wait for children itself.
void reap_children();

}  // namespace vipd
