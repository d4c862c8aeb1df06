/// Addresses as values: IpAddress, IpPrefix, MacAddress.
///
/// One type holds both families, in network byte order, and compares as an unsigned network-order integer. The
/// tie-break of the election needs that comparison (RFC 9568 6.4.3). Text forms are those of inet_pton(3).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vipd {

/// The two families of IP; an instance uses one of them.
enum class Family : std::uint8_t { ipv4, ipv6 };

/// Octets of an address: 4 or 16.
constexpr std::size_t address_size(Family family) { return family == Family::ipv4 ? 4 : 16; }

/// "ipv4" or "ipv6", as in the status JSON.
std::string_view to_string(Family family);

class IpAddress {
 public:
  /// 0.0.0.0, the unspecified IPv4 address.
  constexpr IpAddress() = default;

  /// Makes an address of network-order octets; `octets` has exactly address_size(family) of them.
  IpAddress(Family family, std::span<const std::uint8_t> octets);

  /// Parses "192.0.2.1" or "2001:db8::1" (no zone, no prefix length); nullopt for anything else.
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  /// Network-order octets: 4 or 16.
  std::span<const std::uint8_t> octets() const { return {octets_.data(), address_size(family_)}; }

  bool is_unspecified() const;
  /// 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  /// 224.0.0.0/4 or ff00::/8.
  bool is_multicast() const;
  /// 255.255.255.255.
  bool is_broadcast() const;
  /// 169.254.0.0/16 or fe80::/10.
  bool is_link_local() const;

  std::string to_string() const;

  /// Families in order of declaration, then octets as one unsigned network-order number.
  friend std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    if (a.family_ != b.family_) return a.family_ <=> b.family_;
    const auto [a_high, a_low] = a.words();
    const auto [b_high, b_low] = b.words();
    return a_high != b_high ? in_order(a_high) <=> in_order(b_high) : in_order(a_low) <=> in_order(b_low);
  }
  friend bool operator==(const IpAddress& a, const IpAddress& b) {
    return a.family_ == b.family_ && a.words() == b.words();
  }

 private:
  /// The octets in two halves: addresses are compared so often that a call of memcmp() would cost noticeable time.
  using Words = std::pair<std::uint64_t, std::uint64_t>;
  Words words() const {
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(octets_);
    return {words[0], words[1]};
  }
  /// Converts a half from network to host byte order, for comparison.
  static std::uint64_t in_order(std::uint64_t word) {
    return std::endian::native == std::endian::little ? std::byteswap(word) : word;
  }

  Family family_ = Family::ipv4;
  std::array<std::uint8_t, 16> octets_{};
};

/// An address with the length of its on-link prefix: "192.0.2.10/24".
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;  ///< 0..32 or 0..128

  /// True if `other` is in the subnet.
  bool contains(const IpAddress& other) const;
  std::string to_string() const;
  friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

/// An IEEE 802 address.
struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  std::string to_string() const;
  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

inline constexpr std::uint8_t kVrrpProtocol = 112;  ///< IP protocol of VRRP (RFC 9568 5.1.1.4)

/// The group that VRRP routers listen to: 224.0.0.18 or ff02::12 (RFC 9568 5.1.1.2, 5.1.2.2).
const IpAddress& vrrp_group(Family family);

/// Adds the 16-bit words of `data` (network order, odd octet padded with zero) to a running RFC 1071 sum.
std::uint32_t checksum_add(std::uint32_t sum, std::span<const std::uint8_t> data);

/// Folds a running sum to 16 bits. The result is 0xffff for a message with a correct checksum.
std::uint16_t checksum_fold(std::uint32_t sum);

/// The sum of the pseudo-header: RFC 8200 8.1 for IPv6, RFC 793 for IPv4.
std::uint32_t checksum_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                     std::size_t length);

}  // namespace vipd
