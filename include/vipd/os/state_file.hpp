/// State files: what vipd keeps for the next vipd, in a directory where other things than files may stand.
///
/// A named pipe, a device or a link in the place of such a file does not hold up the start. It is passed over when it
/// is read, and replaced when the file is written.
///
/// Root may work in a directory of user vipd: a vipd or a last will that somebody starts by hand. What root makes there
/// belongs to the directory's owner, so that the service goes on with it. Root works through a descriptor of the
/// directory, follows no link on the way that others could have made, and changes owners by descriptor.
/// Callers: ClaimStore, HookJournal, ConfigHistory, the lock.
#pragma once

#include <string>

#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

/// Opens a directory for the names in it; as root, only by links that root alone could have made. Check it: errno says
/// why there is none, ELOOP for such a link.
Fd open_directory(const std::string& path);

/// True if nobody but this user and root may write in the directory: what is found there was made by one of the two.
bool is_ours_alone(const std::string& directory);

/// Makes a directory, and those above that are missing, each for the owner of the directory above it and nobody else.
/// One that is there stays as it is.
Result<void> make_state_directory(const std::string& path);

/// The text of the file, at most 32 MiB; "" if it is larger, no file or cannot be read.
std::string read_state_file(const std::string& path);
/// A new, empty file that only its owner may read, in place of whatever stands there, with more `flags` of open(2);
/// check it, errno says why there is none.
Fd create_state_file(const std::string& path, int flags = 0);
/// Gives a file another name in the same directory, in place of whatever has it. False: errno says why not.
bool rename_state_file(const std::string& from, const std::string& to);
/// Nothing happens if there is none.
void remove_state_file(const std::string& path);
/// The file that holds the lock `path`, made if it is not there; check it, errno says why there is none.
Fd open_lock_file(const std::string& path);

}  // namespace vipd
