/// ProcessCount: how many processes run a program, read from /proc without starting anything.
///
/// The kernel knows a process by three words, and each of them alone misleads. comm is cut at 15 octets, and each
/// program may change it. The command line is what the parent wrote, and some daemons write their title over it. The
/// link exe leads to the interpreter when the program is a script. So a process runs a program if any of these names
/// it, and a script is looked for where an interpreter has it: behind the interpreter's options.
///
/// A program is told by what people write for it: a name ("nginx"), an absolute path ("/usr/sbin/nginx"), or either
/// with exactly its arguments behind it ("/opt/x/daemon 600"). A title is told by its beginning ("nginx: master
/// process"). Source: proc(5), execve(2). Caller: vipd-runner.
///
/// Not good yet: a path of a process in another mount namespace (a container) is compared by its text, so it counts as
/// the same path here. The options of an interpreter that take a value as a word of its own hide the script behind
/// them.
#pragma once

#include <optional>
#include <string>

namespace vipd {

/// Processes that are alive and run `program`; threads and zombies do not count. Without the right to read a process's
/// links (ptrace(2)), its comm and its command line decide.
unsigned count_processes(const std::string& program);

/// Why no process can run `program` as the machine is now, as a sentence without a full stop; nullopt where one can.
std::optional<std::string> why_never_runs(const std::string& program);

}  // namespace vipd
