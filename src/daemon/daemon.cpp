#include "vipd/daemon/daemon.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "vipd/daemon/config_files.hpp"
#include "vipd/daemon/control_server.hpp"
#include "vipd/daemon/loaded_config.hpp"
#include "vipd/daemon/reloader.hpp"
#include "vipd/daemon/supervisor.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/raw_wire.hpp"
#include "vipd/os/rtnl_kernel.hpp"
#include "vipd/os/runner_client.hpp"

namespace vipd {
namespace {

/// How long a stop waits for a runner that is not there to run its hooks.
constexpr auto kPatienceAtStop = std::chrono::seconds(5);

/// Says on standard error what is wrong with the files; true if they can be used.
bool usable(const Result<LoadedConfig>& loaded, const std::string& path) {
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    if (loaded.error().code == ENOENT && ::access(path.c_str(), F_OK) != 0)
      std::fprintf(
          stderr,
          "hint: write one; /usr/share/doc/vipd/examples/pair.toml is a start, vipd.toml(5) describes all keys\n");
    if (loaded.error().code == EACCES)
      std::fprintf(stderr, "hint: the user that vipd runs as has to be able to read it: chown root:vipd, chmod 640\n");
    return false;
  }
  const bool color = ::isatty(STDERR_FILENO) != 0 && ::getenv("NO_COLOR") == nullptr;
  std::fputs(loaded->report(color).c_str(), stderr);
  return loaded->config.has_value();
}

/// Whoever can change the files can have programs run: as us, or as the runner's user.
Purpose purpose_of(const DaemonOptions& options) {
  return ::geteuid() == 0 || !options.runner.empty() ? Purpose::run : Purpose::check;
}

/// What root makes in the directory of user vipd (a last will by hand) must not lock that user out.
void hand_to_owner_of(const std::string& directory, const Fd& fd) {
  struct stat owner{}, file{};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &owner) < 0 || ::fstat(fd.get(), &file) < 0) return;
  if (file.st_nlink == 1 && file.st_uid != owner.st_uid) (void)!::fchown(fd.get(), owner.st_uid, owner.st_gid);
}

/// Held for as long as the process lives: one vipd for each runtime directory.
Result<Fd> lock_runtime_dir(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return system_failure("cannot make " + directory, errno);
  const std::string path = directory + "/vipd.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_failure("cannot open " + path, errno);
  hand_to_owner_of(directory, fd);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return failure("another vipd is running on " + directory + "; `vipctl status` asks it");
  return system_failure("cannot lock " + path, errno);
}

/// vipd-runner from the directory of this program. It starts in the root directory.
std::vector<std::string> runner_command(const DaemonOptions& options) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto config = std::filesystem::absolute(options.config, error);
  return {self.parent_path() / "vipd-runner", "--inherited", "--config", config};
}

/// Everything that lives from start to stop. Members are destroyed in reverse: whoever is called goes after its
/// callers.
class Daemon {
 public:
  Result<void> start(LoadedConfig loaded, const DaemonOptions& options);
  Result<int> run() { return loop_->run(); }

 private:
  Result<void> connect_runner(const DaemonOptions& options);
  Result<void> connect_loop();
  void after_turn();
  void begin_stop();
  void notify_status();

  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<RtnlKernel> kernel_;
  std::unique_ptr<RawWire> wire_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<RunnerProcess> runner_process_;
  std::unique_ptr<RunnerClient> runner_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<ControlServer> control_;
  std::uint64_t notified_ = 0;
  bool exiting_ = false;
};

