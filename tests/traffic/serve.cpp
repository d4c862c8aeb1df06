// Answers from the address that was asked. An answer from another address would hide where the virtual address is.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "traffic.hpp"

namespace vipd::traffic {
namespace {

/// One socket for both families: IPv4 addresses are mapped ones, in the ancillary data, too.
Fd bound_socket(const std::string& port) {
  Fd fd(checked(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const int on = 1, off = 0;
  checked(setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), "IPV6_V6ONLY");
  checked(setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on), "IPV6_RECVPKTINFO");
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(static_cast<std::uint16_t>(std::stoul(port)));
  checked(bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), "bind");
  return fd;
}

/// Sends the datagram back with `name` behind it. The ancillary data has the datagram's destination, which becomes the
/// source. If the send is refused, the address has just gone, and the asker will notice.
bool answer_one(const Fd& fd, const std::string& name) {
  std::array<char, 2048> text;
  std::array<char, 128> control;
  sockaddr_in6 asker{};
  iovec piece{text.data(), text.size() - name.size()};
  msghdr message{};
  message.msg_name = &asker;
  message.msg_namelen = sizeof asker;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t octets = recvmsg(fd.get(), &message, 0);
  if (octets < 0) return false;
  std::memcpy(text.data() + octets, name.data(), name.size());
  piece.iov_len = static_cast<std::size_t>(octets) + name.size();
  (void)sendmsg(fd.get(), &message, MSG_NOSIGNAL);
  return true;
}

}  // namespace

int serve(const ServeOptions& options, const Until& until) {
  if (options.name.size() > 256) throw std::invalid_argument("the name is too long");
  const Fd fd = bound_socket(options.port);
  std::array<pollfd, 2> events{{{fd.get(), POLLIN, 0}, {until.fd(), POLLIN, 0}}};
  while (events[1].revents == 0) {
    checked(poll(events.data(), events.size(), -1), "poll");
    while (answer_one(fd, options.name)) {
    }
  }
  return 0;
}

}  // namespace vipd::traffic
