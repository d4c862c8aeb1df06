/// The daemon's life: read the files, take the lock, build everything on the real machine, run, stop in order.
///
/// `vipctl reexec` replaces the program of the running process by what stands in its place on the disk now. The new one
/// goes on with what it finds in the ClaimStore, as after a crash, and with what the old one has left (HandOver): the
/// configuration in force and the control socket, so that clients who ask meanwhile wait for the answer. The files on
/// the disk count at a start and at a reload only.
///
/// The only place where Supervisor, the os layer and the event loop meet. One turn: sockets and netlink first, then the
/// deadline, then hooks and clients; after each handler the deadline is set anew. Caller: main in src/vipd.cpp.
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
  bool strict = false;                      ///< --check takes warnings for errors
  std::vector<std::string> arguments = {};  ///< of main(), for a re-exec
};

/// Runs until a planned stop is complete. Returns the exit status.
int run_daemon(const DaemonOptions& options);
/// `vipd --check`: says what is wrong with the files, or that nothing is.
int check_config(const DaemonOptions& options);
/// `vipd --last-will`: removes the addresses that a vipd which is gone left behind, and resigns for it.
int last_will(const DaemonOptions& options);

}  // namespace vipd
