/// The directories of a vipd: its files, its lock, and the leftovers of the previous run.
///
/// The daemon and `vipd --last-will` both use these functions, since they have to agree on every path. A boot empties
/// the runtime directory and keeps the state directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vipd/daemon/daemon.hpp"
#include "vipd/daemon/hand_over.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/load/loaded_config.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

/// Prints the diagnostics of the files on standard error; true if the configuration can be used.
bool usable(const Result<LoadedConfig>& loaded, const std::string& path);

/// Makes the runtime directory and locks it, flock(2): each runtime directory has one vipd. The lock lasts as long as
/// the descriptor, or a copy of it in another process. `inherited` is the lock that a previous program of this process
/// has left; a descriptor of another file is ignored. Waits for 200 ms at most: a child that a killed vipd was just
/// starting holds the lock until its execve(2).
Result<Fd> lock_runtime_dir(const std::string& directory, Fd inherited = {});

/// The paths of the ClaimStore, the HookJournal and the configuration in force. All are in the runtime directory, whose
/// lock proves that they are ours: several vipds may share a state directory.
std::string claims_path(const DaemonOptions& options);
std::string journal_path(const DaemonOptions& options);
std::string in_force_path(const DaemonOptions& options);

/// The file of the UnconfirmedConfig. It is in the state directory, since a boot does not confirm a trial.
std::string unconfirmed_path(const DaemonOptions& options);

/// The directory in which a vipd-runner that is started by hand keeps configurations. It is beside the state directory
/// and not in it, since the user vipd may write there.
std::string runner_state_dir(const DaemonOptions& options);

/// The configuration to start with: `now`, unless the files are those of a trial that was never confirmed. Then it is
/// the configuration before the trial, if that is usable, and the log says so. Root trusts no record that the user vipd
/// could have written.
Result<LoadedConfig> last_confirmed(Result<LoadedConfig> now, Purpose purpose, const DaemonOptions& options);

/// The configuration that was in force in the process that this program has taken over. The previous program has handed
/// it over; an earlier version of vipd has kept it on the disk. nullopt if no record of it can be trusted.
std::optional<KeptConfig> was_in_force(const HandOver& left, const DaemonOptions& options);

/// The instances of the previous run that are not in `now`: the files were changed since, or are broken, or the
/// previous run died during a reload.
std::vector<InstanceConfig> instances_before(const LoadedConfig& now, const DaemonOptions& options);

}  // namespace vipd
