/// The virtual MAC: the hardware address that a virtual router has on whatever node it is Active (RFC 9568 7.3).
///
/// Hosts and switches keep one entry for the virtual addresses; what moves at a failover is the port. The adverts of
/// the Active router carry it as their source (RFC 9568 7.2), so the switch learns the port with each of them. Such an
/// advert leaves as a whole frame, past the IP stack, which would write the interface's own address into it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vipd/base/ip.hpp"

namespace vipd {

/// 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6 (RFC 9568 7.3). `vrid` is 1..255.
MacAddress virtual_mac(Family family, std::uint8_t vrid);

/// An advert to the VRRP group as an Ethernet frame: TTL or hop limit 255, DSCP CS6 (conformance A05, A11). `message`
/// is what encode() has written for `source` and the group.
std::vector<std::uint8_t> advert_frame(const MacAddress& mac, const IpAddress& source,
                                       std::span<const std::uint8_t> message);

}  // namespace vipd
