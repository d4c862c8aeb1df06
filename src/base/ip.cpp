#include "vipd/base/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>

#include "vipd/base/assert.hpp"

namespace vipd {

std::string_view to_string(Family family) { return family == Family::ipv4 ? "ipv4" : "ipv6"; }

IpAddress::IpAddress(Family family, std::span<const std::uint8_t> octets) : family_(family) {
  VIPD_ASSERT(octets.size() == address_size(family));
  std::ranges::copy(octets, octets_.begin());
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::char_traits<char>::length(terminated.c_str())) return std::nullopt;  // embedded NUL
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.octets_.data()) == 1) return address;
  address.family_ = Family::ipv6;
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets_.data()) == 1) return address;
  return std::nullopt;
}

bool IpAddress::is_unspecified() const { return words() == Words{}; }

bool IpAddress::is_loopback() const {
  if (family_ == Family::ipv4) return octets_[0] == 127;
  return octets_[15] == 1 && std::ranges::all_of(octets().first(15), [](auto octet) { return octet == 0; });
}

bool IpAddress::is_multicast() const {
  return family_ == Family::ipv4 ? (octets_[0] & 0xf0) == 0xe0 : octets_[0] == 0xff;
}

bool IpAddress::is_broadcast() const {
  return family_ == Family::ipv4 && std::ranges::all_of(octets(), [](auto octet) { return octet == 0xff; });
}

bool IpAddress::is_link_local() const {
  if (family_ == Family::ipv4) return octets_[0] == 169 && octets_[1] == 254;
  return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family_ == Family::ipv4 ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
  return text;
}

bool IpPrefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  const std::size_t whole = length / 8u;
  if (!std::ranges::equal(address.octets().first(whole), other.octets().first(whole))) return false;
  const auto rest = static_cast<std::uint8_t>(0xff00 >> length % 8u);
  return rest == 0 || ((address.octets()[whole] ^ other.octets()[whole]) & rest) == 0;
}

std::string IpPrefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

std::string MacAddress::to_string() const {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1], octets[2], octets[3],
                octets[4], octets[5]);
  return text;
}

const IpAddress& vrrp_group(Family family) {
  static const IpAddress ipv4 = *IpAddress::parse("224.0.0.18");
  static const IpAddress ipv6 = *IpAddress::parse("ff02::12");
  return family == Family::ipv4 ? ipv4 : ipv6;
}

std::uint32_t checksum_add(std::uint32_t sum, std::span<const std::uint8_t> data) {
  std::size_t i = 0;
  for (; i + 1 < data.size(); i += 2) sum += static_cast<std::uint32_t>(data[i]) << 8 | data[i + 1];
  if (i < data.size()) sum += static_cast<std::uint32_t>(data[i]) << 8;
  return sum;
}

std::uint16_t checksum_fold(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint32_t checksum_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                     std::size_t length) {
  const std::uint32_t sum = checksum_add(checksum_add(0, source.octets()), destination.octets());
  return sum + static_cast<std::uint32_t>(length >> 16) + static_cast<std::uint32_t>(length & 0xffff) + protocol;
}

}  // namespace vipd
