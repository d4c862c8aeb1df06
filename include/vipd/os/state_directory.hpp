/// State directories: where vipd keeps files for the next vipd, and where other things than files may stand.
///
/// Root works in a directory of user vipd when an operator starts vipd or its last will by hand. Files that root makes
/// there get the owner of the directory, so that the service can use them. Root works through a descriptor of the
/// directory, follows no link on the way that others could have made, and changes owners by descriptor.
#pragma once

#include <string>

#include "vipd/os/fd.hpp"

namespace vipd {

/// A path in two: its directory with the slash, "." if there is none, and the name in it.
struct PathParts {
  std::string directory, name;
};
PathParts parts_of(const std::string& path);
/// Takes the first component off `rest`, with the slashes before it; "" if only slashes are left.
std::string take_component(std::string& rest);

/// Opens a directory for the names in it; as root, only by links that root alone could have made. A relative path
/// begins in `below`, or in the working directory. Check it: errno says why there is none, ELOOP for such a link.
Fd open_directory(const std::string& path, const Fd& below = {});

/// True if nobody but this user and root may write in the directory: what is found there was made by one of the two.
bool is_ours_alone(const std::string& directory);

/// Gives the owner of the directory what root has just made in it, and does nothing for another user. A file with a
/// second name stays as it is, since that name may be another's.
void hand_to_owner_of(const Fd& directory, const Fd& made);

/// The file that holds the lock `path`, made if it is not there; check it, errno says why there is none.
Fd open_lock_file(const std::string& path);

}  // namespace vipd
