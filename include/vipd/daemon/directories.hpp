/// What a vipd finds where it is started: its files, the lock, and what the one before has left.
///
/// Used by the daemon and by `vipd --last-will`, which have to agree on all of it. The runtime directory is gone after
/// a boot, the state directory is not.
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

/// Says on standard error what is wrong with the files; true if they can be used.
bool usable(const Result<LoadedConfig>& loaded, const std::string& path);

/// Makes the runtime directory and locks it, flock(2): one vipd for each. The lock lasts as long as the descriptor, or
/// a copy of it in another process. `inherited` is the lock that a previous program of this process has left; a
/// descriptor of another file is ignored. Waits for 200 ms at most: a child that a killed vipd was just starting holds
/// the lock until it runs its program.
Result<Fd> lock_runtime_dir(const std::string& directory, Fd inherited = {});

/// Where the ClaimStore, the HookJournal and the configuration in force are. All of these are in the runtime directory,
/// whose lock says that they are ours: several vipds may share a state directory.
std::string claims_path(const DaemonOptions& options);
std::string journal_path(const DaemonOptions& options);
std::string in_force_path(const DaemonOptions& options);

/// The file of the UnconfirmedConfig, in the state directory: a boot confirms nothing either.
std::string unconfirmed_path(const DaemonOptions& options);

/// Where a vipd-runner that is started by hand keeps configurations: beside the state directory and not in it, since
/// user vipd may write there.
std::string runner_state_dir(const DaemonOptions& options);

/// `now`, unless the files say what was put in force on trial and never confirmed: then the configuration before that
/// one, if it can be used. Says so in the log. Root believes nothing that user vipd could have written.
Result<LoadedConfig> last_confirmed(Result<LoadedConfig> now, Purpose purpose, const DaemonOptions& options);

/// The configuration that was in force in the process that this program has taken over. The program before has left it,
/// or has kept it on the disk if its version is an earlier one. nullopt if no record of it can be believed.
std::optional<KeptConfig> was_in_force(const HandOver& left, const DaemonOptions& options);

/// The instances of the vipd before this one that are not in `now`: the files may have been changed since, or be
/// broken, or it died while a reload was going on.
std::vector<InstanceConfig> instances_before(const LoadedConfig& now, const DaemonOptions& options);

}  // namespace vipd
