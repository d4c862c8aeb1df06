#include "vipd/ctl/command_line.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <map>
#include <string>

#include "vipd/ctl/verbs.hpp"

namespace vipd {
namespace {

void add_trial(CLI::App& reload, Invocation& invocation) {
  using WithUnit = CLI::AsNumberWithUnit;
  static const std::map<std::string, unsigned> units{{"s", 1}, {"m", 60}, {"h", 3600}};
  constexpr unsigned kLongest = 24 * 3600;
  reload
      .add_option_function<unsigned>(
          "--confirm", [&invocation](unsigned length) { invocation.trial = std::chrono::seconds(length); },
          "Go back to the previous configuration unless `vipctl confirm` comes in TIME: 1s to 24h")
      ->type_name("TIME")
      ->transform(WithUnit(units, WithUnit::UNIT_REQUIRED))
      ->check(CLI::Range(1U, kLongest));
}

/// Adds the path of the configuration. What vipctl does as root depends on this path and not on the daemon's answer.
void add_config_file(CLI::App& verb, Invocation& invocation) {
  verb.add_option("--config", invocation.config, "The daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
}

void add_config_action(CLI::App& config, Invocation& invocation, Invocation::ConfigAction action, const char* name,
                       const char* description) {
  CLI::App& added = *config.add_subcommand(name, description);
  added.callback([&invocation, action] { invocation.config_action = action; });
  added.fallthrough();
  added.add_option("--state-dir", invocation.state_dir, "Directory in which vipd-runner keeps configurations")
      ->type_name("DIR")
      ->capture_default_str();
  if (action != Invocation::ConfigAction::list)
    added.add_option("N", invocation.config_number, "Number of the configuration in the list")->required();
  if (action == Invocation::ConfigAction::restore) add_config_file(added, invocation);
}

void add_config_actions(CLI::App& config, Invocation& invocation) {
  using Action = Invocation::ConfigAction;
  config.require_subcommand(0, 1);
  add_config_action(config, invocation, Action::list, "list", "List the kept configurations, the oldest first");
  add_config_action(config, invocation, Action::show, "show", "Print the files of a kept configuration");
  add_config_action(config, invocation, Action::restore, "restore",
                    "Restore the files of a kept configuration and reload them");
}

void add_events_options(CLI::App& events, Invocation& invocation) {
  events.add_flag("-f,--follow", invocation.follow, "Also print new transitions as they happen");
  events.add_option("-n", invocation.count, "Print only the last N past transitions")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
}

void add_nothing(CLI::App& /*verb*/, Invocation& /*invocation*/) {}

struct Verb {
  const char* name;
  const char* help;
  VerbFunction function;
  void (*add_options)(CLI::App&, Invocation&) = add_nothing;
};

/// All verbs, in the order of the help text.
constexpr std::array<Verb, 8> kVerbs = {{
    {"status", "Show the state of each instance, and why", show_status},
    {"events", "Show the last transitions, and why", show_events, add_events_options},
    {"diff", "Show what a reload would change", show_diff},
    {"reload", "Read the configuration files again and apply them", reload, add_trial},
    {"confirm", "Keep the configuration of `reload --confirm`", confirm},
    {"config", "List, show or restore previous configurations", show_config, add_config_actions},
    {"reexec", "Replace the running daemon with the installed program", reexec},
    {"version", "Show the versions of vipctl and of the daemon", show_version},
}};

void add_verb(CLI::App& app, Invocation& invocation, const Verb& verb) {
  CLI::App& added = *app.add_subcommand(verb.name, verb.help);
  added.callback([&invocation, &verb] { invocation.verb = verb.function; });
  added.fallthrough();  // allows the options of every verb after the verb
  added.footer("Every verb also takes --json and --runtime-dir DIR.");
  verb.add_options(added, invocation);
}

}  // namespace

std::unique_ptr<CLI::App> describe_command_line(Invocation& invocation) {
  auto app = std::make_unique<CLI::App>("Shows what vipd, the virtual-IP manager, does and why.", "vipctl");
  app->footer("Without a verb vipctl shows the status. See vipctl(1).");
  app->require_subcommand(0, 1);
  app->set_version_flag("--version", "vipctl " VIPD_VERSION);
  app->add_option("--runtime-dir", invocation.runtime_dir, "Directory of the daemon's socket")
      ->type_name("DIR")
      ->capture_default_str();
  app->add_flag("--json", invocation.json, "Print the daemon's answer as JSON");
  for (const Verb& verb : kVerbs) add_verb(*app, invocation, verb);
  return app;
}

std::expected<Invocation, int> parse_command_line(int argc, const char* const* argv, std::ostream& out,
                                                  std::ostream& err) {
  Invocation invocation;
  invocation.verb = show_status;
  const auto app = describe_command_line(invocation);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for = app->exit(error, out, err) == 0;
    return std::unexpected(static_cast<int>(asked_for ? ExitStatus::ok : ExitStatus::usage));
  }
  return invocation;
}

}  // namespace vipd
