/// Packet filters: programs by which the kernel drops packets before they wake the process.
///
/// They are classic BPF (linux/filter.h). Each socket of RawWire has one, so the adverts of other routers and the ARP
/// of a busy segment cost nothing. A filter knows VRIDs and addresses, and nothing of what a packet leads to.
#pragma once

#include <linux/filter.h>

#include <bitset>
#include <vector>

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

/// A program; the kernel takes 4096 instructions at most (BPF_MAXINSNS).
using PacketFilter = std::vector<sock_filter>;

/// Gives the socket this filter, in place of the one before. Fails with the errno of setsockopt(2).
Result<void> attach(const Fd& fd, PacketFilter filter);

/// A filter for a socket that is not bound yet: it would receive from every interface.
PacketFilter drop_everything();
/// A filter that passes packets whose second VRRP octet, the VRID, is in the set. A raw IPv4 socket's filter sees the
/// IP header first; a raw IPv6 socket's filter sees only the message.
PacketFilter pass_vrids(Family family, const std::bitset<256>& vrids);
/// A filter that passes announcements of these addresses by other hosts: ARP for IPv4, neighbour advertisements for
/// IPv6. It may pass others, too: an address with the same last four octets, and for very many addresses the range from
/// the least to the greatest.
PacketFilter pass_announcements(Family family, const std::vector<IpAddress>& addresses);

}  // namespace vipd
