#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

constexpr std::uint8_t kHopLimit = 255;
constexpr std::uint8_t kClassSelector6 = 0xc0;

constexpr std::uint8_t high(std::size_t value) { return static_cast<std::uint8_t>(value >> 8); }
constexpr std::uint8_t low(std::size_t value) { return static_cast<std::uint8_t>(value); }

void append(std::vector<std::uint8_t>& frame, std::span<const std::uint8_t> octets) {
  frame.insert(frame.end(), octets.begin(), octets.end());
}

/// An IPv4 header without options, with "don't fragment" (RFC 791 3.1).
std::vector<std::uint8_t> ipv4_header(const IpAddress& source, std::size_t payload) {
  const std::size_t total = 20 + payload;
  std::vector<std::uint8_t> header = {0x45, kClassSelector6, high(total),   low(total), 0, 0, 0x40,
                                      0,    kHopLimit,       kVrrpProtocol, 0,          0};
  append(header, source.octets());
  append(header, vrrp_group(Family::ipv4).octets());
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(0, header)));
  header[10] = high(checksum);
  header[11] = low(checksum);
  return header;
}

/// An IPv6 header (RFC 8200 3).
std::vector<std::uint8_t> ipv6_header(const IpAddress& source, std::size_t payload) {
  std::vector<std::uint8_t> header = {0x60 | kClassSelector6 >> 4,
                                      low(kClassSelector6 << 4),
                                      0,
                                      0,
                                      high(payload),
                                      low(payload),
                                      kVrrpProtocol,
                                      kHopLimit};
  append(header, source.octets());
  append(header, vrrp_group(Family::ipv6).octets());
  return header;
}

}  // namespace

MacAddress virtual_mac(Family family, std::uint8_t vrid) {
  return {{0x00, 0x00, 0x5e, 0x00, static_cast<std::uint8_t>(family == Family::ipv4 ? 1 : 2), vrid}};
}

std::vector<std::uint8_t> advert_frame(const MacAddress& mac, const IpAddress& source,
                                       std::span<const std::uint8_t> message) {
  const bool ipv4 = source.family() == Family::ipv4;
  // The group's own hardware address: RFC 1112 6.4, RFC 2464 7.
  std::vector<std::uint8_t> frame = ipv4 ? std::vector<std::uint8_t>{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}
                                         : std::vector<std::uint8_t>{0x33, 0x33, 0x00, 0x00, 0x00, 0x12};
  append(frame, mac.octets);
  append(frame, ipv4 ? std::to_array<std::uint8_t>({0x08, 0x00}) : std::to_array<std::uint8_t>({0x86, 0xdd}));
  append(frame, ipv4 ? ipv4_header(source, message.size()) : ipv6_header(source, message.size()));
  append(frame, message);
  return frame;
}

}  // namespace vipd
