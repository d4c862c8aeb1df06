/// Who could change what runs as root: a program, a configuration that names programs, or a directory of either?
///
/// A file is as safe as the weakest component of its path: the owner of a directory on the way can put another file
/// there. So each component has to belong to root and be writable by nobody else, sticky directories such as /tmp
/// included; what a symbolic link points to is walked the same way. A process that runs programs with its own rights
/// may own the components, too: a developer's vipd, but never user vipd, whose programs vipd-runner runs as root.
/// What the asking process may not look at is passed over: vipd asks at its start as an unprivileged user, vipd-runner
/// asks again as root each time before it runs a program.
///
/// One piece of code judges for vipd, vipd-runner and `vipd --check`, so that none of them accepts what another
/// refuses.
///
/// Not good yet: access control lists and file systems that are mounted noexec are not looked at.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>

namespace vipd {

/// Why a file is not trusted, and what mends it.
struct ProgramFault {
  std::string reason;  ///< "directory /srv/x is writable by others (mode 0777)"
  std::string remedy;  ///< "chmod go-w /srv/x"
};

/// Looks at the program `path`, which is absolute, and at all that leads to it. nullopt: nothing is wrong with it.
std::optional<ProgramFault> examine_program(const std::string& path);

/// The same for a file or directory of the configuration, which need not be executable. `opened` is what was read from
/// it, by fstat(2): another file that stands there now is a fault as well.
std::optional<ProgramFault> examine_configuration(const std::string& path, const struct stat& opened);

}  // namespace vipd
