#include "vipd/daemon/daemon.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "vipd/daemon/control_server.hpp"
#include "vipd/daemon/directories.hpp"
#include "vipd/daemon/hand_over.hpp"
#include "vipd/daemon/lifecycle.hpp"
#include "vipd/daemon/reloader.hpp"
#include "vipd/load/config_files.hpp"
#include "vipd/load/loaded_config.hpp"
#include "vipd/node/supervisor.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/raw_wire.hpp"
#include "vipd/os/rtnl_kernel.hpp"
#include "vipd/os/runner_client.hpp"
#include "vipd/os/scheduling.hpp"
#include "vipd/os/worker.hpp"

namespace vipd {
namespace {

/// How long a stop waits for a missing runner to run its hooks.
constexpr auto kPatienceAtStop = std::chrono::seconds(5);

/// A user who can change the files can have programs run as root, by vipd or by its runner.
Purpose purpose_of(const DaemonOptions& options) {
  return ::geteuid() == 0 || !options.runner.empty() ? Purpose::run : Purpose::check;
}

/// The path from which this program was started; another file may be there by now, proc(5).
std::filesystem::path program_file() {
  constexpr std::string_view kReplaced = " (deleted)";
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (path.ends_with(kReplaced)) path.erase(path.size() - kReplaced.size());
  return path;
}

/// The command that starts vipd-runner from the directory of this program. All paths are absolute, since it runs in /.
std::vector<std::string> runner_command(const DaemonOptions& options) {
  std::error_code error;
  const auto config = std::filesystem::absolute(options.config, error);
  const auto runtime_dir = std::filesystem::absolute(options.runtime_dir, error);
  return {program_file().parent_path() / "vipd-runner",
          "--inherited",
          "--config",
          config,
          "--runtime-dir",
          runtime_dir,
          "--state-dir",
          runner_state_dir(options)};
}

/// The configuration with which a program takes over. Does not return if the previous program goes on.
Result<LoadedConfig> begin_with_what_was_in_force(HandOver& left, const DaemonOptions& options) {
  const auto kept = was_in_force(left, options);
  if (!kept) return failure("there is no record of it");
  LoadedConfig loaded = load_kept(options.config, *kept, Purpose::go_on);
  if (loaded.config) return loaded;
  const std::string refusal = "vipd " VIPD_VERSION " does not accept it:\n" + loaded.report(false);
  log_error("the configuration in force cannot go on: {}", refusal);
  const Error why = give_back(std::move(left), options.arguments);
  return failure(refusal + why.message);
}

/// The configuration to begin with: the files at a start, the configuration in force at a re-exec.
Result<LoadedConfig> begin(std::optional<HandOver>& left, const DaemonOptions& options) {
  const Purpose purpose = purpose_of(options);
  if (left) {
    auto loaded = begin_with_what_was_in_force(*left, options);
    if (loaded) return loaded;
    log_error("the files come into force, since the record of the configuration in force is lost: {}",
              loaded.error().message);
  }
  return last_confirmed(load_config(options.config, purpose), purpose, options);
}

void say_how_it_goes_on(const LoadedConfig& loaded, const HandOver& left, const std::string& config) {
  if (left.given_back)
    log_error("the program on the disk did not accept the configuration in force; the previous program goes on");
  if (!loaded.on_disk)
    log_warning(
        "the configuration in force goes on; {} or a file beside it differs and is not in force: `vipctl diff` "
        "shows it, `vipctl reload` puts it in force",
        config);
}

/// Everything that lives from start to stop. Members are destroyed in reverse order, so a callee outlives its callers.
class Daemon {
 public:
  /// `before`: see Supervisor::start(). `left`: see take_over().
  Result<void> start(LoadedConfig loaded, const std::vector<InstanceConfig>& before, HandOver left,
                     const DaemonOptions& options);
  Result<int> run() { return loop_->run(); }

 private:
  Result<void> connect_runner(const DaemonOptions& options);
  Result<void> connect_loop();
  void after_turn();
  Result<void> begin_reexec();
  void reexec();
  Error replace_program();
  void begin_stop();
  void finish_stop();
  void notify_status();

