#include "vipd/checker/rights.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace vipd {
namespace {

constexpr uid_t kNobody = 65534;  // user nobody: the uid of Debian's base-passwd, and the kernel's overflowuid

/// Empties the set of capabilities that a set-user-ID program could regain without no_new_privs.
void empty_bounding_set() {
  for (unsigned long capability = 0; capability <= CAP_LAST_CAP; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL);
}

/// Drops all capabilities. Those of root go with its uid, but those kept over an exec do not.
bool drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct none[2] = {};
  return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) == 0 &&
         ::syscall(SYS_capset, &header, none) == 0;
}

bool become_nobody() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
         ::setresuid(kNobody, kNobody, kNobody) == 0;
}

bool limit(int resource) {
  const rlimit none{};
  return ::setrlimit(static_cast<__rlimit_resource_t>(resource), &none) == 0;
}

}  // namespace

Result<void> give_up_root() {
  if (::geteuid() != 0) return {};
  empty_bounding_set();
  if (become_nobody() && drop_capabilities() && ::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0 &&
      limit(RLIMIT_CORE))
    return {};
  return system_failure("the check cannot give up root's rights, so it does not ask", errno);
}

}  // namespace vipd
