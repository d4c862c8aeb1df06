/// The daemon's life: it reads the files, takes the lock, builds everything on the real machine, runs, stops in order.
///
/// `vipctl reexec` replaces the program of the running process by the program that is on the disk now. The new program
/// goes on with the claims in the ClaimStore, as after a crash. The HandOver gives it the configuration in force and
/// the control socket, so clients that ask meanwhile wait for the answer. The files count only at a start and at a
/// reload.
///
/// Only here do Supervisor, the os layer and the event loop meet. A turn of the loop handles sockets and netlink first,
/// then the deadline, then hooks and clients. After each handler the deadline is set anew.
#pragma once

#include <string>
#include <vector>

#include "vipd/base/exit_status.hpp"

namespace vipd {

/// The command line of vipd, with its defaults.
struct DaemonOptions {
  std::string config = "/etc/vipd/vipd.toml";
  std::string runtime_dir = "/run/vipd";
  std::string state_dir = "/var/lib/vipd";
  std::string runner;                       ///< socket of the vipd-runner to use; empty = start one
  bool strict = false;                      ///< true if --check treats warnings as errors
  std::vector<std::string> arguments = {};  ///< the arguments of main(), for a re-exec
};

/// Runs until a planned stop is complete. Returns the exit status.
int run_daemon(const DaemonOptions& options);
/// `vipd --check`: prints the diagnostics of the files, or that there are none. Returns the exit status.
int check_config(const DaemonOptions& options);
/// `vipd --last-will`: removes the addresses that a dead vipd left behind, and resigns for it. Returns the exit status.
int last_will(const DaemonOptions& options);

}  // namespace vipd
