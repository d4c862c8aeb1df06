/// ProcessRunner: the Runner seam over real processes; the inside of vipd-runner.
///
/// Between the runner and each program stands a keeper: a fork that is a subreaper. All processes that the program
/// starts stay below its keeper, daemons with sessions of their own included.
///
/// At its timeout a program gets SIGTERM with all its descendants. Those that are left after 2 s are killed. The
/// outcome comes when none is left. If a program ends in time, its remaining descendants were meant to stay. They then
/// become children of vipd-runner and live until it ends. A keeper dies with vipd-runner. One keeper is forked in
/// advance, because the fork takes longer than all else that a hook waits for.
///
/// A program gets a session of its own, no standard input, a fixed environment and the root directory. Its output goes
/// to the log line by line, within bounds, and the last lines go into the outcome. The rest of a long output is read
/// and dropped. Nothing here waits. Children of this process are reaped as they end, so the process must not wait for
/// children of its own.
///
/// Not good yet: a program of root can escape on purpose by killing its keeper.
#pragma once

#include <list>
#include <memory>

#include "vipd/os/event_loop.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

class ProcessRunner final : public Runner {
 public:
  static Result<std::unique_ptr<ProcessRunner>> create(EventLoop& loop);
  ~ProcessRunner() override;

  void run(const Command& command, Done done) override;
  /// Ends all running programs, as if their timeouts had passed.
  void end_all();
  bool idle() const { return programs_.empty(); }

 private:
  struct Keeper;
  struct Program;
  explicit ProcessRunner(EventLoop& loop);
  static Result<Keeper> make_keeper();
  void provide_keeper();
  Result<void> start(Program& program);
  void read_output(Program& program);
  void on_report(Program& program);
  void end(Program& program);
  void sweep(Program& program);
  void finish(Program& program);

  EventLoop& loop_;
  std::unique_ptr<Keeper> waiting_;  // the keeper that was forked in advance for the next program
  EventLoop::Watch provide_later_;
  std::list<std::unique_ptr<Program>> programs_;
};

}  // namespace vipd
