// Both ends of the control socket. The daemon gets any clients, up to four at a time: each line that they get is a
// document, and a client that asked is released. vipctl gets any octets: it reads lines or reports an error.
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "fuzz/bytes.hpp"
#include "fuzz/scratch.hpp"
#include "vipd/base/assert.hpp"
#include "vipd/ctl/control_client.hpp"
#include "vipd/daemon/control_server.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/sim/world.hpp"

using namespace vipd;
using namespace vipd::sim;
using fuzz::Bytes;
using fuzz::scratch;

namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  VIPD_ASSERT(path.size() < sizeof address.sun_path);
  std::ranges::copy(path, address.sun_path);
  return address;
}

std::string control_path() { return scratch("control.sock"); }

/// The state of the files.
enum class Files { as_in_force, with_another_priority, with_an_error, unreadable };

/// A daemon with one instance on a fake machine.
class Daemon {
 public:
  Daemon()
      : world_(1),
        node_(world_.add_node(254)),
        loop_(std::move(*EventLoop::create())),
        worker_(std::move(*Worker::create(*loop_))),
        base_({.sources = {{"vipd.toml", "first"}},
               .diagnostics = {},
               .config = std::make_shared<const Config>(node_.config)}) {
    std::filesystem::remove_all(scratch("in-force"));
    node_.start();
    world_.run_for(seconds(10));
    (void)life_.take(LifeEvent::started);
    reloader_ = std::make_unique<Reloader>(
        *loop_, Reloader::Workers{*worker_, *worker_}, *node_.supervisor, life_,
        Reloader::Kept{{store_, scratch("in-force")}, {store_, scratch("unconfirmed.json")}},
        [this](const LoadedConfig&) { return load(); }, base_);
    auto server = ControlServer::open(*loop_, control_path(), {}, *node_.supervisor, *reloader_, *worker_,
                                      [this] { return reexec(); }, {.host = "lb1", .started = loop_->now(), .pid = 42});
    VIPD_ASSERT(server.has_value());
    server_ = std::move(*server);
  }

  void write(Files what) { files_ = what; }
  /// Turns the loop and waits for the workers, so an input has the same effect each time.
  void turn() {
    loop_->turn(Duration::zero());
    while (!worker_->idle()) loop_->turn(std::chrono::milliseconds(1));
  }
  /// Causes a transition, for followers.
  void flap() {
    changed_ = true;
    node_.kernel.real()->running = !node_.kernel.real()->running;
    node_.kernel.changed();
    world_.run_for(milliseconds(5));
    server_->publish();
  }
  /// True if the daemon is no longer as in the beginning.
  bool changed() const { return changed_; }

 private:
  Result<LoadedConfig> load() {
    if (files_ == Files::unreadable) return failure("cannot read vipd.toml");
    LoadedConfig loaded = base_;
    if (files_ == Files::with_another_priority) {
      changed_ = true;
      loaded.sources.front().text = "second";
      Config changed = *base_.config;
      changed.instances.front().priority = 200;
      loaded.config = std::make_shared<const Config>(std::move(changed));
    } else if (files_ == Files::with_an_error) {
      loaded.config.reset();
      loaded.diagnostics = {{{1, 1, 1, 0}, Severity::error, "syntax", "what is this?", "", {}}};
    }
    return loaded;
  }
  Result<void> reexec() const {
    if (files_ != Files::as_in_force) return failure("it is stopping");
    return {};
  }

  World world_;
  Node& node_;
  std::unique_ptr<EventLoop> loop_;
  FileStore store_;
  std::unique_ptr<Worker> worker_;
  LoadedConfig base_;
  Files files_ = Files::as_in_force;
  bool changed_ = false;
  Lifecycle life_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<ControlServer> server_;
};

/// A daemon in its first state, the same for each input.
Daemon& fresh_daemon() {
  static std::unique_ptr<Daemon> daemon;
  if (daemon && daemon->changed()) daemon.reset();
  if (!daemon) daemon = std::make_unique<Daemon>();
  daemon->write(Files::as_in_force);
  return *daemon;
}

