/// Link messages: the rtnetlink(7) requests that make, change, read and remove a link.
///
/// Each function writes one message to `buffer`, which has room for kLinkMessageSize octets, and returns it. The caller
/// sets the sequence number.
#pragma once

#include <cstddef>
#include <string>

#include "vipd/base/ip.hpp"

struct nlmsghdr;

namespace vipd {

inline constexpr std::size_t kLinkMessageSize = 512;  ///< octets; names, a MAC and the longest alias fit
inline constexpr std::size_t kMaxLinkAlias = 255;     ///< octets; IFALIASZ without the terminating NUL

/// Makes a macvlan in bridge mode, down. In private mode the parent would not receive multicast from another host with
/// the same MAC, and two Active routers would not hear each other.
nlmsghdr* put_macvlan(void* buffer, int parent, const std::string& name, const MacAddress& mac);
/// Sets the alias of a link by the link's name. The kernel takes no alias in the message that makes the link.
nlmsghdr* put_link_alias(void* buffer, const std::string& name, const std::string& alias);
/// Sets a link up or down, and its alias.
nlmsghdr* put_link_change(void* buffer, int ifindex, bool up, const std::string& alias);
nlmsghdr* put_link_removal(void* buffer, int ifindex);  ///< removes the link with this index
/// asks for a link by name; the answer is RTM_NEWLINK
nlmsghdr* put_link_query(void* buffer, const std::string& name);
nlmsghdr* put_link_query(void* buffer, int ifindex);  ///< asks for a link by index; the answer is RTM_NEWLINK

inline constexpr std::size_t kPromotionSize = 64;  ///< octets; the longest message of put_promotion()

/// Switches promote_secondaries of one interface (linux/inetdevice.h). A netlink request works even if /proc/sys is
/// read-only. The kernel answers only if the request fails. Returns the size of the message, a multiple of the
/// alignment of an nlmsghdr.
std::size_t put_promotion(void* buffer, int ifindex, bool on, unsigned sequence);

}  // namespace vipd
