/// The user vipd, and who besides it may use what it makes: the group vipd, whose members are the operators.
///
/// Root may make such a thing in a directory of user vipd (a vipd that is started by hand). A chown or chmod of a path
/// there could meet what somebody else has put in its place, so the thing gets its mode and group when it is made.
#pragma once

#include <sys/types.h>

#include <string>

#include "vipd/base/result.hpp"

namespace vipd {

/// Of the system's user vipd; no user's number if there is none.
uid_t user_of_vipd();

/// What this process makes while the object lives has exactly this mode and, where there is such a group and the
/// process may choose it, the group vipd. For one thread.
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
