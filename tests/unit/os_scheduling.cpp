#include "vipd/os/scheduling.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include "support/catch.hpp"

namespace {

/// The value of `name` in /proc/self/sched; -1 if there is none.
double scheduled(const std::string& name) {
  std::ifstream file("/proc/self/sched");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stod(line.substr(line.find(':') + 1));
  return -1;
}

/// True if a program may ask for its slice: Linux 6.12 and later. An older kernel may have slices, too.
bool may_ask() {
  utsname system{};
  ::uname(&system);
  int major = 0, minor = 0;
  std::istringstream release(system.release);
  release >> major;
  release.ignore() >> minor;
  return std::pair(major, minor) >= std::pair(6, 12);
}

/// The exit status of a child that runs `action`.
int in_child(const std::function<int()>& action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Becomes a user without real-time priority who may lock little memory.
void become_user() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0}, little{.rlim_cur = 65536, .rlim_max = 65536};
  ::setrlimit(RLIMIT_RTPRIO, &none);
  ::setrlimit(RLIMIT_MEMLOCK, &little);
  if (::geteuid() == 0) (void)!::setresuid(65534, 65534, 65534);
  ::prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);  // otherwise its /proc would belong to root
}

bool has_short_slice() { return may_ask() && scheduled("se.slice") <= 100'000; }

}  // namespace

TEST_CASE("wake_promptly: no slack, and the lowest real-time priority where it may have that") {
  CHECK(in_child([] {
          sched_param param{.sched_priority = 1};
          if (::sched_setscheduler(0, SCHED_RR, &param) < 0) return 0;  // not allowed here
          param.sched_priority = 0;
          ::sched_setscheduler(0, SCHED_OTHER, &param);
          vipd::wake_promptly();
          ::sched_getparam(0, &param);
          const bool is_prompt =
              ::sched_getscheduler(0) == (SCHED_RR | SCHED_RESET_ON_FORK) && param.sched_priority == 1;
          return (::prctl(PR_GET_TIMERSLACK) <= 1 ? 0 : 1) + (is_prompt ? 0 : 2);
        }) == 0);
}

TEST_CASE("wake_promptly: else the shortest slice where the kernel has such") {
  CHECK(in_child([] {
          become_user();
          const bool has_slices = scheduled("se.slice") > 0;
          vipd::wake_promptly();
          const bool is_usual = (::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER;
          return (is_usual ? 0 : 1) + (!has_slices || !may_ask() || has_short_slice() ? 0 : 2);
        }) == 0);
}

TEST_CASE("wake_promptly: what is started then is as patient as any other program") {
  for (const bool as_user : {false, true}) {
    CAPTURE(as_user);
    CHECK(in_child([as_user] {
            if (as_user) become_user();
            const bool has_slices = scheduled("se.slice") > 0;
            vipd::wake_promptly();
            return in_child(
                [&] { return ::sched_getscheduler(0) == SCHED_OTHER && !(has_slices && has_short_slice()) ? 0 : 1; });
          }) == 0);
  }
}

#ifndef VIPD_SANITIZED  // a sanitizer locks nothing
TEST_CASE("stay_in_memory: where there is no limit, and only there") {
  const auto locks = [] {
    vipd::stay_in_memory();
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("VmLck:")) return std::stoi(line.substr(6)) > 0 ? 1 : 0;
    return 2;
  };
  CHECK(in_child(locks) == (::geteuid() == 0 ? 1 : 0));
  CHECK(in_child([&] {
          become_user();
          return locks();
        }) == 0);
}
#endif

TEST_CASE("wake_promptly: leaves a real-time policy alone") {
  CHECK(in_child([] {
          const sched_param wanted{.sched_priority = 1};
          if (::sched_setscheduler(0, SCHED_RR, &wanted) < 0) return 0;  // not allowed here
          vipd::wake_promptly();
          sched_param is{};
          ::sched_getparam(0, &is);
          return ::sched_getscheduler(0) == SCHED_RR && is.sched_priority == 1 ? 0 : 1;
        }) == 0);
}
