/// Reloader: from the files on disk to the configuration in force, and back.
///
/// The configuration in force comes from the files at a start and at a reload, and at no other time. So the files may
/// say something else: they are edited and not reloaded, were refused, or were on trial. The Reloader knows that as of
/// its last look at them; status shows it.
///
/// One path for SIGHUP, `systemctl reload` and `vipctl reload`: read, check, plan, and only if all of that went well
/// let the Supervisor apply it. Anything wrong is reported and changes nothing. What is in force is kept for the next
/// vipd. Callers: the daemon, for signals and for a re-exec, and the ControlServer, for the verbs of vipctl.
///
/// The event loop waits neither for a long file nor for a disk (docs/decisions/0022). One Worker reads, judges and
/// compares, another one writes. The loop takes what they have found and decides. A request that comes meanwhile waits
/// for its turn, in the order in which it came, and asks the Lifecycle when its turn has come and again before anything
/// changes. A stop answers all that waits. Where a trial goes back while the reader compares, the reader begins anew.
///
/// The Runner is told the hash of what is in force before the Supervisor applies it, with those of the configurations
/// whose programs may still be wanted: the one that a trial leads back to, and those of routers that are about to go.
///
/// A reload can be on trial: unless it is confirmed in time, the configuration before it comes back by itself, by the
/// same path. Only confirm() ends the trial in favour of what is on trial. A further reload puts in force what the
/// files say, and the trial goes on: the way back leads to what was in force before the first of them. A stop, a crash
/// and a boot end the trial, too; UnconfirmedConfig makes the next vipd start with the configuration before it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/plan.hpp"
#include "vipd/daemon/lifecycle.hpp"
#include "vipd/daemon/status.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/load/loaded_config.hpp"
#include "vipd/node/supervisor.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/json.hpp"
#include "vipd/os/worker.hpp"

namespace vipd {

class Reloader {
 public:
  /// Reads the files anew, see load_config(); fails when one cannot be read. Called in the reader's thread.
  using Load = std::function<Result<LoadedConfig>(const LoadedConfig& in_force)>;
  /// Takes the answer to a request, in a turn of the loop.
  using Reply = std::function<void(Json answer)>;

  /// What the next vipd finds of the configuration.
  struct Kept {
    ConfigHistory in_force;  ///< the configuration in force, for the case that this vipd dies
    UnconfirmedConfig unconfirmed;
  };
  /// Long work runs there; neither worker waits for the other.
  struct Workers {
    Worker& reader;  ///< reads, judges and compares configurations
    Worker& disk;    ///< writes what is kept
  };

  /// `running` is what the Supervisor was built from.
  Reloader(EventLoop& loop, Workers workers, Supervisor& supervisor, Lifecycle& life, Kept kept, Load load,
           LoadedConfig running);

  /// Tells what a reload would change. `reply` gets an error document if that is refused.
  void diff(const Reply& reply);
  /// Ends a trial: what is in force stays so. `reply` gets an error document if that is refused.
  void confirm(const Reply& reply);
  /// Reads the files and goes over to what they say; with `trial`, back again unless it is confirmed in that time. What
  /// came of it is in the log, and in the document that `reply` gets.
  void reload(std::optional<Duration> trial = std::nullopt, Reply reply = {});
  /// A re-exec takes its turn behind what has been asked before. If the Lifecycle allows it then, `reply` gets what
  /// `answer` says. No file is read.
  void prepare_reexec(std::function<Json()> answer, Reply reply);
  /// Ends a trial because the daemon stops, and answers all that waits; the next vipd starts with the configuration
  /// before it.
  void stop();
  /// A vipd that comes after this one need not know of the configurations before, once all that they had is gone.
  void forget_older();
  /// Facts about the configuration in force that it does not say itself.
  ConfigState state() const;
  /// What is in force, for the program that takes over.
  KeptConfig in_force() const;

 private:
  using SharedLoaded = std::shared_ptr<const LoadedConfig>;
  /// From one configuration to another.
  struct Changes {
    bool none = true;  // the two configurations are equal
    Plan plan;
    Json list = Json::array();  // as in an answer, without the effects
  };
  /// What the reader has found.
  struct Judged {
    SharedLoaded base;           // what was in force when the reader began
    SharedLoaded loaded;         // null if a file cannot be read
    Json answer;                 // without its schema and without changes
    Changes changes;             // from `base` to `loaded`
    Changes way_back;            // from `loaded` to what a trial leads back to
    bool says_the_same = false;  // the files say what `base` says
    bool usable() const { return loaded && loaded->config; }
  };
  struct Trial {
    SharedLoaded before;
    Changes way_back;
    TimePoint ends;
    EventLoop::Watch timer;
  };
  /// What was asked for and has no answer yet.
  struct Job {
    LifeEvent event;
    Reply reply;  // none: SIGHUP
    std::optional<Duration> trial = {};
    std::function<Json()> answer = {};  // of a re-exec
  };

  static Changes changes_between(const LoadedConfig& before, const LoadedConfig& after);
  static Judged judge(const Load& load, SharedLoaded base, SharedLoaded confirmed);
  void ask(Job job);
  void go_on();
  void begin();
  void read();
  void write(std::function<Result<void>()> work, std::function<void(Result<void>)> then);
  void take_up(const std::shared_ptr<Judged>& judged);
  void finish(Json answer);
  bool is_refused(LifeEvent event);
  Json difference(Judged& judged) const;
  void prepare_trial(const std::shared_ptr<Judged>& judged);
  void put_in_force(Judged& judged, bool on_trial);
  void begin_confirm();
  void end_confirm(const Result<void>& dropped);
  Result<void> set_timer(Trial& trial);
  Json follow(const LoadedConfig& before, Changes changes);
  void give_up_trial();
  void keep();
  void tell_runner();

  EventLoop& loop_;
  Workers workers_;
  Supervisor& supervisor_;
  Lifecycle& life_;
  ConfigHistory in_force_;
  UnconfirmedConfig unconfirmed_;
  bool has_unconfirmed_;  // its file is there, or about to be
  bool is_kept_ = false;  // or about to be
  Loss loss_{"after a crash, objects that the files no longer name may stay in the kernel"};
  bool has_older_ = true;           // than what is in force
  bool on_disk_;                    // the files said what is in force when they were read last
  std::vector<std::string> older_;  // their hashes, the newest first
  Load load_;
  SharedLoaded running_;
  std::optional<Trial> trial_;
  std::deque<Job> jobs_;    // the first one is being worked on
  bool busy_ = false;       // a worker has something of the first one
  std::uint64_t turn_ = 0;  // what a worker brings back of an earlier one counts no more
};

}  // namespace vipd
