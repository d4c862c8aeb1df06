#include "vipd/os/user_group.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vipd {
namespace {

constexpr const char* kName = "vipd";

gid_t group_to_share_with() {
  const ::group* group = ::getgrnam(kName);
  return group == nullptr ? ::getegid() : group->gr_gid;
}

/// Sets the group of new files. The service has the group already, so its system call filter need not allow this call.
void make_files_of(gid_t group) {
  if (group != ::getegid()) ::setfsgid(group);
}

}  // namespace

uid_t user_of_vipd() {
  const passwd* user = ::getpwnam(kName);
  return user == nullptr ? static_cast<uid_t>(-1) : user->pw_uid;
}

SharedWithGroup::SharedWithGroup(mode_t mode) : mask_(::umask(~mode & 0777U)), group_(group_to_share_with()) {
  make_files_of(group_);
}

SharedWithGroup::~SharedWithGroup() {
  if (group_ != ::getegid()) ::setfsgid(::getegid());
  ::umask(mask_);
}

}  // namespace vipd
