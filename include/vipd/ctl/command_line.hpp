/// The command line of vipctl, described once.
///
/// The description is a CLI11 app, made from a table of verbs: name, help, function, options. A unit test walks through
/// the app and checks that the manual page and the bash completion know each verb and each option.
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

/// The function of a verb, see verbs.hpp.
using VerbFunction = Result<void> (*)(const Invocation& invocation, const Console& console);

/// One call of vipctl. The defaults are those of a call without a verb, which means `status`.
struct Invocation {
  enum class ConfigAction { list, show, restore };

  VerbFunction verb = nullptr;                     ///< null until parse_command_line() has run
  std::string runtime_dir = "/run/vipd";           ///< directory of the daemon's control.sock
  std::string config = "/etc/vipd/vipd.toml";      ///< config restore: the daemon's configuration file
  std::string state_dir = "/var/lib/vipd-runner";  ///< config: directory in which vipd-runner keeps configurations
  bool json = false;
  bool follow = false;                              ///< events: true = also print events that happen later
  std::optional<std::size_t> count;                 ///< events: number of past events to print; all if not given
  std::optional<std::chrono::seconds> trial;        ///< reload: time after which the daemon goes back unless confirmed
  ConfigAction config_action = ConfigAction::list;  ///< config: the action
  std::optional<std::uint64_t> config_number;       ///< config: number of the configuration to show or restore
};

/// Makes the app that parses into `invocation`, which must outlive the app.
std::unique_ptr<CLI::App> describe_command_line(Invocation& invocation);

/// Parses the arguments of main(). After a request for help or a wrong usage, the text is on `out` or `err` already.
/// The unexpected value is then the exit status, 0 or 2.
std::expected<Invocation, int> parse_command_line(int argc, const char* const* argv, std::ostream& out,
                                                  std::ostream& err);

}  // namespace vipd
