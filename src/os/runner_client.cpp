#include "vipd/os/runner_client.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <csignal>

#include "vipd/os/log.hpp"
#include "vipd/os/process_tree.hpp"
#include "vipd/os/runner_protocol.hpp"
#include "vipd/os/spawn.hpp"

namespace vipd {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(10), kLongestPause = std::chrono::seconds(1);
constexpr int kMostSent = 2;

}  // namespace

RunnerClient::RunnerClient(EventLoop& loop, Connect connect)
    : loop_(loop), connect_(std::move(connect)), pause_(kFirstPause) {
  this->connect();
}

void RunnerClient::run(const Command& command, Done done) {
  const std::uint64_t id = ++last_id_;
  Request& request = requests_.emplace(id, Request{.command = command, .done = std::move(done)}).first->second;
  if (greeted_) send(id, request);
}

void RunnerClient::serve(const std::vector<std::string>& hashes) {
  served_ = hashes;
  if (greeted_) socket_->send(to_message(ServeRequest{served_}));
}

void RunnerClient::connect() {
  auto fd = connect_();
  if (!fd) return connect_later(fd.error().message);
  auto socket = MessageSocket::open(
      loop_, std::move(*fd), [this](const auto& message) { on_message(message); },
      [this] { lost("the connection was closed"); });
  if (!socket) return connect_later(socket.error().message);
  socket_ = std::move(*socket);
}

void RunnerClient::connect_later(const std::string& why) {
  if (!std::exchange(complained_, true)) log_warning("no vipd-runner: {}; hooks and checks wait for it", why);
  auto timer = loop_.after(pause_, [this] { connect(); });
  if (timer) retry_ = std::move(*timer);
  pause_ = std::min(2 * pause_, kLongestPause);
}

void RunnerClient::lost(const std::string& why) {
  socket_.reset();
  greeted_ = false;
  std::vector<std::uint64_t> given_up;
  for (auto& [id, request] : requests_)
    if (std::exchange(request.under_way, false) && request.sent >= kMostSent) given_up.push_back(id);
  connect_later(why);
  for (const std::uint64_t id : given_up)
    answer(id, {.error = "given up: vipd-runner died twice during this program", .lost = true});
}

void RunnerClient::on_message(const Json& message) {
  if (!greeted_) return is_runner_greeting(message) ? greeted() : lost("it has another version");
  const auto ended = read_answer(message);
  if (!ended) return lost(ended.error().message);
  answer(ended->id, ended->outcome);
}

void RunnerClient::greeted() {
  greeted_ = true;
  pause_ = kFirstPause;
  if (std::exchange(complained_, false)) log_info("vipd-runner is back");
  if (!served_.empty()) socket_->send(to_message(ServeRequest{served_}));
  for (auto& [id, request] : requests_) send(id, request);
}

void RunnerClient::send(std::uint64_t id, Request& request) {
  request.under_way = true;
  ++request.sent;
  request.given_up_at = loop_.now() + request.command.timeout + kKillGrace;
  if (socket_->send(to_message(RunRequest{id, request.command}))) return;
  auto later =
      loop_.after(Duration::zero(), [this, id] { answer(id, {.error = "the command is too long for vipd-runner"}); });
  if (later) request.refused = std::move(*later);
}

void RunnerClient::answer(std::uint64_t id, const Outcome& outcome) {
  const auto request = requests_.find(id);
  if (request == requests_.end()) return;
  const Done done = std::move(request->second.done);
  requests_.erase(request);
  done(outcome);
}

void RunnerClient::give_up_after(Duration patience) {
  auto timer = loop_.after(patience, [this, patience] {
    std::map<std::uint64_t, const char*> given_up;
    for (const auto& [id, request] : requests_)
      if (!request.under_way)
        given_up[id] = "given up: there is no vipd-runner";
      else if (loop_.now() >= request.given_up_at)
        given_up[id] = "given up: vipd-runner does not report how the program ended";
    give_up_after(patience);
    for (const auto& [id, why] : given_up) answer(id, {.error = why, .lost = true});
  });
  if (timer) patience_ = std::move(*timer);
}

Result<std::unique_ptr<RunnerProcess>> RunnerProcess::create(EventLoop& loop, std::vector<std::string> command) {
  // Orphans of a dead runner become children of this process, and connect() ends them.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) < 0)
    return system_failure("cannot become a subreaper", errno);
  if (const auto watched = loop.on_signal(SIGCHLD, reap_children); !watched) return std::unexpected(watched.error());
  return std::unique_ptr<RunnerProcess>(new RunnerProcess(std::move(command)));
}

Result<Fd> RunnerProcess::connect() {
  reap_children();
  if (signal_descendants(::getpid(), SIGKILL) > 0)
    return failure("programs of the previous vipd-runner are still being ended");
  auto pair = make_socket_pair();
  if (!pair) return std::unexpected(pair.error());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const auto pid =
      spawn({.arguments = command_, .environment = environment, .input = pair->theirs.get(), .output = -1});
  if (!pid) return std::unexpected(pid.error());
  return std::move(pair->ours);
}

}  // namespace vipd
