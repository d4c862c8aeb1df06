#include "vipd/os/process_runner.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>

#include "vipd/os/fd.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/process_tree.hpp"
#include "vipd/os/runner_protocol.hpp"
#include "vipd/os/spawn.hpp"

namespace vipd {
namespace {

// the outcome of the previous program is reported first
constexpr auto kBeforeNextKeeper = std::chrono::milliseconds(2);
constexpr auto kBetweenSweeps = std::chrono::milliseconds(5);
constexpr int kMostSweeps = 2000;
constexpr std::size_t kLinesLogged = 100;
constexpr std::size_t kLongestLine = 1000;
constexpr std::size_t kLinesKept = 10, kOctetsKept = 1024;
constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The output of a program: its first lines go to the log, its last lines into the outcome, and the rest is dropped.
class Printed {
 public:
  Printed(std::string label, bool quiet) : label_(std::move(label)), quiet_(quiet) {}

  void take(std::string_view text) {
    keep(text);
    while (!quiet_ && !text.empty() && lines_ <= kLinesLogged) {
      const std::size_t end = text.find('\n');
      line_.append(text.substr(0, std::min(end, kLongestLine - line_.size())));
      if (end == std::string_view::npos) return;
      log_line();
      text.remove_prefix(end + 1);
    }
  }

  /// To be called when the program has ended: logs a last line without a newline, and returns the last lines.
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
    if (++lines_ <= kLinesLogged) log_info("{}: {}", label_, printable(line_));
    if (lines_ == kLinesLogged + 1)
      log_warning("{}: prints more than {} lines; the rest is dropped", label_, kLinesLogged);
    line_.clear();
  }

  static std::string printable(std::string_view text) {
    std::string result(text);
    std::ranges::replace_if(result, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return result;
  }

  const std::string label_;
  const bool quiet_;
  std::string line_, tail_;
  std::size_t lines_ = 0;
};

/// A keeper's report of its program, sent once.
struct Report {
  int error = 0;   // errno if the program could not be started
  int status = 0;  // wait status, waitpid(2)
};

/// Closes all descriptors except standard input, output and error and these.
void close_all_but(std::array<int, 3> kept) {
  std::ranges::sort(kept);
  unsigned next = STDERR_FILENO + 1;
  for (const auto one : kept) {
    if (const auto fd = static_cast<unsigned>(one); fd > next) ::close_range(next, fd - 1, 0);
    next = static_cast<unsigned>(one) + 1;
  }
  ::close_range(next, ~0U, 0);
}

/// Waits for the command that vipd-runner sends; nullopt if the pipe closes first.
std::optional<Command> await_command(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t size = 0; (size = ::read(fd, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  const auto request = read_request(parse_json(text));
  return request ? std::optional(request->command) : std::nullopt;
}

/// The keeper's life: waits for a command, starts the program, reports how it ended, and stays as the ancestor of its
/// remaining descendants until killed. Never returns.
[[noreturn]] void keep(pid_t runner, int command, int output, int report_end) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
  // If the runner has died already, no signal comes, and this process would keep the runner's connection to vipd open.
  if (::getppid() != runner) ::_exit(1);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
  ::prctl(PR_SET_NAME, "vipd-keeper", 0UL, 0UL, 0UL);
  close_all_but({command, output, report_end});
  // fails on purpose, but touches all memory that a spawn needs
  if (spawn({.arguments = {"/"}, .environment = {kPath}})) ::_exit(1);
  const auto wanted = await_command(command);
  if (!wanted) ::_exit(0);
  ::close(command);
  SpawnPlan plan{.arguments = wanted->arguments, .environment = wanted->environment, .input = -1, .output = output};
  plan.environment.emplace_back(kPath);
  const auto program = spawn(plan);
  ::close(output);
  Report report;
  if (!program) report.error = program.error().code;
  for (pid_t ended = 0; program && ended != *program;) ended = ::waitpid(-1, &report.status, 0);
  (void)!::write(report_end, &report, sizeof report);
  while (true)
    if (::waitpid(-1, nullptr, 0) < 0) ::pause();
}

}  // namespace

std::string to_string(const Outcome& outcome) {
  if (!outcome.error.empty()) return outcome.error;
  const std::string took = format_duration(outcome.took);
  if (outcome.timed_out) return "timed out, ended after " + took;
  if (outcome.signal != 0) return "killed by signal " + std::to_string(outcome.signal) + " after " + took;
  if (outcome.exit_status != 0) return "exit status " + std::to_string(outcome.exit_status) + " after " + took;
  return "ok in " + took;
}

/// A process that waits for its program, and this process's ends of the pipes to it.
struct ProcessRunner::Keeper {
  pid_t pid = -1;
  Fd command, output, report;

  /// Sends the command. Returns false if the keeper is gone.
  bool tell(const Command& wanted) {
    const std::string text = to_text(to_message(RunRequest{.command = wanted}));
    const bool told = ::write(command.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    command = Fd();
    return told;
  }
};

struct ProcessRunner::Program {
  Program(const Command& wanted, Done then) : command(wanted), done(std::move(then)) {}

