/// Runner: the user's programs.
///
/// A seam: ProcessRunner (os/process_runner.hpp) starts them, the tests answer in their stead. Callers: HookQueue,
/// CheckSet. The answer comes from the loop later, never from within run().
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vipd/base/time.hpp"

namespace vipd {

/// From SIGTERM to SIGKILL for a program that takes longer than its timeout.
inline constexpr auto kKillGrace = std::chrono::seconds(2);

/// One call of a user's program.
struct Command {
  std::string label;                     ///< for the log: "web: /etc/vipd/hooks/web"
  std::vector<std::string> arguments;    ///< program by absolute path, then its arguments; no shell
  std::vector<std::string> environment;  ///< "NAME=value", beside a fixed PATH; nothing is inherited
  bool quiet = false;                    ///< what it prints and that it takes too long is not logged
  Duration timeout{};                    ///< then SIGTERM to its process group, SIGKILL after kKillGrace
};

/// How a program ended.
struct Outcome {
  std::string error = {};  ///< it could not be started; then nothing else counts
  bool lost = false;       ///< with `error`: the runner refused it or lost it, so this is no word of the program
  int exit_status = 0;     ///< of a program that exited
  int signal = 0;          ///< that ended it, 0 = none
  bool timed_out = false;  ///< was told to end
  Duration took{};
  std::vector<std::string> output = {};  ///< the last lines it printed, at most 10 and 1 KiB

  bool ok() const { return error.empty() && exit_status == 0 && signal == 0 && !timed_out; }
};

class Runner {
 public:
  using Done = std::function<void(const Outcome&)>;

  virtual ~Runner() = default;
  /// Starts the program and returns; `done` is called once, later.
  virtual void run(const Command& command, Done done) = 0;
  /// Names the configurations by whose programs the runner judges what it is asked for from now on, by config_hash():
  /// the one in force first. A runner that judges nothing takes no notice.
  virtual void serve(const std::vector<std::string>& /*hashes*/) {}
};

/// "exit status 3", "killed by signal 9", "timed out after 30s", "ok in 12ms".
std::string to_string(const Outcome& outcome);

}  // namespace vipd
