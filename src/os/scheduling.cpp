#include "vipd/os/scheduling.hpp"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace vipd {
namespace {

constexpr std::uint64_t kShortestSlice = 100'000;  // ns; the kernel rounds smaller values up

/// struct sched_attr of linux/sched/types.h in its first version (SCHED_ATTR_SIZE_VER0). That header and the C
/// library's sched.h both define sched_param, and the C library has no function for the call.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // ns; the slice of SCHED_OTHER
  std::uint64_t deadline = 0, period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

bool may_lock_all() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY) return true;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) < 0) return false;
  return (sets[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK)) != 0;
}

}  // namespace

void wake_promptly() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) < 0 || attributes.policy != SCHED_OTHER)
    return;
  const sched_param lowest{.sched_priority = ::sched_get_priority_min(SCHED_RR)};
  if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0) return;
  attributes.flags |= SCHED_FLAG_RESET_ON_FORK;
  attributes.runtime = kShortestSlice;
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

void stay_in_memory() {
  if (may_lock_all()) (void)::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

}  // namespace vipd
