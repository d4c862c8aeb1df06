/// PacketParts and build: whole IP packets with an advert in them, correct or wrong in one chosen place.
///
/// They share nothing with the encoder of the program, not even the checksum. So an error cannot hide by being made
/// twice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vipd/vrrp/advert.hpp"

namespace vipd::testing {

using Octets = std::vector<std::uint8_t>;

/// Parses an address that must be valid.
inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

/// A packet in parts. The defaults of ipv4_parts and ipv6_parts are accepted by a receiver for VRID 51.
struct PacketParts {
  IpAddress source, destination;
  std::uint8_t hop_limit = 255;
  std::uint8_t protocol = 112;
  std::uint8_t ip_version = 4;
  std::uint8_t header_words = 5;  ///< IPv4: IHL
  std::uint16_t fragment = 0;     ///< IPv4: flags and offset
  std::uint16_t header_checksum_xor = 0;
  int total_length_error = 0;  ///< added to the length in the IP header
  std::uint8_t version = 3, type = 1, vrid = 51, priority = 100;
  int count = -1;                ///< the count in the message; -1 = the number of addresses
  std::uint16_t interval = 100;  ///< octets 4 and 5: centiseconds, with the Reserve nibble above
  std::vector<IpAddress> addresses;
  Octets trailer;                         ///< after the addresses, inside the IP length
  std::size_t message_limit = SIZE_MAX;   ///< the message is cut to this many octets
  std::size_t datagram_limit = SIZE_MAX;  ///< the datagram is cut to this many octets
  Octets padding;                         ///< octets after the IP length, as Ethernet adds them
  ChecksumForm form = ChecksumForm::pseudo_header;
  std::uint16_t checksum_xor = 0;
};

inline PacketParts ipv4_parts() {
  PacketParts parts;
  parts.source = ip("192.0.2.2");
  parts.destination = ip("224.0.0.18");
  parts.addresses = {ip("192.0.2.10")};
  return parts;
}

inline PacketParts ipv6_parts() {
  PacketParts parts;
  parts.source = ip("fe80::2");
  parts.destination = ip("ff02::12");
  parts.ip_version = 6;
  parts.addresses = {ip("fe80::10"), ip("2001:db8::10")};
  return parts;
}

/// A VRRPv2 message: type of authentication and whole seconds replace the interval, and 8 octets follow at the end.
inline PacketParts v2_parts() {
  PacketParts parts = ipv4_parts();
  parts.version = 2;
  parts.interval = 0x0001;
  parts.trailer.assign(8, 0);
  parts.form = ChecksumForm::message_only;
  return parts;
}

/// The rules of a receiver for VRID 51 of the family, with one policy.
inline ReceiveRules rules_for(Family family, ChecksumPolicy policy = ChecksumPolicy::automatic) {
  ReceiveRules rules;
  rules.family = family;
  rules.vrid = 51;
  rules.checksum = policy;
  return rules;
}

inline ReceiveRules v2_rules() {
  ReceiveRules rules = rules_for(Family::ipv4);
  rules.version = 2;
  return rules;
}

namespace detail {

inline void put(Octets& out, std::span<const std::uint8_t> octets) {
  out.insert(out.end(), octets.begin(), octets.end());
}

inline void put16(Octets& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// The complement of the ones'-complement sum, by the remainder: 2^16 is 1 modulo 0xffff. A sum of words that are not
/// all zero is 0xffff instead of the remainder 0.
inline std::uint16_t checksum_of(const Octets& octets) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) sum += octets[i] * (i % 2 == 0 ? 256ULL : 1ULL);
  const std::uint64_t remainder = sum % 0xffff;
  return static_cast<std::uint16_t>(0xffff - (remainder == 0 && sum != 0 ? 0xffff : remainder));
}

inline Octets message_without_checksum(const PacketParts& parts) {
  const std::size_t count = parts.count < 0 ? parts.addresses.size() : static_cast<std::size_t>(parts.count);
  Octets message = {static_cast<std::uint8_t>(parts.version << 4 | parts.type), parts.vrid, parts.priority,
                    static_cast<std::uint8_t>(count)};
  put16(message, parts.interval);
  put16(message, 0);
  for (const IpAddress& address : parts.addresses) put(message, address.octets());
  put(message, parts.trailer);
  message.resize(std::min(message.size(), parts.message_limit));
  return message;
}

inline Octets message_of(const PacketParts& parts) {
  Octets message = message_without_checksum(parts);
  if (message.size() < 8) return message;
  Octets summed;
  if (parts.ip_version == 6 || parts.form == ChecksumForm::pseudo_header) {
    put(summed, parts.source.octets());
    put(summed, parts.destination.octets());
    put16(summed, message.size());
    put16(summed, 112);
  }
  put(summed, message);
  const auto checksum = static_cast<std::uint16_t>(checksum_of(summed) ^ parts.checksum_xor);
  message[6] = static_cast<std::uint8_t>(checksum >> 8);
  message[7] = static_cast<std::uint8_t>(checksum);
  return message;
}

inline Octets ipv4_header(const PacketParts& parts, std::size_t payload) {
  const std::size_t header = std::max<std::size_t>(parts.header_words, 5) * 4;
  Octets out = {static_cast<std::uint8_t>(parts.ip_version << 4 | parts.header_words), 0xc0};
  put16(out, header + payload + static_cast<std::size_t>(parts.total_length_error));
  put16(out, 1);
  put16(out, parts.fragment);
  out.push_back(parts.hop_limit);
  out.push_back(parts.protocol);
  put16(out, 0);
  put(out, parts.source.octets());
  put(out, parts.destination.octets());
  out.resize(header);
  // If the header's length field is wrong, the checksum covers that length, so that the checksum itself is right.
  const Octets summed(out.begin(), out.begin() + std::min<std::ptrdiff_t>(parts.header_words * 4, std::ssize(out)));
  const std::uint16_t checksum = checksum_of(summed) ^ parts.header_checksum_xor;
  out[10] = static_cast<std::uint8_t>(checksum >> 8);
  out[11] = static_cast<std::uint8_t>(checksum);
  return out;
}

inline Octets ipv6_header(const PacketParts& parts, std::size_t payload) {
  Octets out = {static_cast<std::uint8_t>(parts.ip_version << 4), 0, 0, 0};
  put16(out, payload + static_cast<std::size_t>(parts.total_length_error));
  out.push_back(parts.protocol);
  out.push_back(parts.hop_limit);
  put(out, parts.source.octets());
  put(out, parts.destination.octets());
  return out;
}

}  // namespace detail

/// The datagram as a capture would show it. The family of the destination selects the header.
inline Octets build(const PacketParts& parts) {
  const Octets message = detail::message_of(parts);
  const bool ipv4 = parts.destination.family() == Family::ipv4;
  Octets datagram = ipv4 ? detail::ipv4_header(parts, message.size()) : detail::ipv6_header(parts, message.size());
  detail::put(datagram, message);
  detail::put(datagram, parts.padding);
  datagram.resize(std::min(datagram.size(), parts.datagram_limit));
  return datagram;
}

}  // namespace vipd::testing
