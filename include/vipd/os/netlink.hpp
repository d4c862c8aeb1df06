/// Netlink: datagrams of the kernel, message by message; what both families of it that vipd speaks have in common.
///
/// Only what comes from the kernel counts: its port id is 0, and any process with CAP_NET_ADMIN in the namespace may
/// send to ours. Callers: RtnlKernel, RefusedAddresses.
#pragma once

#include <functional>
#include <span>

struct nlmsghdr;

namespace vipd {

/// What is done with each message.
using HandleMessage = std::function<void(const nlmsghdr&)>;

/// Calls `handle` for each whole message of a datagram, which is aligned as an nlmsghdr.
void for_each_message(std::span<const char> datagram, const HandleMessage& handle);

/// What receive() got.
enum class Received {
  messages,  ///< a datagram; one that is not the kernel's was dropped
  nothing,   ///< none waits
  overrun,   ///< the kernel had more to say than there was room for, and some of it is lost (netlink(7), ENOBUFS)
};

/// Receives one datagram without waiting, and hands each message in it to `handle`.
Received receive(int fd, const HandleMessage& handle);

/// The errno in an NLMSG_ERROR; 0 = acknowledged.
int error_in(const nlmsghdr& message);

}  // namespace vipd
