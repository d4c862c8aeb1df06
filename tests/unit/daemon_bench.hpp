/// Bench: a real control socket on a real loop, the daemon's own Supervisor on a fake machine.
#pragma once

#include "vipd/daemon/control_server.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <functional>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/sim/world.hpp"

namespace vipd::test {

using namespace vipd::sim;

inline LoadedConfig loaded(const Config& config, const std::string& text) {
  return {.sources = {{"vipd.toml", text}}, .diagnostics = {}, .config = std::make_shared<const Config>(config)};
}

inline Config with_one_instance() {
  Config config;
  config.instances.push_back(web_instance(254));
  return config;
}

class Bench {
 public:
  Bench() : Bench(with_one_instance()) {}
  explicit Bench(const Config& config)
      : world(1),
        node(world.add_node(config)),
        loop(std::move(*EventLoop::create())),
        reader(std::move(*Worker::create(*loop))),
        disk(std::move(*Worker::create(*loop))) {
    node.start();
    (void)life.take(LifeEvent::started);
    reloader = std::make_unique<Reloader>(
        *loop, Reloader::Workers{*reader, *disk}, *node.supervisor, life,
        Reloader::Kept{{store, directory_.path() + "/in-force"}, unconfirmed()},
        [this](const LoadedConfig&) {
          while_reading();
          return on_disk;
        },
        loaded(node.config, "first"));
    server = std::move(*ControlServer::open(*loop, path(), {}, *node.supervisor, *reloader, *reader,
                                            [this] { return reexec(); },
                                            {.host = "lb1", .started = loop->now(), .pid = 42}));
  }
  std::string path() const { return directory_.socket(); }
  /// Sets the configuration of the files from now on.
  void write(const Config& config, const std::string& text) { on_disk = loaded(config, text); }
  /// Sets the files to the first configuration with another priority.
  void write_priority(std::uint8_t priority, const std::string& text) {
    Config wanted = node.config;
    wanted.instances[0].priority = priority;
    write(wanted, text);
  }
  int priority() const { return node.router().standing().base_priority(); }
  std::string unconfirmed_path() const { return directory_.path() + "/unconfirmed.json"; }
  UnconfirmedConfig unconfirmed() { return {store, unconfirmed_path()}; }

  Fd connect() const {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }
  /// Turns the loop until it has nothing left to do.
  void turn() const {
    const auto is_idle = [this] { return reader->idle() && disk->idle(); };
    for (int i = 0; i < 20 || !is_idle(); ++i) loop->turn(is_idle() ? Duration::zero() : std::chrono::milliseconds(1));
  }
  /// All octets that the server has sent; `closed` becomes true if it has closed the connection.
  std::string read_all(const Fd& fd, bool* closed = nullptr) const {
    std::string text;
    char buffer[65536];
    ssize_t size = 0;
    while ((size = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
      text.append(buffer, static_cast<std::size_t>(size));
    if (closed != nullptr) *closed = size == 0 || errno == ECONNRESET;
    return text;
  }
  /// Sends a request and does not wait for the answer.
  Fd say(const std::string& request) const {
    Fd fd = connect();
    (void)!::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    return fd;
  }
  std::string ask(const std::string& request) const {
    const Fd fd = say(request);
    turn();
    bool closed = false;
    const std::string text = read_all(fd, &closed);
    CHECK(closed);
    return text;
  }

  World world;
  Node& node;
  std::unique_ptr<EventLoop> loop;
  FileStore store;
  std::unique_ptr<Worker> reader, disk;
  std::function<void()> while_reading = [] {};  ///< runs in the reader's thread
  Result<LoadedConfig> on_disk = failure("cannot read vipd.toml");

 private:
  TemporaryDirectory directory_;

 public:
  Lifecycle life;
  std::unique_ptr<Reloader> reloader;
  std::unique_ptr<ControlServer> server;
  std::optional<std::string> no_reexec;  ///< why a re-exec is refused; nullopt if it is not
  int reexecs = 0;

  Result<void> reexec() {
    if (no_reexec) return failure(*no_reexec);
    ++reexecs;
    return {};
  }
};

}  // namespace vipd::test
