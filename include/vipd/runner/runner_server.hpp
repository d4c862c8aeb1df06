/// RunnerServer: the life of vipd-runner, which runs the user's programs for one vipd at a time.
///
/// vipd-runner runs as root where vipd need not, so it trusts nobody. Only root and the user vipd may connect. A
/// program runs only if the configuration in force names it with these arguments and nobody but root could have changed
/// it. Its environment has VIPD_* variables alone. vipd-runner reads configurations by itself; vipd only tells which of
/// them is in force, see ServedConfigs. A refused request is answered as lost, since the program has said nothing.
///
/// When its vipd is gone, the programs that run for it are ended as at a timeout. Only then is the next vipd served, so
/// no two programs of an instance run at once. When vipd-runner ends, none of its programs is left.
#pragma once

#include <string>

namespace vipd {

/// The command line of vipd-runner, with its defaults.
struct RunnerOptions {
  std::string config = "/etc/vipd/vipd.toml";
  std::string runtime_dir = "/run/vipd-runner";    ///< directory of the socket; if `inherited`, that of the vipd
  std::string state_dir = "/var/lib/vipd-runner";  ///< the directory of the configurations that it keeps
  bool inherited = false;                          ///< true if standard input is the socket of the one vipd to serve
};

/// Runs until SIGTERM, or until the vipd that started it has gone. Returns the exit status.
int run_runner(const RunnerOptions& options);

}  // namespace vipd
