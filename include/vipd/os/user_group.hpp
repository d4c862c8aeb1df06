/// The user vipd, and the group vipd, whose members are the operators.
///
/// Root may make files in a directory of user vipd (a vipd that is started by hand). Another process could replace such
/// a file before a chown or chmod of its path. So the file gets its mode and group when it is made.
#pragma once

#include <sys/types.h>

#include <string>

#include "vipd/base/result.hpp"

namespace vipd {

/// The uid of user vipd; an invalid uid if there is no such user.
uid_t user_of_vipd();

/// While the object lives, files that this process makes get exactly this mode. They get the group vipd if that group
/// exists and the process may choose it. The umask changes for all threads but Workers, which have their own.
class SharedWithGroup {
 public:
  explicit SharedWithGroup(mode_t mode);
  ~SharedWithGroup();
  SharedWithGroup(const SharedWithGroup&) = delete;
  SharedWithGroup& operator=(const SharedWithGroup&) = delete;

 private:
  mode_t mask_;
  gid_t group_;
};

}  // namespace vipd
