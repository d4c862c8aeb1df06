/// RunnerServer: the life of vipd-runner, which runs the user's programs for one vipd at a time.
///
/// It runs as root where vipd does not have to, so it trusts nobody: only root and the user vipd may connect, and a
/// program is run only if the configuration in force names it with these arguments, if nobody but root could have
/// changed it, and with VIPD_* variables alone. It reads configurations by itself; vipd only says which of them is in
/// force, see ServedConfigs. What it refuses is answered as lost: that is no word of the program.
///
/// When its vipd is gone, what runs for it is ended as at a timeout, and only then the next one is served: no two
/// programs of an instance run at once. When vipd-runner ends, nothing of what it started is left. Caller: main in
/// src/vipd-runner.cpp.
#pragma once

#include <string>

namespace vipd {

/// The command line of vipd-runner, with its defaults.
struct RunnerOptions {
  std::string config = "/etc/vipd/vipd.toml";
  std::string runtime_dir = "/run/vipd-runner";  ///< where the socket is; if `inherited`, that of the vipd it serves
  std::string state_dir = "/var/lib/vipd-runner";
  bool inherited = false;  ///< serve the one vipd whose socket is the standard input, and end with it
};

/// Runs until SIGTERM, or until the vipd that started it has gone. Returns the exit status.
int run_runner(const RunnerOptions& options);

}  // namespace vipd
