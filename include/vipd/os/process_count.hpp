/// How many processes run a program: read from /proc, without starting anything.
#pragma once

#include <string>

namespace vipd {

/// Processes that are alive and run `program`. By an absolute path: whose executable it is. By a name: who are called
/// so (proc(5), comm), or were started under that name (the last part of their first argument). A zombie counts not.
unsigned count_processes(const std::string& program);

}  // namespace vipd
