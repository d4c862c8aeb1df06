/// Worker: one thread for slow work, such as fsync(2) on a slow disk.
///
/// The event loop decides everything. The worker runs one piece of work after another, in the order in which they were
/// given, and returns to the loop a function that handles the result. A piece of work may touch only its own data. The
/// thread has the normal scheduling class, and all signals are blocked in it. It has a umask of its own, 0077.
///
/// Before execve(2) replaces the program, the caller waits for idle(). The kernel would end the thread at once, and
/// blocks while the thread waits for a disk.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "vipd/base/result.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

class Worker {
 public:
  /// The function that the loop runs when the work is done.
  using Outcome = std::function<void()>;
  /// A piece of work, which runs in the thread.
  using Work = std::function<Outcome()>;

  /// Fails if no descriptor or no thread is available.
  static Result<std::unique_ptr<Worker>> create(EventLoop& loop);
  /// Waits until all work is done and drops the outcomes.
  ~Worker();

  void give(Work work);
  /// True if all work is done and all outcomes have run.
  bool idle() const { return unfinished_ == 0; }

 private:
  Worker() = default;
  void work();
  void take_outcomes();

  Fd done_;  // an eventfd
  EventLoop::Watch watch_;
  std::size_t unfinished_ = 0;  // used by the loop's thread alone

  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  std::deque<Outcome> outcomes_;
  bool ends_ = false;

  std::thread thread_;
};

}  // namespace vipd
