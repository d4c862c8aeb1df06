#include "vipd/os/message_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vipd {
namespace {

constexpr int kType = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure("the path of the socket is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

MessageSocket::MessageSocket(EventLoop& loop, Fd fd, OnMessage on_message, OnClosed on_closed)
    : loop_(loop), fd_(std::move(fd)), on_message_(std::move(on_message)), on_closed_(std::move(on_closed)) {}

Result<std::unique_ptr<MessageSocket>> MessageSocket::open(EventLoop& loop, Fd fd, OnMessage on_message,
                                                           OnClosed on_closed) {
  std::unique_ptr<MessageSocket> socket(
      new MessageSocket(loop, std::move(fd), std::move(on_message), std::move(on_closed)));
  auto watch = loop.watch(socket->fd_.get(), EPOLLIN, Urgency::rest, [self = socket.get()] { self->on_ready(); });
  if (!watch) return std::unexpected(watch.error());
  socket->watch_ = std::move(*watch);
  return socket;
}

bool MessageSocket::send(const Json& message) {
  std::string packet = to_text(message);
  if (packet.size() > kLongest) return false;
  unsent_.push_back(std::move(packet));
  if (unsent_.size() == 1) loop_.rewatch(watch_, EPOLLIN | EPOLLOUT);
  return true;
}

/// Sends queued messages. An error other than a full buffer also wakes on_ready(), which handles it.
void MessageSocket::flush() {
  while (!unsent_.empty()) {
    if (::send(fd_.get(), unsent_.front().data(), unsent_.front().size(), MSG_NOSIGNAL) < 0) break;
    unsent_.pop_front();
  }
  loop_.rewatch(watch_, unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void MessageSocket::on_ready() {
  flush();
  const ssize_t waiting = ::recv(fd_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  std::string packet(static_cast<std::size_t>(std::clamp<ssize_t>(waiting, 0, kLongest)), '\0');
  const ssize_t size = waiting < 0 ? waiting : ::recv(fd_.get(), packet.data(), packet.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  packet.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const Json message = parse_json(packet);
  // Handlers are copied, because a handler may destroy this socket.
  if (message.is_object()) {
    const OnMessage handler = on_message_;
    return handler(message);
  }
  const OnClosed handler = on_closed_;
  handler();
}

Result<SocketPair> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, kType, 0, ends) < 0) return system_failure("cannot make a pair of sockets", errno);
  return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> connect_to(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  Fd fd(::socket(AF_UNIX, kType, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) < 0)
    return system_failure("cannot connect to " + path, errno);
  return fd;
}

Result<Fd> listen_at(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  Fd fd(::socket(AF_UNIX, kType, 0));
  if (!fd) return system_failure("cannot make a socket", errno);
  ::unlink(path.c_str());
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  ::umask(mask);
  if (bound < 0 || ::listen(fd.get(), 8) < 0) return system_failure("cannot listen at " + path, errno);
  return fd;
}

}  // namespace vipd
