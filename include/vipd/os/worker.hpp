/// Worker: one thread for what may take long, such as fsync(2) on a slow disk.
///
/// The event loop decides everything. The worker decides nothing: it runs one piece of work after another, in the order
/// in which they were given, and hands back what the loop is to do with the outcome. A piece of work may touch only
/// what it owns. The thread has the normal scheduling class, and all signals are blocked in it.
///
/// Whoever replaces the program (execve(2)) waits for idle() first. The kernel would end the thread, and it waits for a
/// thread that waits for a disk. Callers: the daemon and Reloader.
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
  /// What the loop does once the work is done.
  using Outcome = std::function<void()>;
  /// Runs in the thread.
  using Work = std::function<Outcome()>;

  /// Fails if there is no descriptor or no thread left.
  static Result<std::unique_ptr<Worker>> create(EventLoop& loop);
  /// Waits until all work is done; its outcomes are dropped.
  ~Worker();

  void give(Work work);
  /// All that was given is done, outcomes too.
  bool idle() const { return unfinished_ == 0; }

 private:
  Worker() = default;
  void work();
  void take_outcomes();

  Fd done_;  // an eventfd
  EventLoop::Watch watch_;
  std::size_t unfinished_ = 0;  // of the loop's thread alone

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  std::deque<Outcome> outcomes_;
  bool ends_ = false;

  std::thread thread_;
};

}  // namespace vipd