  Fd lock_;  // the lock of the runtime directory; it is released last
  Lifecycle life_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<RtnlKernel> kernel_;
  std::unique_ptr<RawWire> wire_;
  FileStore store_;
  std::unique_ptr<ClaimStore> claims_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<RunnerProcess> runner_process_;
  std::unique_ptr<RunnerClient> runner_;
  std::unique_ptr<Worker> reader_, disk_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<ControlServer> control_;
  std::vector<std::string> arguments_;
  DaemonInfo info_;
  std::uint64_t notified_ = 0;
};

Result<void> Daemon::start(LoadedConfig loaded, const std::vector<InstanceConfig>& before, HandOver left,
                           const DaemonOptions& options) {
  lock_ = std::move(left.lock);
  auto loop = EventLoop::create();
  if (!loop) return std::unexpected(loop.error());
  loop_ = std::move(*loop);
  auto kernel =
      RtnlKernel::open(*loop_, [this](const auto& names) { supervisor_->network_changed(names, loop_->now()); });
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = std::move(*kernel);
  auto wire = RawWire::open(
      *loop_, [this](const Datagram& datagram) { supervisor_->received(datagram, loop_->now()); },
      [this](const Datagram& datagram) { supervisor_->overheard(datagram, loop_->now()); });
  if (!wire) return std::unexpected(wire.error());
  wire_ = std::move(*wire);
  if (const auto runner = connect_runner(options); !runner) return runner;
  claims_ = std::make_unique<ClaimStore>(store_, claims_path(options));
  supervisor_ = std::make_unique<Supervisor>(loaded.config, *kernel_, *wire_, *runner_, *claims_,
                                             HookJournal(store_, journal_path(options)));
  arguments_ = options.arguments;
  info_ = {.host = host_name(),
           .started = loop_->now(),
           .pid = ::getpid(),
           .program = program_file(),
           .config = std::filesystem::absolute(options.config),
           .given_back = left.given_back};
  const auto load = [path = options.config, purpose = purpose_of(options)](const LoadedConfig& in_force) {
    return load_config(path, purpose, in_force);
  };
  const Reloader::Kept kept = {.in_force = {store_, in_force_path(options)},
                               .unconfirmed = {store_, unconfirmed_path(options)}};
  for (auto* each : {&reader_, &disk_}) {
    auto worker = Worker::create(*loop_);
    if (!worker) return std::unexpected(worker.error());
    *each = std::move(*worker);
  }
  const Reloader::Workers workers = {.reader = *reader_, .disk = *disk_};
  reloader_ = std::make_unique<Reloader>(*loop_, workers, *supervisor_, life_, kept, load, std::move(loaded));
  auto control = ControlServer::open(
      *loop_, options.runtime_dir + "/control.sock", std::move(left.listener), *supervisor_, *reloader_, *reader_,
      [this] { return begin_reexec(); }, info_);
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  if (const auto connected = connect_loop(); !connected) return connected;

  const std::size_t count = supervisor_->config().instances.size();
  log_info("vipd {} starts {} instance{}", VIPD_VERSION, count, count == 1 ? "" : "s");
  supervisor_->start(loop_->now(), before);
  ::malloc_trim(0);  // parsing has freed much memory, which goes back to the kernel
  (void)life_.take(LifeEvent::started);
  after_turn();
  sd_notify(0, "READY=1");
  return {};
}

/// Under systemd the runner is a unit of its own; a vipd that is started by hand starts it itself.
Result<void> Daemon::connect_runner(const DaemonOptions& options) {
  if (!options.runner.empty()) {
    runner_ = std::make_unique<RunnerClient>(*loop_, [path = options.runner] { return connect_to(path); });
    return {};
  }
  auto process = RunnerProcess::create(*loop_, runner_command(options));
  if (!process) return std::unexpected(process.error());
  runner_process_ = std::move(*process);
  runner_ = std::make_unique<RunnerClient>(*loop_, [this] { return runner_process_->connect(); });
  return {};
}

Result<void> Daemon::connect_loop() {
  for (const int signal : {SIGTERM, SIGINT})
    if (const auto r = loop_->on_signal(signal, [this] { begin_stop(); }); !r) return r;
  if (const auto r = loop_->on_signal(SIGHUP, [this] { reloader_->reload(); }); !r) return r;
  if (const auto r = loop_->on_deadline([this] { supervisor_->on_deadline(loop_->now()); }); !r) return r;
  loop_->after_each([this] { after_turn(); });
  loop_->feed_watchdog();
  return {};
}

void Daemon::after_turn() {
  loop_->set_deadline(supervisor_->deadline());
  if (notified_ != supervisor_->events().last_sequence()) {
    notified_ = supervisor_->events().last_sequence();
    notify_status();
    control_->publish();
  }
  const bool stops = life_.phase() == Phase::stopping;
  if (!stops) reloader_->forget_older();
  if (stops && supervisor_->stopped()) finish_stop();
  if (life_.phase() == Phase::handing_over && reader_->idle() && disk_->idle()) reexec();
}

Result<void> Daemon::begin_reexec() {
  if (::access(info_.program.c_str(), X_OK) < 0) return system_failure("cannot run " + info_.program, errno);
  return life_.take(LifeEvent::reexec);
}

/// If the kernel refuses the new program, the configuration in force stays in force.
void Daemon::reexec() {
  log_info("goes on as {}", info_.program);
  log_error("{}; the running program goes on", replace_program().message);
  (void)life_.take(LifeEvent::exec_failed);
}

/// Runs the new program in this process; returns only if that fails.
Error Daemon::replace_program() {
  auto in_force = in_sealed_memory(to_record(reloader_->in_force()));
  if (!in_force) return in_force.error();
  const HandOver left = {.listener = Fd(::fcntl(control_->listener(), F_DUPFD_CLOEXEC, 0)),
                         .lock = Fd(::fcntl(lock_.get(), F_DUPFD_CLOEXEC, 0)),
                         .in_force = *std::move(in_force),
                         .program = Fd(::open("/proc/self/exe", O_PATH | O_CLOEXEC))};
  supervisor_->hand_over(loop_->now());
  return hand_over(left, info_.program, arguments_);
}

void Daemon::begin_stop() {
  if (const auto begun = life_.take(LifeEvent::stop); !begun)
    return log_warning("a further signal changes nothing: {}: {}", begun.error().message, summary_line(*supervisor_));
  log_info("stopping: {}", summary_line(*supervisor_));
  sd_notify(0, "STOPPING=1");
  reloader_->stop();
  supervisor_->stop(loop_->now());
  runner_->give_up_after(kPatienceAtStop);
}

/// Objects that the kernel has not removed in time are left to `vipd --last-will`; systemd sees a failure.
void Daemon::finish_stop() {
  const std::string left = supervisor_->left_behind();
  if (!left.empty())
    log_error("the kernel does not remove {}; this is left to `vipd --last-will`, or to the next start", left);
  loop_->exit(left.empty() ? kExitOk : kExitFailure);
}

void Daemon::notify_status() { sd_notifyf(0, "STATUS=%s", summary_line(*supervisor_).c_str()); }

}  // namespace

int check_config(const DaemonOptions& options) {
  const auto loaded = load_config(options.config, Purpose::check);
  if (!usable(loaded, options.config)) return kExitConfig;
  const auto counted = [](std::size_t count, const char* noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
  };
  const std::size_t warnings = loaded->diagnostics.size() + loaded->omitted;
  const bool refused = options.strict && warnings > 0;
  std::printf("%s: %s, %s, %s\n", options.config.c_str(), refused ? "refused" : "ok",
              counted(loaded->config->instances.size(), "instance").c_str(), counted(warnings, "warning").c_str());
  if (!loaded->overrides.empty()) std::printf("%s\n", loaded->overrides.c_str());
  return refused ? kExitConfig : kExitOk;
}

int run_daemon(const DaemonOptions& options) {
  start_log();
  block_signals();
  wake_promptly();
  stay_in_memory();
  auto left = take_over();
  auto loaded = begin(left, options);
  if (!usable(loaded, options.config)) return kExitConfig;
  if (left) say_how_it_goes_on(*loaded, *left, options.config);
  HandOver taken = left ? *std::move(left) : HandOver{};
  auto lock = lock_runtime_dir(options.runtime_dir, std::move(taken.lock));
  if (!lock) {
    log_error("{}", lock.error().message);
    return kExitFailure;
  }
  taken.lock = *std::move(lock);
  say_overrides(*loaded);
  Daemon daemon;
  const auto before = instances_before(*loaded, options);
  if (const auto started = daemon.start(*std::move(loaded), before, std::move(taken), options); !started) {
    log_error("{}", started.error().message);
    return kExitFailure;
  }
  const auto status = daemon.run();
  if (!status)
    log_error("{}", status.error().message);
  else
    log_info("stopped");
  return status ? *status : kExitFailure;
}

}  // namespace vipd
