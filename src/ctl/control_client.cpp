#include "vipd/ctl/control_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/base/control.hpp"

namespace vipd {
namespace {

using std::chrono::steady_clock;

Result<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return std::unexpected(Error{path + ": the path of a socket cannot be longer than " +
                                     std::to_string(sizeof address.sun_path - 1) + " octets",
                                 ENAMETOOLONG});
  std::ranges::copy(path, address.sun_path);
  return address;
}

std::string no_daemon(const std::string& path, const char* finding) {
  return "no daemon: " + path + ' ' + finding + "; start it: systemctl start vipd";
}

std::string not_permitted(const std::string& path) {
  return "permission denied for " + path +
         ": only root and the group vipd may talk to the daemon; use sudo, or join "
         "the group: sudo usermod -aG vipd \"$USER\", then log in again";
}

std::string no_answer(const std::string& path) {
  return "the daemon does not answer on " + path + "; see: systemctl status vipd";
}

std::unexpected<Error> connect_failure(const std::string& path, int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return std::unexpected(Error{no_daemon(path, "does not exist"), ENOENT});
    case ECONNREFUSED:
      return std::unexpected(Error{no_daemon(path, "exists, but no process listens"), code});
    case EACCES:
    case EPERM:
      return std::unexpected(Error{not_permitted(path), EACCES});
    case EAGAIN:  // the queue of connections stayed full until SO_SNDTIMEO
      return std::unexpected(Error{no_answer(path), ETIMEDOUT});
    default:
      return system_failure("cannot connect to " + path, code);
  }
}

/// Makes connect(2) and send(2) fail with EAGAIN after `patience`.
void bound_sending(int descriptor, Duration patience) {
  const auto us = std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(patience).count());
  const timeval bound{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
  VIPD_ASSERT(setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) == 0);
}

int connect_retrying(int descriptor, const sockaddr_un& address) {
  int result = 0;
  do {  // a stop and the shell's `fg` interrupt a call with a timeout
    result = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (result != 0 && errno == EINTR);
  return result;
}

/// Milliseconds for poll(2); -1 = no limit. Rounded up, so that the caller does not spin before the deadline.
int poll_timeout(std::optional<steady_clock::time_point> deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

}  // namespace

ControlClient::ControlClient(int descriptor, std::string socket_path)
    : descriptor_(descriptor), socket_path_(std::move(socket_path)) {}

ControlClient::ControlClient(ControlClient&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      socket_path_(std::move(other.socket_path_)),
      buffer_(std::move(other.buffer_)),
      searched_(other.searched_),
      any_received_(other.any_received_) {}

ControlClient::~ControlClient() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<ControlClient> ControlClient::connect(const std::string& socket_path, Duration patience) {
  const auto address = socket_address(socket_path);
  if (!address) return std::unexpected(address.error());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_failure("cannot make a socket", errno);
  ControlClient client(descriptor, socket_path);
  bound_sending(descriptor, patience);
  if (connect_retrying(descriptor, *address) != 0) return connect_failure(socket_path, errno);
  return client;
}

Result<void> ControlClient::send(const std::string& request) {
  const std::string line = request + '\n';
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t octets = ::send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (octets >= 0) {
      sent += static_cast<std::size_t>(octets);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return {};
    } else if (errno == EAGAIN) {
      return timed_out();
    } else if (errno != EINTR) {
      return system_failure("cannot write to " + socket_path_, errno);
    }
  }
  return {};
}

Result<std::string> ControlClient::receive_line(std::optional<Duration> patience) {
  std::optional<steady_clock::time_point> deadline;
  if (patience) deadline = steady_clock::now() + *patience;
  for (;;) {
    if (auto line = take_line()) return std::move(*line);
    if (buffer_.size() > kLongestAnswer)
      return failure("the daemon's answer is broken: it is longer than " + std::to_string(kLongestAnswer >> 20) +
                     " MiB");
    if (auto received = receive_more(deadline); !received) return std::unexpected(received.error());
  }
}

std::optional<std::string> ControlClient::take_line() {
  const std::size_t end = buffer_.find('\n', searched_);
  searched_ = end == std::string::npos ? buffer_.size() : 0;
  if (end == std::string::npos || end > kLongestAnswer) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  any_received_ = true;
  return line;
}

Result<void> ControlClient::receive_more(std::optional<steady_clock::time_point> deadline) {
  if (auto readable = wait_readable(deadline); !readable) return readable;
  std::array<char, 65536> chunk;
  const ssize_t octets = recv(descriptor_, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (octets > 0) {
    buffer_.append(chunk.data(), static_cast<std::size_t>(octets));
  } else if (octets == 0 || errno == ECONNRESET) {
    return closed();
  } else if (errno != EINTR && errno != EAGAIN) {
    return system_failure("cannot read from " + socket_path_, errno);
  }
  return {};
}

Result<void> ControlClient::wait_readable(std::optional<steady_clock::time_point> deadline) const {
  pollfd entry{.fd = descriptor_, .events = POLLIN, .revents = 0};
  for (;;) {
    const int ready = poll(&entry, 1, poll_timeout(deadline));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return system_failure("cannot wait for " + socket_path_, errno);
    if (deadline && steady_clock::now() >= *deadline) return timed_out();
  }
}

std::unexpected<Error> ControlClient::timed_out() const {
  return std::unexpected(Error{no_answer(socket_path_), ETIMEDOUT});
}

std::unexpected<Error> ControlClient::closed() const {
  if (!buffer_.empty()) return failure("the daemon closed the connection in the middle of an answer");
  if (any_received_) return failure("the daemon closed the connection; it was stopped or restarted");
  return failure("the daemon closed the connection without an answer");
}

}  // namespace vipd
