/// The virtual MAC: the hardware address of a virtual router on any node where it is Active (RFC 9568 7.3).
///
/// Hosts and switches keep one entry for the virtual addresses; at a failover only the switch port changes. The adverts
/// of the Active router have the virtual MAC as their source (RFC 9568 7.2), so each advert teaches the switch the
/// port. Such an advert leaves as a whole frame. The IP stack would write the interface's own MAC into it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vipd/base/ip.hpp"

namespace vipd {

/// 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6 (RFC 9568 7.3). `vrid` is 1..255.
MacAddress virtual_mac(Family family, std::uint8_t vrid);

/// Makes an Ethernet frame of an advert to the VRRP group: TTL or hop limit 255, DSCP CS6 (conformance A05, A11).
/// `message` is the output of encode() for `source` and the group.
std::vector<std::uint8_t> advert_frame(const MacAddress& mac, const IpAddress& source,
                                       std::span<const std::uint8_t> message);

}  // namespace vipd
