#include "vipd/runner/runner_server.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "vipd/base/exit_status.hpp"
#include "vipd/base/log_limit.hpp"
#include "vipd/config/check_program.hpp"
#include "vipd/config/text.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/load/programs.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/message_socket.hpp"
#include "vipd/os/process_count.hpp"
#include "vipd/os/process_runner.hpp"
#include "vipd/os/process_tree.hpp"
#include "vipd/os/program_file.hpp"
#include "vipd/os/runner_protocol.hpp"
#include "vipd/runner/served_configs.hpp"

namespace vipd {
namespace {

constexpr const char* kUser = "vipd";
constexpr Duration kLongestTimeout = std::chrono::hours(1);  // the longest timeout that vipd.toml(5) allows
constexpr auto kBetweenSweeps = std::chrono::milliseconds(5);
constexpr int kMostSweeps = 2000;

/// The answer to a check of the kind `process`.
Outcome count(const Command& command) {
  const std::string &program = command.arguments.at(1), &wanted = command.arguments.at(2);
  const unsigned found = count_processes(program);
  if (found >= std::stoul(wanted)) return {};
  const auto why = found == 0 ? why_never_runs(program) : std::nullopt;
  return {.exit_status = 1,
          .output = {std::to_string(found) + " of " + wanted + " processes of " + program + (why ? ": " + *why : "")}};
}

/// The path of vipd-check, which answers built-in checks: beside this program, or where the package installs it.
std::string path_of_checker() {
  std::error_code error;
  const auto directory = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto beside = directory / "vipd-check";
  return std::filesystem::exists(beside, error) ? beside : directory.parent_path() / "libexec/vipd/vipd-check";
}

/// The command to run: a built-in check becomes a call of vipd-check.
Command as_program(Command command, const std::string& checker) {
  std::vector<std::string>& arguments = command.arguments;
  if (!arguments.front().starts_with(kProbe)) return command;
  arguments.front().erase(0, kProbe.size());
  arguments.insert(arguments.begin(), checker);
  return command;
}

class RunnerServer {
 public:
  RunnerServer(EventLoop& loop, const RunnerOptions& options)
      : loop_(loop),
        configs_(options.config, options.state_dir, options.inherited ? mark_of(options.runtime_dir) : "") {}

  Result<void> start();
  /// Listens in `directory` and serves the vipd that connects.
  Result<void> listen(const std::string& directory);
  /// Serves the vipd at the other end of `fd`, and ends with it.
  void serve_only(Fd fd);

 private:
  void accept();
  bool is_trusted(const Fd& fd);
  void complain(const std::string& sentence);
  void serve(Fd fd);
  void on_message(const Json& message);
  std::optional<std::string> refusal(const Command& command);
  void take_names(const Json& message);
  void answer(std::uint64_t client, const RunAnswer& answer);
  void lose_client();
  void settle();

