/// What the user asked for: the command line of vipctl, described once.
///
/// The description is a CLI11 app, made from a table of verbs: name, help, function, options. A unit test walks through
/// the app to see that the manual page and the bash completion know each verb and each option.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "vipd/base/result.hpp"

namespace CLI {
class App;
}

namespace vipd {

struct Console;
struct Invocation;

/// Carries a verb out: see verbs.hpp.
using VerbFunction = Result<void> (*)(const Invocation& invocation, const Console& console);

/// One call of vipctl. The defaults are those of a call without a verb, which parse_command_line() takes for `status`.
struct Invocation {
  enum class ConfigAction { list, show, restore };

  VerbFunction verb = nullptr;                     ///< null until parse_command_line() has been
  std::string runtime_dir = "/run/vipd";           ///< where the daemon's control.sock is
  std::string config = "/etc/vipd/vipd.toml";      ///< config restore: the daemon's configuration file
  std::string state_dir = "/var/lib/vipd-runner";  ///< config: where vipd-runner keeps configurations
  bool json = false;
  bool follow = false;                              ///< events: go on with new ones
  std::optional<std::size_t> count;                 ///< events: so many of the past ones, all if not given
  std::optional<std::chrono::seconds> trial;        ///< reload: goes back after so long without a confirmation
  ConfigAction config_action = ConfigAction::list;  ///< config: what to do
  std::optional<std::uint64_t> config_number;       ///< config: with which one
};

/// The app that parses into `invocation`, which must outlive it.
std::unique_ptr<CLI::App> describe_command_line(Invocation& invocation);

/// Parses the arguments of main(). If there is nothing left to do, because help was asked for or the usage is wrong,
/// that has been said on `out` or `err` and the exit status is the unexpected value: 0 or 2.
std::expected<Invocation, int> parse_command_line(int argc, const char* const* argv, std::ostream& out,
                                                  std::ostream& err);

}  // namespace vipd
