#include "vipd/os/worker.hpp"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace vipd {

Result<std::unique_ptr<Worker>> Worker::create(EventLoop& loop) {
  std::unique_ptr<Worker> worker(new Worker);
  Worker& self = *worker;
  self.done_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!self.done_) return system_failure("cannot make a thread", errno);
  auto watch = loop.watch(self.done_.get(), EPOLLIN, Urgency::rest, [&self] { self.take_outcomes(); });
  if (!watch) return std::unexpected(watch.error());
  self.watch_ = std::move(*watch);
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    self.thread_ = std::thread([&self] { self.work(); });
  } catch (const std::system_error& none) {
    error = none.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return system_failure("cannot make a thread", error);
  return worker;
}

Worker::~Worker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Worker::give(Work work) {
  ++unfinished_;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void Worker::work() {
  ::unshare(CLONE_FS);  // the loop's thread changes its umask for a moment, see SharedWithGroup
  ::umask(0077);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::optional<Work> next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    Outcome outcome = (*next)();
    next.reset();  // before the lock: to free the work may take long, and the loop would wait
    lock.lock();
    outcomes_.push_back(std::move(outcome));
    ::eventfd_write(done_.get(), 1);
  }
}

void Worker::take_outcomes() {
  eventfd_t count = 0;
  ::eventfd_read(done_.get(), &count);
  std::deque<Outcome> outcomes;
  {
    const std::lock_guard lock(mutex_);
    outcomes.swap(outcomes_);
  }
  for (const Outcome& outcome : outcomes) {
    --unfinished_;
    outcome();
  }
}

}  // namespace vipd
