/// FakeDaemon: the other end of the control socket, with a script instead of a daemon behind it.
///
/// It has a directory of its own, accepts one client in a thread, and runs the script of the test. The request of the
/// client is kept for the test. Each wait ends with the client or with the object.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace vipd::test {

/// A Unix socket that listens at `path`; the caller closes it.
inline int listen_at(const std::string& path, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::ranges::copy(path, address.sun_path);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(descriptor >= 0);
  REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(descriptor, backlog) == 0);
  return descriptor;
}

/// Sends all of `text` to the client; false if the client has hung up.
inline bool say(int client, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t octets = send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (octets <= 0) return false;
    sent += static_cast<std::size_t>(octets);
  }
  return true;
}

/// Waits until the client hangs up, 10 s at most.
inline void await_hangup(int client) {
  pollfd entry{.fd = client, .events = POLLRDHUP, .revents = 0};
  poll(&entry, 1, 10'000);
}

class FakeDaemon {
 public:
  using Script = std::function<void(int client)>;

  /// Runs `script` for the first client when its request has been read, then hangs up.
  explicit FakeDaemon(Script script)
      : listener_(listen_at(directory_.socket(), 5)), thread_([this, script] { serve(script); }) {}
  /// Answers with `text` and hangs up.
  explicit FakeDaemon(const std::string& text) : FakeDaemon([text](int client) { say(client, text); }) {}
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon() {
    join();
    close(listener_);
  }

  std::string runtime_dir() const { return directory_.path(); }
  std::string socket() const { return directory_.socket(); }

  /// The request of the client, once the conversation is over.
  std::string request() {
    join();
    return request_;
  }

 private:
  void serve(const Script& script) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    std::array<char, 256> chunk;
    while (request_.find('\n') == std::string::npos) {
      const ssize_t octets = recv(client, chunk.data(), chunk.size(), 0);
      if (octets <= 0) break;
      request_.append(chunk.data(), static_cast<std::size_t>(octets));
    }
    script(client);
    close(client);
  }

  void join() {
    if (!thread_.joinable()) return;
    shutdown(listener_, SHUT_RDWR);  // wakes the accept(2) if no client came
    thread_.join();
  }

  TemporaryDirectory directory_;
  int listener_;
  std::string request_;
  std::thread thread_;
};

}  // namespace vipd::test
