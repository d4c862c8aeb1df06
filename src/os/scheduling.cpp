#include "vipd/os/scheduling.hpp"

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace vipd {
namespace {

constexpr std::uint64_t kShortestSlice = 100'000;  // ns; the kernel would round up what is less

/// struct sched_attr of linux/sched/types.h, as first published (SCHED_ATTR_SIZE_VER0): that header and the C library's
/// sched.h define sched_param twice. Neither has functions for it.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // ns; of SCHED_OTHER, the slice
  std::uint64_t deadline = 0, period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

void wake_promptly() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) < 0 || attributes.policy != SCHED_OTHER)
    return;
  attributes.flags |= SCHED_FLAG_RESET_ON_FORK;
  attributes.runtime = kShortestSlice;
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

}  // namespace vipd
