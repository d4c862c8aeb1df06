/// State files: what vipd keeps for the next vipd, in a directory where other things than files may stand.
///
/// A named pipe, a device or a link in the place of such a file does not hold up the start. It is passed over when it
/// is read, and replaced when the file is written. Callers: ClaimStore, HookJournal, ConfigHistory.
#pragma once

#include <string>

#include "vipd/os/fd.hpp"

namespace vipd {

/// The text of the file, at most 32 MiB; "" if it is larger, no file or cannot be read.
std::string read_state_file(const std::string& path);
/// A new, empty file that only its owner may read, in place of whatever stands there, with more `flags` of open(2);
/// check it, errno says why there is none.
Fd create_state_file(const std::string& path, int flags = 0);

}  // namespace vipd
