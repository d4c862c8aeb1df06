/// Announcements: the frames that tell the segment where an address lives now.
///
/// A whole Ethernet frame each, sent as it is. Callers: AddressOwner, after the kernel has acknowledged the address
/// (RFC 9568 8.1.2: never before). In real-MAC mode the hardware address is the interface's.
#pragma once

#include <array>
#include <cstdint>

#include "vipd/base/ip.hpp"

namespace vipd {

inline constexpr std::size_t kArpFrameSize = 14 + 28;      ///< Ethernet, ARP (RFC 826)
inline constexpr std::size_t kNaFrameSize = 14 + 40 + 32;  ///< Ethernet, IPv6, ICMPv6 with one option

/// Which of the two ARP messages (RFC 826).
enum class ArpForm : std::uint8_t { request = 1, reply = 2 };

/// Gratuitous ARP: sender and target IP are the virtual address, to the broadcast address. RFC 9568 6.4.1 with errata
/// 7947 and 7949 asks for the request form; some old equipment learns from replies only (RFC 5227 3, RFC 5944 4.6,
/// which has the sender's MAC as target too). `address` is IPv4.
std::array<std::uint8_t, kArpFrameSize> gratuitous_arp(const MacAddress& mac, const IpAddress& address,
                                                       ArpForm form = ArpForm::request);

/// Unsolicited neighbour advertisement (RFC 4861 4.4, RFC 9568 6.4.1): from the virtual address to ff02::1, Override
/// set, Solicited clear, target link-layer address option. `router` is the R flag and follows the interface's
/// forwarding, so that it agrees with what the kernel answers to solicitations. `address` is IPv6.
std::array<std::uint8_t, kNaFrameSize> unsolicited_na(const MacAddress& mac, const IpAddress& address, bool router);

}  // namespace vipd
