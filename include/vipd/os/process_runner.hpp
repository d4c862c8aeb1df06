/// ProcessRunner: the Runner seam over posix_spawn(3).
///
/// Each program runs in a process group of its own with standard input closed and a fixed environment. What it prints
/// goes to the log, line by line and bounded; a program that prints a gigabyte is read and thrown away. Nothing here
/// waits. What is still running when the runner is destroyed is killed with its whole group.
///
/// Not good yet: what a program daemonised with setsid(2) escapes its group; vipd-runner will hold such with a
/// subreaper.
#pragma once

#include <list>
#include <memory>

#include "vipd/os/event_loop.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

class ProcessRunner final : public Runner {
 public:
  explicit ProcessRunner(EventLoop& loop);
  ~ProcessRunner() override;

  void run(const Command& command, Done done) override;

 private:
  struct Child;
  Result<void> start(Child& child);
  void read_output(Child& child);
  void on_timeout(Child& child);
  void on_exit(Child& child, int code, int status);
  void answer(Child& child);

  EventLoop& loop_;
  std::list<std::unique_ptr<Child>> children_;
};

}  // namespace vipd
