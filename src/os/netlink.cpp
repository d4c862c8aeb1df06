#include "vipd/os/netlink.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vipd {

/// libmnl 1.0.4 reads lengths from 2 GiB on as negative. It also reads attributes to the end of their padding, which
/// the kernel always sends (nlmsg_put()).
void for_each_message(std::span<const char> datagram, const HandleMessage& handle) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto& message = *reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (message.nlmsg_len < sizeof(nlmsghdr) || message.nlmsg_len > datagram.size()) return;
    const std::size_t padded = NLMSG_ALIGN(message.nlmsg_len);
    if (padded > datagram.size()) return;
    handle(message);
    datagram = datagram.subspan(padded);
  }
}

Received receive(int fd, const HandleMessage& handle) {
  alignas(nlmsghdr) static std::array<char, 32768> buffer;
  sockaddr_nl sender{};
  iovec vec{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof sender;
  header.msg_iov = &vec;
  header.msg_iovlen = 1;
  const ssize_t size = ::recvmsg(fd, &header, MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR ? Received::nothing : Received::overrun;
  if (sender.nl_pid != 0) return Received::messages;
  if ((header.msg_flags & MSG_TRUNC) != 0) return Received::overrun;
  for_each_message(std::span(buffer).first(static_cast<std::size_t>(size)), handle);
  return Received::messages;
}

int error_in(const nlmsghdr& message) {
  constexpr int kLargest = 4095;  // MAX_ERRNO
  int error = 1;
  if (message.nlmsg_len >= sizeof(nlmsghdr) + sizeof error) std::memcpy(&error, NLMSG_DATA(&message), sizeof error);
  return error <= 0 && error >= -kLargest ? -error : EIO;
}

}  // namespace vipd
