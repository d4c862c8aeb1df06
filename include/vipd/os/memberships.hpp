/// Memberships: where this machine is in the VRRP group, as the kernel says.
///
/// A socket goes on believing that it is a member after the kernel has dropped the membership of its device: with the
/// whole of IPv6 when the MTU of the device becomes less than 1280, or with an interface that went while nobody read
/// notifications and came back with the same index. So whoever has joined compares. Source: /proc/net/igmp
/// (net/ipv4/igmp.c, igmp_mc_seq_show) and /proc/net/igmp6 (net/ipv6/mcast.c, igmp6_mc_seq_show). Caller: RawWire.
#pragma once

#include <istream>
#include <set>

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"

namespace vipd {

/// The indices of the interfaces that are in the VRRP group of the family, by the text of the file in /proc/net. What
/// makes no sense there is passed over.
std::set<int> read_members(std::istream& file, Family family);

/// The same as of now, in the network namespace of this process. Fails if the file cannot be opened.
Result<std::set<int>> members_now(Family family);

}  // namespace vipd
