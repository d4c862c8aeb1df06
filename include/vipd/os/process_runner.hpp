/// ProcessRunner: the Runner seam over real processes; the inside of vipd-runner.
///
/// Between the runner and each program stands a keeper, a fork that is a subreaper: whatever the program starts stays
/// below its keeper, daemons with sessions of their own included. A program that runs into its timeout is told to end
/// with all that descends from it, and killed with all of it 2 s later; its outcome comes when nothing is left. What a
/// program leaves behind that ended in time was meant to stay: it is handed on to this process and lives until
/// vipd-runner ends. A keeper dies with this process. One waits in advance: the fork takes longer than all else that a
/// hook has to wait for.
///
/// A program gets a session of its own, no standard input, a fixed environment and the root directory. What it prints
/// goes to the log, line by line and bounded, the last lines into the outcome; a program that prints a gigabyte is read
/// and thrown away. Nothing here waits, and children of this process are collected as they end, so it has to be one
/// that waits for none of its own.
///
/// Not good yet: what root's program does to escape on purpose (killing its keeper) is not prevented.
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
  /// Ends all that run, as if their time were over.
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
  std::unique_ptr<Keeper> waiting_;  // for the next program
  EventLoop::Watch provide_later_;
  std::list<std::unique_ptr<Program>> programs_;
};

}  // namespace vipd
