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
constexpr std::size_t kLinesKept = 10, kOctetsKept = 1024;
constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

/// What a program prints: its first lines go to the log, its last ones are kept for the outcome, and all between is
/// thrown away without being looked at twice.
class Printed {
 public:
  explicit Printed(std::string label) : label_(std::move(label)) {}

  void take(std::string_view text) {
    keep(text);
    while (!text.empty() && lines_ <= kLinesLogged) {
      const std::size_t end = text.find('\n');
      line_.append(text.substr(0, std::min(end, kLongestLine - line_.size())));
      if (end == std::string_view::npos) return;
      log_line();
      text.remove_prefix(end + 1);
    }
  }

  /// The program has ended: logs a last line without an end, and returns the last lines.
  std::vector<std::string> finish() {
    if (!line_.empty()) log_line();
    std::vector<std::string> lines;
    for (std::string_view rest = tail_; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      lines.push_back(printable(rest.substr(0, end)));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (lines.size() > kLinesKept) lines.erase(lines.begin(), lines.end() - kLinesKept);
    return lines;
  }

 private:
  void keep(std::string_view text) {
    tail_.append(text.substr(text.size() - std::min(text.size(), kOctetsKept)));
    if (tail_.size() > kOctetsKept) tail_.erase(0, tail_.size() - kOctetsKept);
  }

  void log_line() {
    if (++lines_ <= kLinesLogged) spdlog::info("{}: {}", label_, printable(line_));
    if (lines_ == kLinesLogged + 1)
      spdlog::warn("{}: prints more than {} lines; the rest is dropped", label_, kLinesLogged);
    line_.clear();
  }

  static std::string printable(std::string_view text) {
    std::string result(text);
    std::ranges::replace_if(result, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return result;
  }

  const std::string label_;
  std::string line_, tail_;
  std::size_t lines_ = 0;
};

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
  Child(const Command& wanted, Done then) : command(wanted), done(std::move(then)) {}

  Command command;
  Done done;
  Outcome outcome;
  pid_t pid = -1;
  TimePoint started{};
  Fd output;
  Printed printed{command.label};
  EventLoop::Watch output_watch, exit_watch, timer;
};

ProcessRunner::ProcessRunner(EventLoop& loop) : loop_(loop) {}

ProcessRunner::~ProcessRunner() {
  for (const auto& child : children_)
    if (child->pid > 0) ::kill(-child->pid, SIGKILL);
}

void ProcessRunner::run(const Command& command, Done done) {
  children_.push_back(std::make_unique<Child>(command, std::move(done)));
  Child& child = *children_.back();
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
  std::array<char, 65536> buffer;  // as much as a pipe holds
  const ssize_t size = ::read(child.output.get(), buffer.data(), buffer.size());
  if (size > 0) return child.printed.take({buffer.data(), static_cast<std::size_t>(size)});
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
  child.outcome.output = child.printed.finish();
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
