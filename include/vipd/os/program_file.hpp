/// Who could change a file that root runs or believes: a program, a configuration that names programs, or a directory
/// of either?
///
/// A file is as safe as the weakest component of its path: the owner of a directory on the way can put another file
/// there. So each component must belong to root and be writable by nobody else. This holds for sticky directories such
/// as /tmp, and for the targets of symbolic links. A process that runs programs with its own rights may own the
/// components, too: a developer's vipd, but never user vipd, whose programs vipd-runner runs as root.
///
/// Components that the asking process may not look at are skipped. vipd asks at its start as an unprivileged user;
/// vipd-runner asks again as root before each run. The same code judges for vipd, vipd-runner and `vipd --check`, so
/// they always agree.
///
/// Not good yet: access control lists and file systems that are mounted noexec are not looked at.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>

namespace vipd {

/// Why a file is not trusted, and the remedy.
struct ProgramFault {
  std::string reason;  ///< "directory /srv/x is writable by others (mode 0777)"
  std::string remedy;  ///< "chmod go-w /srv/x"
};

/// Judges the program at `path`, which is absolute, and all components that lead to it; nullopt if the program is safe.
std::optional<ProgramFault> examine_program(const std::string& path);

/// Judges a file or directory of the configuration, which need not be executable. `opened` is the fstat(2) of the file
/// that was read. If another file is at `path` now, that is a fault, too.
std::optional<ProgramFault> examine_configuration(const std::string& path, const struct stat& opened);

}  // namespace vipd
