/// Reloader: from the files on disk to the configuration in force, and back.
///
/// The configuration in force comes from the files at a start and at a reload, and at no other time. So the files may
/// differ from it: they were edited and not reloaded, were refused, or were on trial. The Reloader remembers whether
/// they differed when it last read them; status shows it.
///
/// SIGHUP, `systemctl reload` and `vipctl reload` take one path: read, check, plan. Only if all of that succeeds does
/// the Supervisor apply the new configuration. An error is reported and changes nothing. A record of the configuration
/// in force is kept for the next vipd.
///
/// The event loop waits neither for a long file nor for a disk (docs/decisions/0022). One Worker reads, judges and
/// compares; another Worker writes. The loop takes their results and decides. A request that comes meanwhile waits for
/// its turn. It asks the Lifecycle when its turn has come, and again before anything changes. A stop answers all
/// requests that wait. If a trial goes back while the reader compares, the reader begins anew.
///
/// The Runner is told which configurations are served before the Supervisor applies a new one. These are the new
/// configuration, the configuration that a trial leads back to, and those of routers that are about to go.
///
/// A reload can be on trial: unless somebody confirms it in time, the previous configuration comes back by the same
/// path. Only confirm() makes the configuration on trial permanent. A further reload puts the files in force, and the
/// trial goes on: the way back leads to the configuration before the first reload of the trial. A stop, a crash and a
/// boot end the trial, too; UnconfirmedConfig makes the next vipd start with the configuration before it.
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
  /// Reads the files anew, see load_config(); fails if a file cannot be read. The reader's thread calls it.
  using Load = std::function<Result<LoadedConfig>(const LoadedConfig& in_force)>;
  /// Takes the answer to a request, in a turn of the loop.
  using Reply = std::function<void(Json answer)>;

  /// The records of the configuration that the next vipd finds.
  struct Kept {
    ConfigHistory in_force;         ///< the configuration in force, in case this vipd dies
    UnconfirmedConfig unconfirmed;  ///< the trial that is not confirmed
  };
  /// The workers for long work; neither waits for the other.
  struct Workers {
    Worker& reader;  ///< reads, judges and compares configurations
    Worker& disk;    ///< writes the records
  };

  /// `running` is the configuration from which the Supervisor was built.
  Reloader(EventLoop& loop, Workers workers, Supervisor& supervisor, Lifecycle& life, Kept kept, Load load,
           LoadedConfig running);

  /// Tells `reply` what a reload would change. `reply` gets an error document if the request is refused.
  void diff(const Reply& reply);
  /// Ends a trial: the configuration in force stays. `reply` gets an error document if the request is refused.
  void confirm(const Reply& reply);
  /// Reads the files and puts them in force. With `trial`, the previous configuration comes back unless somebody
  /// confirms the reload in that time. The log and the document that `reply` gets have the result.
  void reload(std::optional<Duration> trial = std::nullopt, Reply reply = {});
  /// Queues a re-exec behind earlier requests. If the Lifecycle allows it when its turn comes, `reply` gets the result
  /// of `answer`. No file is read.
  void prepare_reexec(std::function<Json()> answer, Reply reply);
  /// Ends a trial because the daemon stops, and answers all waiting requests. The next vipd starts with the
  /// configuration before the trial.
  void stop();
  /// Deletes the records of earlier configurations, once the kernel has none of their objects any more.
  void forget_older();
  /// Facts about the configuration in force that are not part of it.
  ConfigState state() const;
  /// The configuration in force, for the program that takes over.
  KeptConfig in_force() const;

 private:
  using SharedLoaded = std::shared_ptr<const LoadedConfig>;
  /// The changes from one configuration to another.
  struct Changes {
    bool none = true;  // true while the two configurations are equal
    Plan plan;
    Json list = Json::array();  // the changes as an answer has them, without their effects
  };
  /// The result of the reader.
  struct Judged {
    SharedLoaded base;           // the configuration in force when the reader began
    SharedLoaded loaded;         // null if a file cannot be read
    Json answer;                 // the answer to the client, without its schema and the changes
    Changes changes;             // the changes from `base` to `loaded`
    Changes way_back;            // the changes from `loaded` to the configuration that a trial leads back to
    bool says_the_same = false;  // true if the files are those of `base`
    bool usable() const { return loaded && loaded->config; }
  };
  struct Trial {
    SharedLoaded before;
    Changes way_back;
    TimePoint ends;
    EventLoop::Watch timer;
  };
  /// A request that has no answer yet.
  struct Job {
    LifeEvent event;
    Reply reply;  // takes the answer; empty for SIGHUP
    std::optional<Duration> trial = {};
    std::function<Json()> answer = {};  // makes the answer to a re-exec
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
  bool has_unconfirmed_;  // true while the file of `unconfirmed_` exists, or is about to
  bool is_kept_ = false;  // true while the configuration in force is kept, or about to be
  Loss loss_{"after a crash, objects that the files no longer name may stay in the kernel"};
  bool has_older_ = true;           // true while records of earlier configurations exist
  bool on_disk_;                    // true if the files were those in force when they were last read
  std::vector<std::string> older_;  // hashes of earlier configurations that are served, newest first
  Load load_;
  SharedLoaded running_;
  std::optional<Trial> trial_;
  std::deque<Job> jobs_;    // requests; the first is being worked on
  bool busy_ = false;       // true while a worker works on the first request
  std::uint64_t turn_ = 0;  // counts up; the result of a worker counts only in the turn in which it began
};

}  // namespace vipd