  EventLoop& loop_;
  ServedConfigs configs_;
  const std::string checker_ = path_of_checker();
  std::unique_ptr<ProcessRunner> runner_;
  Fd listener_;
  EventLoop::Watch accept_watch_, timer_;
  std::unique_ptr<MessageSocket> client_;
  std::uint64_t client_number_ = 0;
  SentenceLimit complaints_;
  bool ending_ = false;
  int sweeps_ = 0;
};

Result<void> RunnerServer::start() {
  // Orphans of the programs become our children, and settle() waits for them.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) < 0) return system_failure("cannot be a subreaper", errno);
  auto runner = ProcessRunner::create(loop_);
  if (!runner) return std::unexpected(runner.error());
  runner_ = std::move(*runner);
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto watched = loop_.on_signal(signal, [this] {
      ending_ = true;
      lose_client();
    });
    if (!watched) return watched;
  }
  return {};
}

Result<void> RunnerServer::listen(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return system_failure("cannot make " + directory, errno);
  struct stat status{};
  if (::lstat(directory.c_str(), &status) < 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return failure(directory + " must belong to uid " + std::to_string(::geteuid()) +
                   " alone and be writable for no other user: another user could replace the socket");
  const std::string path = directory + "/runner.sock";
  auto listener = listen_at(path);
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  const passwd* user = ::geteuid() == 0 ? ::getpwnam(kUser) : nullptr;
  if (user != nullptr && ::lchown(path.c_str(), user->pw_uid, user->pw_gid) < 0)
    return system_failure("cannot give " + path + " to user " + kUser, errno);
  auto watch = loop_.watch(listener_.get(), EPOLLIN, Urgency::rest, [this] { accept(); });
  if (!watch) return std::unexpected(watch.error());
  accept_watch_ = std::move(*watch);
  return {};
}

void RunnerServer::serve_only(Fd fd) {
  ending_ = true;
  serve(std::move(fd));
}

/// True if the peer is root, the user vipd, or our own user.
bool RunnerServer::is_trusted(const Fd& fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  const passwd* user = ::getpwnam(kUser);
  if (peer.uid == 0 || peer.uid == ::geteuid() || (user != nullptr && peer.uid == user->pw_uid)) return true;
  complain(fmt::format("refused a connection of uid {}: only root and the user vipd may connect", peer.uid));
  return false;
}

/// Logs a complaint, each once a minute: a hijacked vipd could fill the log otherwise.
void RunnerServer::complain(const std::string& sentence) {
  if (complaints_.passes(sentence, loop_.now())) log_error("{} (said once a minute)", sentence);
}

void RunnerServer::accept() {
  Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd && is_trusted(fd)) serve(std::move(fd));
}

void RunnerServer::serve(Fd fd) {
  ++client_number_;
  auto client = MessageSocket::open(
      loop_, std::move(fd), [this](const auto& message) { on_message(message); }, [this] { lose_client(); });
  if (!client) return lose_client();
  client_ = std::move(*client);
  if (listener_) loop_.rewatch(accept_watch_, 0);
  client_->send(runner_greeting());
}

void RunnerServer::take_names(const Json& message) {
  const auto request = read_serve_request(message);
  if (!request) {
    complain("closed the connection to vipd: " + request.error().message);
    return lose_client();
  }
  for (const std::string& complaint : configs_.name(request->hashes)) complain(complaint);
}

void RunnerServer::on_message(const Json& message) {
  if (is_serve_request(message)) return take_names(message);
  const auto request = read_request(message);
  if (!request) {
    complain("closed the connection to vipd: " + request.error().message);
    return lose_client();
  }
  const auto [id, command] = *request;
  if (const auto why = refusal(command)) {
    complain(in_quotes(command.label) + " is refused: " + *why);
    return answer(client_number_, {id, {.error = "refused: " + *why, .lost = true}});
  }
  if (command.arguments.front() == kCountProcesses) return answer(client_number_, {id, count(command)});
  runner_->run(as_program(command, checker_), [this, id, client = client_number_](const Outcome& outcome) {
    answer(client, {id, outcome});
    settle();
  });
}

std::optional<std::string> RunnerServer::refusal(const Command& command) {
  if (command.timeout <= Duration::zero() || command.timeout > kLongestTimeout) return "its timeout is out of range";
  if (!is_harmless(command.environment)) return "its environment has other variables than VIPD_*";
  if (auto why = configs_.refusal(command.arguments, loop_.now())) return why;
  if (is_built_in(command.arguments)) return std::nullopt;
  const auto fault = examine_program(command.arguments.front());
  if (fault) return fault->reason + " (" + fault->remedy + ")";
  return std::nullopt;
}

void RunnerServer::answer(std::uint64_t client, const RunAnswer& answer) {
  if (client_ && client == client_number_) client_->send(to_message(answer));
}

void RunnerServer::lose_client() {
  client_.reset();
  runner_->end_all();
  settle();
}

/// Goes on once no program of the vipd that has gone still runs: serves the next vipd, or ends.
void RunnerServer::settle() {
  if (client_ || !runner_->idle()) return;
  if (!ending_) return loop_.rewatch(accept_watch_, EPOLLIN);
  if (signal_descendants(::getpid(), SIGKILL) == 0 || ++sweeps_ > kMostSweeps) return loop_.exit(kExitOk);
  if (auto timer = loop_.after(kBetweenSweeps, [this] { settle(); })) timer_ = std::move(*timer);
}

/// The socket that is our standard input; /dev/null replaces it there.
Fd take_standard_input() {
  Fd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
  return fd;
}

Result<int> serve(const RunnerOptions& options) {
  auto loop = EventLoop::create();
  if (!loop) return std::unexpected(loop.error());
  RunnerServer server(**loop, options);
  if (const auto started = server.start(); !started) return std::unexpected(started.error());
  if (options.inherited)
    server.serve_only(take_standard_input());
  else if (const auto listening = server.listen(options.runtime_dir); !listening)
    return std::unexpected(listening.error());
  else
    sd_notify(0, "READY=1");
  return (*loop)->run();
}

}  // namespace

int run_runner(const RunnerOptions& options) {
  start_log();
  block_signals();
  const auto status = serve(options);
  if (!status) log_error("{}", status.error().message);
  return status ? *status : kExitFailure;
}

}  // namespace vipd
