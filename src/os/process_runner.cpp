#include "vipd/os/process_runner.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "vipd/os/fd.hpp"

namespace vipd {
namespace {

constexpr auto kGrace = std::chrono::seconds(2);  // between SIGTERM and SIGKILL
constexpr std::size_t kLinesLogged = 100;
constexpr std::size_t kLongestLine = 1000;
constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

/// What the child does between fork and exec.
class SpawnSetup {
 public:
  explicit SpawnSetup(int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

std::string to_string(const Outcome& outcome) {
  if (!outcome.error.empty()) return outcome.error;
  const std::string took = format_duration(outcome.took);
  if (outcome.timed_out) return "timed out, ended after " + took;
  if (outcome.signal != 0) return "killed by signal " + std::to_string(outcome.signal) + " after " + took;
  if (outcome.exit_status != 0) return "exit status " + std::to_string(outcome.exit_status) + " after " + took;
  return "ok in " + took;
}

struct ProcessRunner::Child {
  Command command;
  Done done;
  Outcome outcome;
  pid_t pid = -1;
  TimePoint started{};
  Fd output;
  std::string partial_line;
  std::size_t lines = 0;
  EventLoop::Watch output_watch, exit_watch, timer;

  void log_line(std::string_view line) {
    if (++lines <= kLinesLogged) spdlog::info("{}: {}", command.label, line);
    if (lines == kLinesLogged + 1)
      spdlog::warn("{}: prints more than {} lines; the rest is dropped", command.label, kLinesLogged);
  }

  void take_output(std::string_view text) {
    for (const char c : text) {
      if (c == '\n') {
        log_line(partial_line);
        partial_line.clear();
      } else if (partial_line.size() < kLongestLine) {
        partial_line.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
      }
    }
  }
};

ProcessRunner::ProcessRunner(EventLoop& loop) : loop_(loop) {}

ProcessRunner::~ProcessRunner() {
  for (const auto& child : children_)
    if (child->pid > 0) ::kill(-child->pid, SIGKILL);
}

void ProcessRunner::run(const Command& command, Done done) {
  children_.push_back(std::make_unique<Child>());
  Child& child = *children_.back();
  child.command = command;
  child.done = std::move(done);
  child.started = loop_.now();
  if (const auto started = start(child); started)
    return;
  else
    child.outcome.error = started.error().message;
  auto later = loop_.after(Duration::zero(), [this, &child] { answer(child); });
  if (later) child.timer = std::move(*later);
}

Result<void> ProcessRunner::start(Child& child) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return system_failure("cannot make a pipe", errno);
  child.output = Fd(ends[0]);
  const Fd write_end(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);

  const SpawnSetup setup(write_end.get());
  std::vector<std::string> environment = child.command.environment;
  environment.emplace_back(kPath);
  const auto argv = pointers(child.command.arguments), envp = pointers(environment);
  const int error = ::posix_spawn(&child.pid, argv[0], &setup.actions, &setup.attributes, argv.data(), envp.data());
  if (error != 0) {
    child.pid = -1;
    return system_failure("cannot run " + child.command.arguments[0], error);
  }
  auto output = loop_.watch(child.output.get(), EPOLLIN, Urgency::rest, [this, &child] { read_output(child); });
  auto exited =
      loop_.child(child.pid, [this, &child](const siginfo_t& info) { on_exit(child, info.si_code, info.si_status); });
  auto timer = loop_.after(child.command.timeout, [this, &child] { on_timeout(child); });
  if (!output || !exited || !timer) {
    ::kill(-child.pid, SIGKILL);
    return failure("cannot watch " + child.command.arguments[0]);
  }
  child.output_watch = std::move(*output);
  child.exit_watch = std::move(*exited);
  child.timer = std::move(*timer);
  return {};
}

void ProcessRunner::read_output(Child& child) {
  std::array<char, 16384> buffer;
  const ssize_t size = ::read(child.output.get(), buffer.data(), buffer.size());
  if (size > 0) return child.take_output({buffer.data(), static_cast<std::size_t>(size)});
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  child.output_watch = {};  // closed
}

void ProcessRunner::on_timeout(Child& child) {
  const bool again = child.outcome.timed_out;
  spdlog::warn("{}: still running after {}; sending {}", child.command.label,
               format_duration(loop_.now() - child.started), again ? "SIGKILL" : "SIGTERM");
  child.outcome.timed_out = true;
  ::kill(-child.pid, again ? SIGKILL : SIGTERM);
  if (again) return;
  if (auto timer = loop_.after(kGrace, [this, &child] { on_timeout(child); })) child.timer = std::move(*timer);
}

void ProcessRunner::on_exit(Child& child, int code, int status) {
  if (child.outcome.timed_out) ::kill(-child.pid, SIGKILL);  // what it left behind in its group
  if (code == CLD_EXITED)
    child.outcome.exit_status = status;
  else
    child.outcome.signal = status;
  child.pid = -1;
  read_output(child);
  if (!child.partial_line.empty()) child.log_line(child.partial_line);
  answer(child);
}

void ProcessRunner::answer(Child& child) {
  child.outcome.took = loop_.now() - child.started;
  const auto it = std::ranges::find_if(children_, [&](const auto& each) { return each.get() == &child; });
  const std::unique_ptr<Child> keep = std::move(*it);
  children_.erase(it);
  keep->done(keep->outcome);
}

}  // namespace vipd
