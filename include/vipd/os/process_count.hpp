/// ProcessCount: how many processes run a program, read from /proc without starting anything.
///
/// The kernel knows a process by three names, and each of them alone misleads. comm is cut at 15 octets, and any
/// program may change its own. The command line is written by the parent, and some daemons overwrite it with a title.
/// The link exe leads to the interpreter if the program is a script. So a process runs a program if any of the three
/// names it. A script is looked for behind the options of its interpreter.
///
/// A check names a program by a name ("nginx") or by an absolute path ("/usr/sbin/nginx"). The exact arguments may
/// follow ("/opt/x/daemon 600"). The beginning of a title also matches ("nginx: master process"). Source: proc(5),
/// execve(2).
///
/// Not good yet: a process in another mount namespace (a container) is compared by the text of its path, so it counts,
/// too. If an interpreter's option takes its value as a separate word, that hides the script behind it.
#pragma once

#include <optional>
#include <string>

namespace vipd {

/// Counts the living processes that run `program`; threads and zombies do not count. Without the right to read a
/// process's links (ptrace(2)), its comm and its command line decide.
unsigned count_processes(const std::string& program);

/// Why no process can run `program` on the present machine, as a sentence without a full stop; nullopt if a process
/// can.
std::optional<std::string> why_never_runs(const std::string& program);

}  // namespace vipd
