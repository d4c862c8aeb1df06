// vipd-runner(8): this file has the command line only.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "vipd/base/exit_status.hpp"
#include "vipd/runner/runner_server.hpp"

namespace {

int run(int argc, char* argv[]) {
  vipd::RunnerOptions options;
  CLI::App app{
      "Runs the programs that vipd's configuration names, for vipd. Stays in the foreground; see vipd-runner(8)."};
  app.add_option("--config", options.config, "Configuration file")->capture_default_str();
  app.add_option("--runtime-dir", options.runtime_dir, "Directory of the socket")->capture_default_str();
  app.add_option("--state-dir", options.state_dir, "Directory of the present and previous configurations")
      ->capture_default_str();
  app.add_flag("--inherited", options.inherited, "Serve the vipd whose socket is the standard input");
  app.set_version_flag("--version", "vipd-runner " VIPD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? vipd::kExitOk : vipd::kExitConfig;
  }
  return vipd::run_runner(options);
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vipd-runner: %s\n", error.what());
    return vipd::kExitFailure;
  }
}