/// A client that sends anything, and checks what it gets.
class Client {
 public:
  Client() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    static const sockaddr_un address = address_of(control_path());
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fd_ = Fd();
  }
  void say(const std::string& text) {
    if (fd_) (void)!::send(fd_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  void say_no_more() {
    if (fd_) ::shutdown(fd_.get(), SHUT_WR);
  }
  /// Reads; false once the daemon has closed the connection.
  bool read() {
    static std::array<char, 65536> buffer;
    ssize_t size = 0;
    while (fd_ && (size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0)
      check(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
    const bool gone = !fd_ || size == 0 || errno == ECONNRESET;
    VIPD_ASSERT(!gone || unfinished_.empty());
    return !gone;
  }

 private:
  void check(std::string_view text) {
    unfinished_ += text;
    for (std::size_t end = 0; (end = unfinished_.find('\n')) != std::string::npos; unfinished_.erase(0, end + 1)) {
      const std::string_view line = std::string_view(unfinished_).substr(0, end);
      VIPD_ASSERT(line.starts_with(R"({"schema":"vipd.)") && line.ends_with('}'));
      VIPD_ASSERT(std::ranges::none_of(line, [](char c) { return c >= 0 && c < ' '; }));
    }
  }

  Fd fd_;
  std::string unfinished_;
};

void talk(Bytes& bytes) {
  Daemon& daemon = fresh_daemon();
  std::array<std::unique_ptr<Client>, 4> clients;
  while (!bytes.empty()) {
    const unsigned choice = bytes.octet();
    auto& client = clients[choice / 8 % 4];
    if (!client) client = std::make_unique<Client>();
    switch (choice % 8) {
      case 0: {
        const auto piece = bytes.take(bytes.octet());
        client->say({piece.begin(), piece.end()});
        break;
      }
      case 1:
        client->say_no_more();
        break;
      case 2:
        client.reset();
        break;
      case 3:
        daemon.write(static_cast<Files>(choice / 32 % 4));
        break;
      case 4:
        daemon.flap();
        break;
      case 5:
        client->say("{\"verb\":\"events\",\"follow\":true}\n");
        break;
      case 6:
        if (!client->read()) client.reset();
        break;
      default:
        break;
    }
    daemon.turn();
  }
  for (int i = 0; i < 6; ++i) daemon.turn();  // enough turns to be accepted, heard and dropped
  for (auto& client : clients)
    if (client) client->read();
  clients = {};
  for (int i = 0; i < 4; ++i) daemon.turn();
}

/// Sends one request and ends, the shortest way to the verbs.
void ask(Bytes& bytes) {
  Daemon& daemon = fresh_daemon();
  daemon.write(static_cast<Files>(bytes.octet() % 4));
  Client client;
  client.say(bytes.text() + "\n");
  int turns = 0;
  while (client.read() && ++turns < 8) daemon.turn();
}

/// Checks that vipctl reads the sent octets line by line, and gets an error at their end.
void answer(Bytes& bytes) {
  static const std::string path = scratch("other.sock");
  static const Fd listener = [] {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(path);
    VIPD_ASSERT(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    VIPD_ASSERT(::listen(fd.get(), 4) == 0);
    return fd;
  }();
  auto client = ControlClient::connect(path, std::chrono::seconds(1));
  VIPD_ASSERT(client.has_value());
  Fd daemon(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const std::string said = bytes.text();
  const std::size_t first = said.size() / 2;
  VIPD_ASSERT(::send(daemon.get(), said.data(), first, MSG_NOSIGNAL) == static_cast<ssize_t>(first));
  std::string heard;
  bool ended = false;
  for (;;) {
    const auto line = client->receive_line(Duration::zero());
    if (line) {
      heard += *line + "\n";
    } else if (std::exchange(ended, true)) {
      break;
    } else {
      VIPD_ASSERT(::send(daemon.get(), said.data() + first, said.size() - first, MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(said.size() - first));
      daemon = Fd();
    }
  }
  VIPD_ASSERT(heard == said.substr(0, said.rfind('\n') + 1));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const unsigned choice = bytes.octet();
  if (choice == 't')
    talk(bytes);
  else if (choice == 'a')
    answer(bytes);
  else
    ask(bytes);
  return 0;
}
