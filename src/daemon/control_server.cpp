#include "vipd/daemon/control_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "vipd/daemon/verbs.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/user_group.hpp"

namespace vipd {
namespace {

constexpr std::size_t kMaxClients = 64;
constexpr std::size_t kKeptForRoot = 8;
constexpr std::ptrdiff_t kMaxOfOneUser = 16;  // clients at a time; of root, those that follow
constexpr std::size_t kLongestRequest = 4096;
constexpr std::size_t kMostUnreadEvents = 1 << 20;    // some thousand transitions, for one that follows
constexpr auto kPatience = std::chrono::seconds(10);  // to ask, and to read the answer
constexpr auto kAcceptPause = std::chrono::seconds(1);

/// Who is at the other end, as the kernel says; somebody without any right if it does not.
uid_t user_of(const Fd& fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  constexpr uid_t kNobody = -1;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : kNobody;
}

/// Takes in what has been asked so far, lest the end of the connection throws our words away, unix(7).
void refuse(const Fd& fd, const std::string& why) {
  const std::string words = to_text(error_document(why)) + "\n";
  (void)!::send(fd.get(), words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  std::array<char, kLongestRequest> asked;
  (void)!::recv(fd.get(), asked.data(), asked.size(), MSG_DONTWAIT);
}

}  // namespace

struct ControlServer::Client {
  uid_t user = 0;
  Fd fd;
  EventLoop::Watch watch, timer;
  std::string request, unsent;
  std::size_t sent = 0;  // of `unsent`: to move what is left of many MiB each time would take too long
  bool answered = false;
  bool follows = false;
  std::uint64_t seen = 0;  // last transition sent to one that follows
};

ControlServer::ControlServer(EventLoop& loop, std::string path, const Supervisor& supervisor, Reloader& reloader,
                             const Lifecycle& life, Reexec reexec, DaemonInfo info)
    : loop_(loop),
      path_(std::move(path)),
      supervisor_(supervisor),
      reloader_(reloader),
      life_(life),
      reexec_(std::move(reexec)),
      info_(std::move(info)) {}

Result<std::unique_ptr<ControlServer>> ControlServer::open(EventLoop& loop, const std::string& path, Fd inherited,
                                                           const Supervisor& supervisor, Reloader& reloader,
                                                           const Lifecycle& life, Reexec reexec,
                                                           const DaemonInfo& info) {
  std::unique_ptr<ControlServer> server(
      new ControlServer(loop, path, supervisor, reloader, life, std::move(reexec), info));
  if (inherited && sd_is_socket_unix(inherited.get(), SOCK_STREAM, 1, path.c_str(), 0) > 0)
    server->socket_ = std::move(inherited);
  else if (const auto listening = server->listen(); !listening)
    return std::unexpected(listening.error());
  ControlServer& self = *server;
  auto watch = loop.watch(self.socket_.get(), EPOLLIN, Urgency::rest, [&self] { self.accept_clients(); });
  if (!watch) return std::unexpected(watch.error());
  self.accept_watch_ = std::move(*watch);
  return server;
}

Result<void> ControlServer::listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return failure("the path of the control socket is too long: " + path_);
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);

  socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return system_failure("cannot make the control socket", errno);
  ::unlink(path_.c_str());
  const SharedWithGroup shared(0660);
  if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return system_failure("cannot make the control socket " + path_, errno);
  if (::listen(socket_.get(), 64) < 0) return system_failure("cannot listen on " + path_, errno);
  return {};
}

ControlServer::~ControlServer() {
  if (socket_) ::unlink(path_.c_str());
}

Clocks ControlServer::clocks() const { return {.monotonic = loop_.now(), .wall = std::chrono::system_clock::now()}; }

void ControlServer::accept_clients() {
  Fd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) return accept_later(errno);
  const uid_t user = user_of(fd);
  if (const auto why = no_place_for(user)) return refuse(fd, *why);
  clients_.push_back(std::make_unique<Client>());
  Client& client = *clients_.back();
  client.user = user;
  client.fd = std::move(fd);
  auto watch = loop_.watch(client.fd.get(), EPOLLIN, Urgency::rest, [this, &client] { on_ready(client); });
  auto timer = loop_.after(kPatience, [this, &client] { drop(client); });
  if (!watch || !timer) return drop(client);
  client.watch = std::move(*watch);
  client.timer = std::move(*timer);
}

/// Root gets in even if all others have taken what they can.
std::optional<std::string> ControlServer::no_place_for(uid_t user) const {
  const std::size_t places = user == 0 ? kMaxClients : kMaxClients - kKeptForRoot;
  if (clients_.size() >= places) return "too many clients are connected; try again";
  const auto is_theirs = [&](const auto& client) { return client->user == user; };
  if (user != 0 && std::ranges::count_if(clients_, is_theirs) >= kMaxOfOneUser)
    return fmt::format("too many clients of user {}: {}; end one of them", user, kMaxOfOneUser);
  return std::nullopt;
}