  const Command command;
  const Done done;
  Outcome outcome;
  Keeper keeper;
  TimePoint started{};
  Printed printed{command.label, command.quiet};
  bool has_reported = false;
  int sweeps = 0;
  EventLoop::Watch output_watch, report_watch, timer;
};

Result<std::unique_ptr<ProcessRunner>> ProcessRunner::create(EventLoop& loop) {
  if (const auto watched = loop.on_signal(SIGCHLD, reap_children); !watched) return std::unexpected(watched.error());
  std::unique_ptr<ProcessRunner> runner(new ProcessRunner(loop));
  runner->provide_keeper();
  return runner;
}

ProcessRunner::ProcessRunner(EventLoop& loop) : loop_(loop) {}

ProcessRunner::~ProcessRunner() {
  for (const auto& program : programs_) {
    if (program->keeper.pid < 0) continue;
    signal_descendants(program->keeper.pid, SIGKILL);
    ::kill(program->keeper.pid, SIGKILL);
  }
}

void ProcessRunner::run(const Command& command, Done done) {
  programs_.push_back(std::make_unique<Program>(command, std::move(done)));
  Program& program = *programs_.back();
  program.started = loop_.now();
  if (const auto started = start(program); started)
    return;
  else
    program.outcome.error = started.error().message;
  auto later = loop_.after(Duration::zero(), [this, &program] { finish(program); });
  if (later) program.timer = std::move(*later);
}

Result<ProcessRunner::Keeper> ProcessRunner::make_keeper() {
  Keeper keeper;
  Fd command, output, report;  // the keeper's ends of the three pipes
  for (const auto& [reading, writing] :
       {std::pair(&command, &keeper.command), std::pair(&keeper.output, &output), std::pair(&keeper.report, &report)}) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return system_failure("cannot make a pipe", errno);
    *reading = Fd(ends[0]);
    *writing = Fd(ends[1]);
  }
  for (const Fd* end : {&keeper.output, &keeper.report}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  const pid_t runner = ::getpid();
  keeper.pid = ::fork();
  if (keeper.pid == 0) keep(runner, command.get(), output.get(), report.get());
  if (keeper.pid < 0) return system_failure("cannot start a process", errno);
  return keeper;
}

void ProcessRunner::provide_keeper() {
  if (waiting_) return;
  if (auto keeper = make_keeper()) waiting_ = std::make_unique<Keeper>(std::move(*keeper));
}

Result<void> ProcessRunner::start(Program& program) {
  const std::unique_ptr<Keeper> waiting = std::move(waiting_);
  if (waiting && waiting->tell(program.command)) {
    program.keeper = std::move(*waiting);
  } else {
    auto keeper = make_keeper();
    if (!keeper) return std::unexpected(keeper.error());
    program.keeper = std::move(*keeper);
    program.keeper.tell(program.command);  // if this fails, the missing report says so
  }
  auto printed =
      loop_.watch(program.keeper.output.get(), EPOLLIN, Urgency::rest, [this, &program] { read_output(program); });
  auto reported =
      loop_.watch(program.keeper.report.get(), EPOLLIN, Urgency::rest, [this, &program] { on_report(program); });
  auto timer = loop_.after(program.command.timeout, [this, &program] { end(program); });
  if (!printed || !reported || !timer) return failure("cannot watch " + program.command.arguments[0]);
  program.output_watch = std::move(*printed);
  program.report_watch = std::move(*reported);
  program.timer = std::move(*timer);
  return {};
}

void ProcessRunner::read_output(Program& program) {
  std::array<char, 65536> buffer;  // as much as a pipe holds
  const ssize_t size = ::read(program.keeper.output.get(), buffer.data(), buffer.size());
  if (size > 0) return program.printed.take({buffer.data(), static_cast<std::size_t>(size)});
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  program.output_watch = {};  // the pipe was closed
}

void ProcessRunner::on_report(Program& program) {
  program.report_watch = {};
  program.has_reported = true;
  Report report;
  if (::read(program.keeper.report.get(), &report, sizeof report) != sizeof report)
    program.outcome.error = "the keeper of the program was killed";
  else if (report.error != 0)
    program.outcome.error = "cannot run " + program.command.arguments[0] + ": " + std::strerror(report.error);
  else if (WIFEXITED(report.status))
    program.outcome.exit_status = WEXITSTATUS(report.status);
  else
    program.outcome.signal = WTERMSIG(report.status);
  if (program.outcome.timed_out) return sweep(program);
  finish(program);
}

void ProcessRunner::end(Program& program) {
  program.outcome.timed_out = true;
  if (!program.command.quiet)
    log_warning("{}: still running after {}; sending SIGTERM", program.command.label,
                format_duration(loop_.now() - program.started));
  signal_descendants(program.keeper.pid, SIGTERM);
  if (auto timer = loop_.after(kKillGrace, [this, &program] { sweep(program); })) program.timer = std::move(*timer);
}

/// Kills the remaining descendants of a program that timed out, and looks again until none is left.
void ProcessRunner::sweep(Program& program) {
  const std::size_t left = signal_descendants(program.keeper.pid, SIGKILL);
  if (left == 0 && program.has_reported) return finish(program);
  if (++program.sweeps > kMostSweeps) {
    program.outcome.error = "the program does not end even after SIGKILL";
    return finish(program);
  }
  if (auto timer = loop_.after(kBetweenSweeps, [this, &program] { sweep(program); })) program.timer = std::move(*timer);
}

void ProcessRunner::end_all() {
  for (const auto& program : programs_)
    if (!program->outcome.timed_out && program->keeper.pid > 0 && !program->has_reported) end(*program);
}

void ProcessRunner::finish(Program& program) {
  if (program.keeper.pid > 0) ::kill(program.keeper.pid, SIGKILL);
  read_output(program);
  program.outcome.output = program.printed.finish();
  program.outcome.took = loop_.now() - program.started;
  const auto it = std::ranges::find_if(programs_, [&](const auto& each) { return each.get() == &program; });
  const std::unique_ptr<Program> keep = std::move(*it);
  programs_.erase(it);
  keep->done(keep->outcome);
  if (auto later = loop_.after(kBeforeNextKeeper, [this] { provide_keeper(); })) provide_later_ = std::move(*later);
}

}  // namespace vipd
