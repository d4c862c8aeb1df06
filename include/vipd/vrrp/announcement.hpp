/// Announcements: frames that tell the segment where an address is now, and the parsing of other hosts' announcements.
///
/// Each is a whole Ethernet frame. An address is announced only after the kernel has acknowledged it (RFC 9568 8.1.2).
/// In real-MAC mode the hardware address is that of the interface. A probe asks for the holder of an address and claims
/// nothing.
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

/// The two ARP messages (RFC 826).
enum class ArpForm : std::uint8_t { request = 1, reply = 2 };

/// Gratuitous ARP to the broadcast address: sender and target IP are the virtual address. RFC 9568 6.4.1 with errata
/// 7947 and 7949 asks for the request form. Some old equipment learns from replies only (RFC 5227 3; RFC 5944 4.6,
/// whose target MAC is the sender's, too). `address` is IPv4.
std::array<std::uint8_t, kArpFrameSize> gratuitous_arp(const MacAddress& mac, const IpAddress& address,
                                                       ArpForm form = ArpForm::request);

/// Unsolicited neighbour advertisement (RFC 4861 4.4, RFC 9568 6.4.1) from the virtual address to ff02::1. Override is
/// set, Solicited is clear, and the target link-layer address option is there. `router` is the R flag. It must equal
/// the forwarding of the interface, because the kernel answers solicitations with that. `address` is IPv6.
std::array<std::uint8_t, kNaFrameSize> unsolicited_na(const MacAddress& mac, const IpAddress& address, bool router);

/// ARP probe (RFC 5227 1.1): a request from 0.0.0.0. The holder of `address`, which is IPv4, answers to `mac`.
std::array<std::uint8_t, kArpFrameSize> arp_probe(const MacAddress& mac, const IpAddress& address);

/// Neighbour solicitation from the unspecified address (RFC 4862 5.4.2). The holder of `address`, which is IPv6,
/// answers to all nodes.
std::array<std::uint8_t, kNsFrameSize> neighbour_probe(const MacAddress& mac, const IpAddress& address);

/// The content of another host's announcement of an address.
struct AddressClaim {
  IpAddress address;
  MacAddress mac;  ///< hardware address to which packets to the address would go
  friend bool operator==(const AddressClaim&, const AddressClaim&) = default;
};

/// Reads the sender's claim from an Ethernet frame with ARP. Every host that knows the sender's address stores its MAC,
/// from requests and replies alike (RFC 826). nullopt for a probe and for anything but ARP for IPv4.
std::optional<AddressClaim> claim_in_arp(std::span<const std::uint8_t> frame);

/// Reads the claim from an ICMPv6 message. nullopt unless it is a neighbour advertisement that hosts accept (RFC 4861
/// 7.1.2: hop limit 255) with the target's link-layer address. The checksum is not verified.
std::optional<AddressClaim> claim_in_advertisement(std::span<const std::uint8_t> message, int hop_limit);

}  // namespace vipd
