/// Link messages: the rtnetlink(7) requests that make, change, read and remove a link.
///
/// Each writes one message to `buffer`, which has room for kLinkMessageSize octets, and returns it; whoever sends it
/// gives it its sequence number. Caller: RtnlKernel.
#pragma once

#include <cstddef>
#include <string>

#include "vipd/base/ip.hpp"

struct nlmsghdr;

namespace vipd {

inline constexpr std::size_t kLinkMessageSize = 512;  ///< octets: names, a MAC and the longest alias fit
inline constexpr std::size_t kMaxLinkAlias = 255;     ///< IFALIASZ without its end

/// A new macvlan in bridge mode, down. Bridge mode, because in private mode the parent does not get to see multicast
/// from somebody who uses the same MAC: two Active routers would not hear each other.
nlmsghdr* put_macvlan(void* buffer, int parent, const std::string& name, const MacAddress& mac);
/// The link's alias, by its name: it cannot be given when the link is made.
nlmsghdr* put_link_alias(void* buffer, const std::string& name, const std::string& alias);
/// Up or down, and the alias.
nlmsghdr* put_link_change(void* buffer, int ifindex, bool up, const std::string& alias);
nlmsghdr* put_link_removal(void* buffer, int ifindex);            ///< by its index
nlmsghdr* put_link_query(void* buffer, const std::string& name);  ///< answered by RTM_NEWLINK
nlmsghdr* put_link_query(void* buffer, int ifindex);              ///< likewise

inline constexpr std::size_t kPromotionSize = 64;  ///< octets; put_promotion() writes no more

/// The request that switches promote_secondaries of one interface (linux/inetdevice.h). Unlike a write below /proc/sys
/// it works where that is read-only, too. The kernel answers it only if it fails. Returns its size, a multiple of the
/// alignment of an nlmsghdr.
std::size_t put_promotion(void* buffer, int ifindex, bool on, unsigned sequence);

}  // namespace vipd
