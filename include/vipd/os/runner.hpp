/// Runner: runs the user's programs.
///
/// A seam: ProcessRunner (os/process_runner.hpp) starts programs; the tests answer in their stead. The answer comes
/// from the loop later, never from within run().
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vipd/base/time.hpp"

namespace vipd {

/// From SIGTERM to SIGKILL for a program that exceeds its timeout.
inline constexpr auto kKillGrace = std::chrono::seconds(2);

/// One call of a user's program.
struct Command {
  std::string label;                     ///< name for the log: "web: /etc/vipd/hooks/web"
  std::vector<std::string> arguments;    ///< the program by absolute path, then its arguments; no shell is involved
  std::vector<std::string> environment;  ///< "NAME=value" each, beside a fixed PATH; nothing is inherited
  bool quiet = false;                    ///< true: neither its output nor its timeout is logged
  Duration timeout{};  ///< after it SIGTERM to the program and its descendants, then SIGKILL after kKillGrace
};

/// How a program ended.
struct Outcome {
  std::string error = {};  ///< why the program could not be started; the other fields then say nothing
  bool lost = false;    ///< true if `error` is the runner's fault (refused or lost), so it says nothing of the program
  int exit_status = 0;  ///< exit status of a program that exited
  int signal = 0;       ///< signal that ended the program; 0 = none
  bool timed_out = false;  ///< true if the program was ended at its timeout
  Duration took{};
  std::vector<std::string> output = {};  ///< the last lines that the program printed, at most 10 and 1 KiB

  bool ok() const { return error.empty() && exit_status == 0 && signal == 0 && !timed_out; }
};

class Runner {
 public:
  using Done = std::function<void(const Outcome&)>;

  virtual ~Runner() = default;
  /// Starts the program and returns; `done` is called once, later.
  virtual void run(const Command& command, Done done) = 0;
  /// Names the configurations whose programs the runner may run from now on, by config_hash(), the one in force first.
  /// A runner that judges nothing ignores this.
  virtual void serve(const std::vector<std::string>& /*hashes*/) {}
};

/// "exit status 3", "killed by signal 9", "timed out after 30s", "ok in 12ms".
std::string to_string(const Outcome& outcome);

}  // namespace vipd
