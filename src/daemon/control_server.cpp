#include "vipd/daemon/control_server.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>

#include "vipd/os/log.hpp"
#include "vipd/os/user_group.hpp"

namespace vipd {
namespace {

constexpr std::size_t kMaxClients = 64;
constexpr std::size_t kKeptForRoot = 8;
constexpr std::chrono::milliseconds kShortestTrial = std::chrono::seconds(1), kLongestTrial = std::chrono::hours(24);
constexpr std::ptrdiff_t kMaxOfOneUser = 16;  // clients of one user at a time; of root, followers only
constexpr std::size_t kLongestRequest = 4096;
constexpr std::size_t kMostUnreadEvents = 1 << 20;    // octets: some thousand transitions, for a follower
constexpr auto kPatience = std::chrono::seconds(10);  // how long a client may take to ask, and to read the answer
constexpr auto kAcceptPause = std::chrono::seconds(1);
constexpr std::size_t kSmallStatus = 200;  // instances and held objects that are written out in a millisecond

/// The user of the client, as the kernel tells it; an invalid uid, which has no right but to look, if it does not.
uid_t user_of(const Fd& fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  constexpr uid_t kNobody = -1;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : kNobody;
}

/// True if the client has closed both directions; a client that only stopped writing still reads.
bool has_hung_up(const Fd& fd) {
  pollfd state{.fd = fd.get(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) > 0;
}

/// The line that carries a document.
std::shared_ptr<const std::string> line_of(const Json& document) {
  return std::make_shared<const std::string>(answer_line(document));
}

/// Sends the refusal and reads the request: a socket that is closed with unread octets loses the refusal, unix(7).
void refuse(const Fd& fd, const std::string& why) {
  const std::string words = to_text(error_document(why)) + "\n";
  (void)!::send(fd.get(), words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  std::array<char, kLongestRequest> asked;
  (void)!::recv(fd.get(), asked.data(), asked.size(), MSG_DONTWAIT);
}

}  // namespace

struct ControlServer::Client : std::enable_shared_from_this<Client> {
  uid_t user = 0;
  Fd fd;
  EventLoop::Watch watch, timer;
  std::string request;
  std::deque<Text> unsent = {};
  std::size_t sent = 0;    // octets of the first text that are sent
  std::size_t unread = 0;  // octets of all texts that are not yet sent
  bool asked = false;
  bool answered = false;
  bool follows = false;
  std::uint64_t seen = 0;  // the last transition that a follower was sent
};

ControlServer::ControlServer(EventLoop& loop, std::string path, const Supervisor& supervisor, Reloader& reloader,
                             Worker& writer, Reexec reexec, DaemonInfo info)
    : loop_(loop),
      path_(std::move(path)),
      supervisor_(supervisor),
      reloader_(reloader),
      writer_(writer),
      reexec_(std::move(reexec)),
      info_(std::move(info)) {}

Result<std::unique_ptr<ControlServer>> ControlServer::open(EventLoop& loop, const std::string& path, Fd inherited,
                                                           const Supervisor& supervisor, Reloader& reloader,
                                                           Worker& writer, Reexec reexec, const DaemonInfo& info) {
  std::unique_ptr<ControlServer> server(
      new ControlServer(loop, path, supervisor, reloader, writer, std::move(reexec), info));
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
  clients_.push_back(std::make_shared<Client>());
  Client& client = *clients_.back();
  client.user = user;
  client.fd = std::move(fd);
  auto watch = loop_.watch(client.fd.get(), EPOLLIN, Urgency::rest, [this, &client] { on_ready(client); });
  auto timer = loop_.after(kPatience, [this, &client] { drop(client); });
  if (!watch || !timer) return drop(client);
  client.watch = std::move(*watch);
  client.timer = std::move(*timer);
}

/// Why a client is refused. Root gets in even if other users have taken all their places.
std::optional<std::string> ControlServer::no_place_for(uid_t user) const {
  const std::size_t places = user == 0 ? kMaxClients : kMaxClients - kKeptForRoot;
  if (clients_.size() >= places) return "too many clients are connected; try again";
  const auto is_theirs = [&](const auto& client) { return client->user == user; };
  if (user != 0 && std::ranges::count_if(clients_, is_theirs) >= kMaxOfOneUser)
    return fmt::format("too many clients of user {}: {}; end one of them", user, kMaxOfOneUser);
  return std::nullopt;
}

/// On EMFILE the pending connection stays readable, and the loop would spin: the server pauses.
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
  const auto kept = client.shared_from_this();  // its answer may drop the client
  if (!read_request(client) || !flush(client)) drop(client);
}

/// Reads a request. False if the client is to be dropped.
bool ControlServer::read_request(Client& client) {
  std::array<char, kLongestRequest> buffer;
  const ssize_t size = ::recv(client.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return client.asked && !client.follows && !has_hung_up(client.fd);  // the client has stopped writing
  if (client.asked) return true;  // further words of the client are not read
  client.request.append(buffer.data(), static_cast<std::size_t>(size));
  const auto end = client.request.find('\n');
  if (end == std::string::npos) return client.request.size() < kLongestRequest;
  client.asked = true;
  client.timer = {};
  answer(client, client.request.substr(0, end));
  return true;
}

std::span<const ControlServer::Verb> ControlServer::verbs() {
  static constexpr std::array<Verb, 7> kVerbs = {{
      {"status", Right::look, &ControlServer::answer_status},
      {"events", Right::look, &ControlServer::answer_events},
      {"version", Right::look, &ControlServer::answer_version},
      {"diff", Right::look, &ControlServer::answer_diff},
      {"reload", Right::change, &ControlServer::answer_reload},
      {"confirm", Right::change, &ControlServer::answer_confirm},
      {"reexec", Right::change, &ControlServer::answer_reexec},
  }};
  return kVerbs;
}

void ControlServer::answer(Client& client, const std::string& line) {
  const Json request = parse_json(line);
  if (!request.is_object() || !request.contains("verb") || !request["verb"].is_string())
    return give(client, line_of(error_document("a request is one line with a JSON object that has a \"verb\"")));
  const auto verb = std::ranges::find(verbs(), request["verb"].get<std::string>(), &Verb::name);
  if (verb == verbs().end())
    return give(client, line_of(error_document("this version of vipd does not know that verb")));
  if (!may(client.user, verb->right))
    return give(client, line_of(error_document("only root may ask for that, with sudo for example", "right")));
  (this->*verb->answer)(client, request, [this, whose = client.weak_from_this()](Json document) {
    write_out(std::move(document), {whose});
  });
}

void ControlServer::answer_status(Client& client, const Json& /*request*/, const Reloader::Reply& /*reply*/) {
  ask_status_.push_back(client.weak_from_this());
  if (!writes_status_) write_status();
}

void ControlServer::answer_events(Client& client, const Json& request, const Reloader::Reply& /*reply*/) {
  const bool follows = request.contains("follow") && request["follow"] == true;
  if (follows && followers_of(client.user) >= kMaxOfOneUser)
    return give(client, line_of(error_document(fmt::format("too many followers of user {}: {}; end one of them",
                                                           client.user, kMaxOfOneUser))));
  client.follows = follows;
  client.seen = supervisor_.events().last_sequence();
  give(client, line_of(events_document(supervisor_.events(), clocks())));
}

void ControlServer::answer_version(Client& /*client*/, const Json& /*request*/, const Reloader::Reply& reply) {
  reply(version_document(info_, clocks()));
}

void ControlServer::answer_diff(Client& /*client*/, const Json& /*request*/, const Reloader::Reply& reply) {
  reloader_.diff(reply);
}

void ControlServer::answer_reload(Client& /*client*/, const Json& request, const Reloader::Reply& reply) {
  if (!request.contains("confirm_ms")) return reloader_.reload(std::nullopt, reply);
  const Json& wanted = request["confirm_ms"];
  const std::chrono::milliseconds length(wanted.is_number_integer() ? wanted.get<std::int64_t>() : 0);
  if (length < kShortestTrial || length > kLongestTrial)
    return reply(error_document("the time to confirm a reload must be 1s..24h"));
  reloader_.reload(length, reply);
}

void ControlServer::answer_confirm(Client& /*client*/, const Json& /*request*/, const Reloader::Reply& reply) {
  reloader_.confirm(reply);
}

void ControlServer::answer_reexec(Client& /*client*/, const Json& /*request*/, const Reloader::Reply& reply) {
  const auto begin = [this] {
    const auto begun = reexec_();
    return begun ? version_document(info_, clocks()) : error_document(begun.error().message);
  };
  reloader_.prepare_reexec(begin, reply);
}

/// Answers all clients that ask for the status. A client that asks while a long status is written out gets the next.
void ControlServer::write_status() {
  auto status = std::make_shared<const Status>(status_of(supervisor_, reloader_.state(), info_, clocks()));
  const Clients askers = std::exchange(ask_status_, {});
  if (status->size() <= kSmallStatus) return give_all(askers, line_of(status_document(*status)));
  writes_status_ = true;
  writer_.give([this, askers, status = std::move(status)] {
    return [this, askers, text = line_of(status_document(*status))] {
      writes_status_ = false;
      give_all(askers, text);
      if (!ask_status_.empty()) write_status();
    };
  });
}

/// Writes a document out in the worker: the changes of a reload may be megabytes.
void ControlServer::write_out(Json document, const Clients& clients) {
  if (!document.contains("changes")) return give_all(clients, line_of(document));
  writer_.give([this, clients, document = std::make_shared<const Json>(std::move(document))] {
    return [this, clients, text = line_of(*document)] { give_all(clients, text); };
  });
}

void ControlServer::give_all(const Clients& clients, const Text& text) {
  for (const auto& each : clients)
    if (const auto still_there = each.lock()) give(*still_there, text);
}

std::ptrdiff_t ControlServer::followers_of(uid_t user) const {
  return std::ranges::count_if(clients_, [&](const auto& each) { return each->follows && each->user == user; });
}

/// Gives a client its answer. A follower has time to read it.
void ControlServer::give(Client& client, Text text) {
  client.answered = true;
  add(client, std::move(text));
  auto timer = loop_.after(kPatience, [this, &client] { drop(client); });
  if (timer && !client.follows) client.timer = std::move(*timer);
  if (!flush(client)) drop(client);
}

void ControlServer::add(Client& client, Text text) {
  client.unread += text->size();
  client.unsent.push_back(std::move(text));
}

/// Sends as much as the socket takes. False if the client is to be dropped: it has its answer, is gone, or never reads.
bool ControlServer::flush(Client& client) {
  if (client.follows && client.unread > kMostUnreadEvents) return false;
  while (!client.unsent.empty()) {
    const std::string_view left = std::string_view(*client.unsent.front()).substr(client.sent);
    const ssize_t sent = ::send(client.fd.get(), left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      loop_.rewatch(client.watch, client.follows ? EPOLLIN | EPOLLOUT : EPOLLOUT);
      return true;
    }
    if (sent < 0) return false;
    note_sent(client, static_cast<std::size_t>(sent));
  }
  const bool is_awaited = client.asked && !client.answered;  // until then only the end of the connection is of interest
  loop_.rewatch(client.watch, is_awaited ? 0U : unsigned{EPOLLIN});
  return !client.answered || client.follows;
}

void ControlServer::note_sent(Client& client, std::size_t octets) {
  client.unread -= octets;
  client.sent += octets;
  if (client.sent < client.unsent.front()->size()) return;
  client.unsent.pop_front();
  client.sent = 0;
}

ControlServer::Text ControlServer::lines_since(std::uint64_t seen) const {
  std::string lines;
  for (const auto& transition : supervisor_.events().transitions())
    if (transition.sequence > seen) lines += answer_line(event_document(transition, clocks()));
  return std::make_shared<const std::string>(std::move(lines));
}

void ControlServer::publish() {
  const std::uint64_t last = supervisor_.events().last_sequence();
  std::map<std::uint64_t, Text> lines;  // by the last transition that the follower has seen
  std::vector<Client*> lost;
  for (const auto& client : clients_) {
    if (!client->follows || client->seen == last) continue;
    Text& text = lines[client->seen];
    if (!text) text = lines_since(client->seen);
    add(*client, text);
    client->seen = last;
    if (!flush(*client)) lost.push_back(client.get());
  }
  for (auto* client : lost) drop(*client);
}

void ControlServer::drop(Client& client) {
  std::erase_if(clients_, [&](const auto& each) { return each.get() == &client; });
}

}  // namespace vipd