/// Whoever waits to be let in still waits when there is no descriptor for him, and the loop would spin.
void ControlServer::accept_later(int error) {
  if (error == EAGAIN || error == EINTR || error == ECONNABORTED) return;
  if (accept_log_.passes(loop_.now()))
    log_warning("clients of the control socket have to wait: {}", std::strerror(error));
  auto pause = loop_.after(kAcceptPause, [this] { loop_.rewatch(accept_watch_, EPOLLIN); });
  if (!pause) return;
  accept_pause_ = std::move(*pause);
  loop_.rewatch(accept_watch_, 0);
}

void ControlServer::on_ready(Client& client) {
  if (!read_request(client) || !flush(client)) drop(client);
}

/// False when the client is to be dropped.
bool ControlServer::read_request(Client& client) {
  std::array<char, kLongestRequest> buffer;
  const ssize_t size = ::recv(client.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return !client.follows && !client.unsent.empty();  // asked, and said that this was all
  if (client.answered) return true;                                 // whatever it says now is not read
  client.request.append(buffer.data(), static_cast<std::size_t>(size));
  const auto end = client.request.find('\n');
  if (end == std::string::npos) return client.request.size() < kLongestRequest;
  client.answered = true;
  send(client, answer(client, client.request.substr(0, end)));
  if (client.follows) client.timer = {};
  return true;
}

Json ControlServer::answer(Client& client, const std::string& line) {
  const Json request = parse_json(line);
  if (!request.is_object() || !request.contains("verb") || !request["verb"].is_string())
    return error_document("a request is one line with a JSON object that has a \"verb\"");
  const Verb* const known = verb_of(request);
  if (known == nullptr) return error_document("this version of vipd does not know that verb");
  if (!may(client.user, known->right))
    return error_document("only root may ask for that, with sudo for example", "right");
  if (const auto allowed = life_.allows(known->event); !allowed) return error_document(allowed.error().message);
  const std::string_view verb = known->name;
  if (verb == "status") return status_document(supervisor_, reloader_.trial_ends(), info_, clocks());
  if (auto answered = reloader_.answer(request)) return *std::move(answered);
  if (verb == "reexec")
    if (const auto begun = reexec_(); !begun) return error_document(begun.error().message);
  if (verb == "version" || verb == "reexec") return version_document(info_, clocks());
  const bool follows = request.contains("follow") && request["follow"] == true;
  if (follows && followers_of(client.user) >= kMaxOfOneUser)
    return error_document(
        fmt::format("too many followers of user {}: {}; end one of them", client.user, kMaxOfOneUser));
  client.follows = follows;
  client.seen = supervisor_.events().last_sequence();
  return events_document(supervisor_.events(), clocks());
}

std::ptrdiff_t ControlServer::followers_of(uid_t user) const {
  return std::ranges::count_if(clients_, [&](const auto& each) { return each->follows && each->user == user; });
}

void ControlServer::send(Client& client, const Json& document) { client.unsent += answer_line(document); }

/// False when the client is to be dropped: it has its answer, is gone, or does not read.
bool ControlServer::flush(Client& client) {
  if (client.follows && client.unsent.size() - client.sent > kMostUnreadEvents) return false;
  while (client.sent < client.unsent.size()) {
    const std::string_view left = std::string_view(client.unsent).substr(client.sent);
    const ssize_t sent = ::send(client.fd.get(), left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      loop_.rewatch(client.watch, client.follows ? EPOLLIN | EPOLLOUT : EPOLLOUT);
      return true;
    }
    if (sent < 0) return false;
    client.sent += static_cast<std::size_t>(sent);
  }
  client.unsent.clear();
  client.sent = 0;
  loop_.rewatch(client.watch, EPOLLIN);
  return !client.answered || client.follows;
}

void ControlServer::publish() {
  const EventLog& events = supervisor_.events();
  std::vector<Client*> lost;
  for (const auto& client : clients_) {
    if (!client->follows || client->seen == events.last_sequence()) continue;
    for (const auto& transition : events.transitions())
      if (transition.sequence > client->seen) send(*client, event_document(transition, clocks()));
    client->seen = events.last_sequence();
    if (!flush(*client)) lost.push_back(client.get());
  }
  for (auto* client : lost) drop(*client);
}

void ControlServer::drop(Client& client) {
  std::erase_if(clients_, [&](const auto& each) { return each.get() == &client; });
}

}  // namespace vipd
