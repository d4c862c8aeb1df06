/// Announcements: the frames that tell the segment where an address lives now, and what such frames of others say.
///
/// A whole Ethernet frame each, sent as it is. Callers: AddressOwner, after the kernel has acknowledged the address
/// (RFC 9568 8.1.2: never before). In real-MAC mode the hardware address is the interface's. A probe asks who else has
/// an address and claims nothing; VirtualRouter sends it. Supervisor reads what other hosts announce.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "vipd/base/ip.hpp"

namespace vipd {

inline constexpr std::size_t kArpFrameSize = 14 + 28;      ///< Ethernet, ARP (RFC 826)
inline constexpr std::size_t kNaFrameSize = 14 + 40 + 32;  ///< Ethernet, IPv6, ICMPv6 with one option
inline constexpr std::size_t kNsFrameSize = 14 + 40 + 24;  ///< Ethernet, IPv6, ICMPv6 without an option

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

/// ARP probe (RFC 5227 1.1): a request from 0.0.0.0. The host that has `address`, an IPv4 one, answers to `mac`.
std::array<std::uint8_t, kArpFrameSize> arp_probe(const MacAddress& mac, const IpAddress& address);

/// Neighbour solicitation from the unspecified address (RFC 4862 5.4.2). The host that has `address`, an IPv6 one,
/// answers to all nodes.
std::array<std::uint8_t, kNsFrameSize> neighbour_probe(const MacAddress& mac, const IpAddress& address);

/// What a host says when it announces or defends an address.
struct AddressClaim {
  IpAddress address;
  MacAddress mac;  ///< where packets to the address would go
  friend bool operator==(const AddressClaim&, const AddressClaim&) = default;
};

/// What an Ethernet frame with ARP says of its sender. Every host that knows the sender's address takes the MAC over,
/// from requests and replies alike (RFC 826). nullopt for a probe and for anything that is no ARP for IPv4.
std::optional<AddressClaim> claim_in_arp(std::span<const std::uint8_t> frame);

/// What an ICMPv6 message says, if it is a neighbour advertisement with the target's link-layer address that hosts take
/// (RFC 4861 7.1.2: hop limit 255). Its checksum is not judged.
std::optional<AddressClaim> claim_in_advertisement(std::span<const std::uint8_t> message, int hop_limit);

}  // namespace vipd
