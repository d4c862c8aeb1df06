/// Network messages: the kernel's rtnetlink(7) notifications of links, addresses, routes and rules, applied to a
/// NetworkView.
///
/// A datagram is read within its bounds whatever its content, and a malformed message changes nothing. An attribute of
/// the wrong size counts as missing. The sender is not checked here: see receive() in netlink.hpp.
#pragma once

#include <string>
#include <vector>

#include "vipd/os/kernel.hpp"

struct nlmsghdr;

namespace vipd {

/// IFA_PROTO; in linux/if_addr.h since Linux 5.18.
inline constexpr std::uint16_t kIfaProto = 11;

/// Applies RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWRULE and their RTM_DEL counterparts; other messages change
/// nothing. Returns the names of the interfaces that changed: both names after a rename, an empty name for routes and
/// rules.
std::vector<std::string> apply(const nlmsghdr& message, NetworkView& view);

}  // namespace vipd
