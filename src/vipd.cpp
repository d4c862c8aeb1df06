// vipd(8): this file has the command line only.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "vipd/daemon/daemon.hpp"

namespace {

int run(int argc, char* argv[]) {
  vipd::DaemonOptions options;
  options.arguments.assign(argv, argv + argc);
  bool check = false, will = false;
  CLI::App app{"Virtual-IP manager for paired servers (VRRPv3). Stays in the foreground; see vipd(8)."};
  app.add_option("--config", options.config, "Configuration file")->capture_default_str();
  app.add_option("--runtime-dir", options.runtime_dir, "Directory of the control socket")->capture_default_str();
  app.add_option("--state-dir", options.state_dir, "Directory of state that survives a boot")->capture_default_str();
  app.add_option("--runner", options.runner, "Socket of the vipd-runner to use, instead of starting one");
  auto* const check_flag = app.add_flag("--check", check, "Check the configuration and exit");
  app.add_flag("--strict", options.strict, "With --check: treat a warning as an error")->needs(check_flag);
  app.add_flag("--last-will", will, "Remove the leftovers of a dead vipd and exit");
  app.set_version_flag("--version", "vipd " VIPD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? vipd::kExitOk : vipd::kExitConfig;
  }
  if (check) return vipd::check_config(options);
  if (will) return vipd::last_will(options);
  return vipd::run_daemon(options);
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // such as out of memory: systemd runs the last will and restarts vipd
    std::fprintf(stderr, "vipd: %s\n", error.what());
    return vipd::kExitFailure;
  }
}
