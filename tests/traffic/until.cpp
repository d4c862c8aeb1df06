#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <csignal>
#include <system_error>

#include "traffic.hpp"

namespace vipd::traffic {
namespace {

Fd ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return Fd(checked(signalfd(-1, &signals, SFD_CLOEXEC), "signalfd"));
}

Fd one_shot(Duration limit) {
  Fd timer(checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create"));
  itimerspec spec{};
  spec.it_value = {.tv_sec = limit.count() / 1'000'000'000, .tv_nsec = limit.count() % 1'000'000'000};
  checked(timerfd_settime(timer.get(), 0, &spec, nullptr), "timerfd_settime");
  return timer;
}

void add(const Fd& set, const Fd& member) {
  epoll_event event{};
  event.events = EPOLLIN;
  checked(epoll_ctl(set.get(), EPOLL_CTL_ADD, member.get(), &event), "epoll_ctl");
}

}  // namespace

Until::Until(std::optional<Duration> limit)
    : signals_(ending_signals()), either_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  add(either_, signals_);
  if (!limit) return;
  timer_ = one_shot(*limit);
  add(either_, timer_);
}

void throw_errno(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace vipd::traffic
