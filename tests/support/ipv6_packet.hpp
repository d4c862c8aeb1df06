/// parse_ipv6: the IPv6 header of a captured packet, for tests.
///
/// Raw IPv6 sockets do not deliver this header (RFC 3542), so the daemon has no parser for it. Golden packets have the
/// header, so the tests need one. Refusals are those of parse_ipv4. Extension headers are not followed: VRRP is the
/// first next header or the packet is not ours.
#pragma once

#include <expected>
#include <span>

#include "vipd/vrrp/advert.hpp"

namespace vipd::testing {

/// Checks and strips an IPv6 header (RFC 8200 3).
inline std::expected<IpPacket, Refusal> parse_ipv6(std::span<const std::uint8_t> datagram) {
  constexpr std::size_t kHeader = 40;
  if (datagram.size() < kHeader) return std::unexpected(Refusal::ip_short);
  if (datagram[0] >> 4 != 6) return std::unexpected(Refusal::ip_version);
  const auto length = static_cast<std::size_t>(datagram[4] << 8 | datagram[5]);
  if (length > datagram.size() - kHeader) return std::unexpected(Refusal::ip_len);
  if (datagram[6] != kVrrpProtocol) return std::unexpected(Refusal::ip_proto);
  return IpPacket{.source = {Family::ipv6, datagram.subspan(8, 16)},
                  .destination = {Family::ipv6, datagram.subspan(24, 16)},
                  .hop_limit = datagram[7],
                  .payload = datagram.subspan(kHeader, length)};
}

/// Parses the header and then the message of a captured packet.
inline std::expected<Advert, Refusal> receive(std::span<const std::uint8_t> datagram, const ReceiveRules& rules) {
  const auto packet = rules.family == Family::ipv4 ? parse_ipv4(datagram) : parse_ipv6(datagram);
  return packet ? decode(*packet, rules) : std::unexpected(packet.error());
}

}  // namespace vipd::testing
