/// Memberships: the interfaces on which this machine is in the VRRP group, as the kernel lists them.
///
/// The kernel can drop a membership while the socket still believes in it. The kernel drops all of IPv6 when the MTU of
/// a device falls below 1280. An interface can also vanish and come back with the same index while nobody reads
/// notifications. RawWire therefore compares its sockets with these lists. Source: /proc/net/igmp (net/ipv4/igmp.c,
/// igmp_mc_seq_show) and /proc/net/igmp6 (net/ipv6/mcast.c, igmp6_mc_seq_show).
#pragma once

#include <istream>
#include <set>

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"

namespace vipd {

/// The indices of the interfaces that are in the VRRP group of the family, read from a file of /proc/net. Malformed
/// lines are skipped.
std::set<int> read_members(std::istream& file, Family family);

/// The same for the network namespace of this process, now. Fails if the file cannot be opened.
Result<std::set<int>> members_now(Family family);

}  // namespace vipd
