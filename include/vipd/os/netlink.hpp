/// Netlink: datagrams of the kernel, message by message; the common part of rtnetlink and nf_tables.
///
/// Only messages from the kernel count, and their port id is 0. Any process with CAP_NET_ADMIN in the namespace can
/// send to vipd's socket.
#pragma once

#include <functional>
#include <span>

struct nlmsghdr;

namespace vipd {

/// Handles one message.
using HandleMessage = std::function<void(const nlmsghdr&)>;

/// Calls `handle` for each whole message of a datagram. The datagram is aligned as an nlmsghdr.
void for_each_message(std::span<const char> datagram, const HandleMessage& handle);

/// The outcome of receive().
enum class Received {
  messages,  ///< a datagram was read; it was dropped if another process sent it
  nothing,   ///< no datagram is waiting
  overrun,   ///< the receive buffer overflowed and messages are lost (netlink(7), ENOBUFS)
};

/// Receives one datagram without waiting, and hands each of its messages to `handle`.
Received receive(int fd, const HandleMessage& handle);

/// The errno in an NLMSG_ERROR; 0 = acknowledged.
int error_in(const nlmsghdr& message);

}  // namespace vipd
