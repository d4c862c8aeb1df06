/// Who could change a program that runs as root?
///
/// A program is as safe as the weakest component of its path: whoever may write a directory on the way can put another
/// file there. So each component has to belong to root (or to whoever asks) and be writable by nobody else, sticky
/// directories such as /tmp included; what a symbolic link points to is walked the same way. The program itself has to
/// be a regular file that can be executed. What the asking process may not look at is passed over: vipd asks at its
/// start as an unprivileged user, vipd-runner asks again as root each time before it runs a program.
///
/// Not good yet: access control lists and file systems that are mounted noexec are not looked at.
#pragma once

#include <optional>
#include <string>

namespace vipd {

/// Why a program is not run, and what mends it.
struct ProgramFault {
  std::string reason;  ///< "directory /srv/x is writable by others (mode 0777)"
  std::string remedy;  ///< "chmod go-w /srv/x"
};

/// Looks at `path`, which is absolute, and at all that leads to it. nullopt: nothing is wrong with it.
std::optional<ProgramFault> examine_program(const std::string& path);

}  // namespace vipd
