/// Reloader: from the files on disk to the configuration in force, and back.
///
/// One path for SIGHUP, `systemctl reload` and `vipctl reload`: read, check, plan, and only if all of that went well
/// let the Supervisor apply it. Anything wrong is reported and changes nothing. What is in force is kept for the next
/// vipd. Callers: the daemon, for the signal, and the ControlServer, for the verbs of vipctl. Both ask the Lifecycle
/// first whether the daemon is in a state for it.
///
/// The Runner is told the hash of what is in force before the Supervisor applies it, with those of the configurations
/// whose programs may still be wanted: the one that a trial leads back to, and those of routers that are about to go.
///
/// A reload can be on trial: unless it is confirmed in time, the configuration before it comes back by itself, by the
/// same path. Only confirm() ends the trial in favour of what is on trial. A further reload puts in force what the
/// files say, and the trial goes on: the way back leads to what was in force before the first of them. A stop, a crash
/// and a boot end the trial, too; UnconfirmedConfig makes the next vipd start with the configuration before it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/plan.hpp"
#include "vipd/daemon/config_history.hpp"
#include "vipd/daemon/lifecycle.hpp"
#include "vipd/daemon/loaded_config.hpp"
#include "vipd/daemon/status.hpp"
#include "vipd/daemon/supervisor.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/json.hpp"
#include "vipd/os/worker.hpp"

namespace vipd {

class Reloader {
 public:
  /// Reads the files anew, see load_config(); fails when one cannot be read.
  using Load = std::function<Result<LoadedConfig>(const LoadedConfig& in_force)>;

  /// Where configurations are kept.
  struct Paths {
    std::string in_force;     ///< directory of the one in force, for the next vipd if this one dies
    std::string unconfirmed;  ///< file of an UnconfirmedConfig
  };

  /// `running` is what the Supervisor was built from; `worker` writes what is kept.
  Reloader(EventLoop& loop, Worker& worker, Supervisor& supervisor, Lifecycle& life, const Paths& paths, Load load,
           LoadedConfig running);

  /// Answers "reload", "diff" and "confirm", with an error document if something is wrong with `request`;
  /// nullopt if its verb is another's.
  std::optional<Json> answer(const Json& request);
  /// Reads the files and goes over to what they say; with `trial`, back again unless it is confirmed in that time. What
  /// came of it is in the document and in the log.
  Json reload(std::optional<Duration> trial = std::nullopt);
  /// Ends a trial because the daemon stops; the next vipd starts with the configuration before it.
  void stop();
  /// A vipd that comes after this one need not know of the configurations before, once all that they had is gone.
  void forget_older();
  /// When the configuration before comes back unless this one is confirmed; nullopt if nothing is on trial.
  std::optional<TimePoint> trial_ends() const;

 private:
  struct Trial {
    LoadedConfig before;
    TimePoint ends;
    EventLoop::Watch timer;
  };

  Json diff() const;
  Json confirm();
  /// Puts in force what is the running_ configuration now, after `before`; what it changed.
  Json follow(const LoadedConfig& before);
  /// The trial that a reload to `tried` begins or goes on with; nullopt if nothing is left to confirm. `length` counts
  /// from now on; without one a trial keeps its end. Fails if the way back cannot be kept: then nothing may change.
  Result<std::optional<Trial>> trial_of(const LoadedConfig& tried, std::optional<Duration> length);
  void give_up_trial();
  void keep();
  void tell_runner();

  EventLoop& loop_;
  Worker& worker_;
  Supervisor& supervisor_;
  Lifecycle& life_;
  ConfigHistory in_force_;
  UnconfirmedConfig unconfirmed_;
  bool is_kept_ = false;            // or about to be
  bool has_older_ = true;           // than what is in force
  std::vector<std::string> older_;  // their hashes, the newest first
  Load load_;
  LoadedConfig running_;
  std::optional<Trial> trial_;
};

}  // namespace vipd
