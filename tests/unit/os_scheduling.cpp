#include "vipd/os/scheduling.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "support/catch.hpp"

namespace {

/// What /proc/self/sched says of `name`; -1 if nothing.
double scheduled(const std::string& name) {
  std::ifstream file("/proc/self/sched");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stod(line.substr(line.find(':') + 1));
  return -1;
}

/// The kernel lets a program ask for its slice: Linux 6.12 and later. An older one may have slices, too.
bool may_ask() {
  utsname system{};
  ::uname(&system);
  int major = 0, minor = 0;
  std::istringstream release(system.release);
  release >> major;
  release.ignore() >> minor;
  return std::pair(major, minor) >= std::pair(6, 12);
}

/// The status of a child that does this.
int in_child(int (*action)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("wake_promptly: no slack, and the shortest slice where the kernel has such") {
  CHECK(in_child([] {
          const double before = scheduled("se.slice");
          vipd::wake_promptly();
          const bool is_short = before < 0 || !may_ask() || scheduled("se.slice") <= 100'000;
          return (::prctl(PR_GET_TIMERSLACK) == 1 ? 0 : 1) + (is_short ? 0 : 2);
        }) == 0);
}

TEST_CASE("wake_promptly: what is started then has the usual slice") {
  CHECK(in_child([] {
          const double before = scheduled("se.slice");
          vipd::wake_promptly();
          return in_child([] { return scheduled("se.slice") <= 100'000 ? 1 : 0; }) == (before < 0 ? 1 : 0) ? 0 : 1;
        }) == 0);
}

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
