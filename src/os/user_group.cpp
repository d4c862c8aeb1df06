#include "vipd/os/user_group.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vipd {
namespace {

constexpr const char* kGroup = "vipd";

}  // namespace

Result<void> share_with_group(const std::string& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) < 0) return system_failure("cannot set the mode of " + path, errno);
  const ::group* group = ::getgrnam(kGroup);
  if (group != nullptr && ::chown(path.c_str(), static_cast<uid_t>(-1), group->gr_gid) < 0)
    return system_failure("cannot give " + path + " to group " + kGroup, errno);
  return {};
}

}  // namespace vipd