Result<void> Daemon::start(LoadedConfig loaded, const DaemonOptions& options) {
  const Config config = *loaded.config;
  auto loop = EventLoop::create();
  if (!loop) return std::unexpected(loop.error());
  loop_ = std::move(*loop);
  auto kernel =
      RtnlKernel::open(*loop_, [this](const auto& names) { supervisor_->network_changed(names, loop_->now()); });
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = std::move(*kernel);
  auto wire =
      RawWire::open(*loop_, [this](const Datagram& datagram) { supervisor_->received(datagram, loop_->now()); });
  if (!wire) return std::unexpected(wire.error());
  wire_ = std::move(*wire);
  if (const auto runner = connect_runner(options); !runner) return runner;
  supervisor_ =
      std::make_unique<Supervisor>(config, *kernel_, *wire_, *runner_, options.runtime_dir + "/hooks.journal");
  const DaemonInfo info{.host = host_name(), .started = loop_->now(), .pid = ::getpid()};
  reloader_ = std::make_unique<Reloader>(
      *loop_, *supervisor_, options.state_dir + "/history",
      [path = options.config, purpose = purpose_of(options)] { return load_config(path, purpose); }, std::move(loaded));
  auto control = ControlServer::open(*loop_, options.runtime_dir + "/control.sock", *supervisor_, *reloader_, info);
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  if (const auto connected = connect_loop(); !connected) return connected;

  const std::size_t count = config.instances.size();
  spdlog::info("vipd {} starts {} instance{}", VIPD_VERSION, count, count == 1 ? "" : "s");
  supervisor_->start(loop_->now());
  after_turn();
  sd_notify(0, "READY=1");
  return {};
}

/// Of a vipd that systemd starts, the runner is a unit of its own; one that is started by hand starts it itself.
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
  if (const auto r = loop_->after_each([this] { after_turn(); }); !r) return r;
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
  if (exiting_ && supervisor_->stopped()) loop_->exit(kExitOk);
}

void Daemon::begin_stop() {
  if (exiting_) return;
  exiting_ = true;
  spdlog::info("stopping: {}", summary_line(*supervisor_));
  sd_notify(0, "STOPPING=1");
  supervisor_->stop(loop_->now());
  runner_->give_up_after(kPatienceAtStop);
}

void Daemon::notify_status() { sd_notifyf(0, "STATUS=%s", summary_line(*supervisor_).c_str()); }

/// What --last-will says to the peers of an instance whose addresses it removed.
void resign_for(const InstanceConfig& instance, Kernel& kernel) {
  class NoPrograms final : public Runner {
    void run(const Command&, Done) override {}
  } runner;
  auto wire = RawWire::open_for_sending();
  const Interface* interface = kernel.view().find(instance.interface);
  if (!wire || interface == nullptr) return;
  NodeHooks hooks(runner);
  EventLog events;
  VirtualRouter router(instance, kernel, **wire, hooks, events);
  if (!(*wire)->listen(interface->index, instance.family(), {}, false)) return;
  router.resign_for_the_dead();
}

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

int last_will(const DaemonOptions& options) {
  start_log();
  const auto loaded = load_config(options.config, Purpose::clean_up);
  if (!usable(loaded, options.config)) return kExitConfig;
  const auto lock = lock_runtime_dir(options.runtime_dir);
  if (!lock) {
    spdlog::error("{}; it needs no last will", lock.error().message);
    return kExitFailure;
  }
  auto kernel = RtnlKernel::open_once();
  if (!kernel) {
    spdlog::error("{}", kernel.error().message);
    return kExitFailure;
  }
  for (const auto* instance : remove_tagged(loaded->config->instances, **kernel)) {
    spdlog::warn("{}: removed what vipd left behind", instance->name);
    resign_for(*instance, **kernel);
  }
  return kExitOk;
}

int run_daemon(const DaemonOptions& options) {
  start_log();
  block_signals();
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  auto loaded = load_config(options.config, purpose_of(options));
  if (!usable(loaded, options.config)) return kExitConfig;
  const auto lock = lock_runtime_dir(options.runtime_dir);
  if (!lock) {
    spdlog::error("{}", lock.error().message);
    return kExitFailure;
  }
  Daemon daemon;
  if (const auto started = daemon.start(*std::move(loaded), options); !started) {
    spdlog::error("{}", started.error().message);
    return kExitFailure;
  }
  const auto status = daemon.run();
  if (!status)
    spdlog::error("{}", status.error().message);
  else
    spdlog::info("stopped");
  return status ? *status : kExitFailure;
}

}  // namespace vipd
