/// Network messages: what rtnetlink(7) says of links, addresses, routes and rules, applied to a NetworkView.
///
/// Whatever stands in a datagram, it is read within its bounds, and what makes no sense changes nothing: an attribute
/// that is missing, or of another size than it has to be, counts as one that is not there. Who said it is not known
/// here: see receive() in netlink.hpp. Caller: RtnlKernel.
#pragma once

#include <string>
#include <vector>

#include "vipd/os/kernel.hpp"

struct nlmsghdr;

namespace vipd {

/// IFA_PROTO; linux/if_addr.h has it from 5.18 on.
inline constexpr std::uint16_t kIfaProto = 11;

/// Applies RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWRULE and their RTM_DEL…; any other message changes nothing.
/// Returns the names of the interfaces of which something changed; two for one that was renamed, an empty one for
/// routes and rules.
std::vector<std::string> apply(const nlmsghdr& message, NetworkView& view);

}  // namespace vipd
