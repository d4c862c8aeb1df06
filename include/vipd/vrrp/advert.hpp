/// Advert: what peers say, and the way from bytes to it and back.
///
/// A received packet goes through parse_ipv4() (IPv6 headers are not delivered by raw sockets; the os layer fills an
/// IpPacket from ancillary data) and decode(). The checks run in the order of conformance row B22 and the first that
/// fails names the one reason; nobody learns more of a refused packet than that. Nothing here allocates: an Advert's
/// addresses are a view of the packet. Callers: Supervisor for what arrives, VirtualRouter for what is sent.
///
/// Standard: RFC 9568 section 5 and 7 (VRRPv3). Not here yet: VRRPv2, unicast peers, authentication.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

inline constexpr std::uint8_t kVrrpHopLimit = 255;                                      ///< RFC 9568 5.1.1.3
inline constexpr std::uint8_t kOwnerPriority = 255;                                     ///< RFC 9568 5.2.4
inline constexpr std::uint8_t kResignPriority = 0;                                      ///< RFC 9568 5.2.4
inline constexpr std::size_t kVrrpHeaderSize = 8;                                       ///< RFC 9568 5.2
inline constexpr std::size_t kMaxAdvertSize = kVrrpHeaderSize + std::size_t{255} * 16;  ///< 255 IPv6 addresses

/// 255 for IPv4, 90 for IPv6: the addresses that fit an advert in an MTU of 1500 octets.
constexpr std::size_t max_advertised(Family family) { return family == Family::ipv4 ? 255 : 90; }

/// Addresses in wire form, a view of somebody else's octets.
class AddressList {
 public:
  AddressList() = default;
  /// `octets` is a whole number of addresses of `family`.
  AddressList(Family family, std::span<const std::uint8_t> octets) : family_(family), octets_(octets) {}

  std::size_t size() const { return octets_.size() / address_size(family_); }
  IpAddress operator[](std::size_t index) const {
    return {family_, octets_.subspan(index * address_size(family_), address_size(family_))};
  }
  std::span<const std::uint8_t> octets() const { return octets_; }

 private:
  Family family_ = Family::ipv4;
  std::span<const std::uint8_t> octets_;
};

/// The two readings of RFC 5798 for the checksum over IPv4; RFC 9568 5.2.8 settled on the first, the field on the
/// second.
enum class ChecksumForm : std::uint8_t { message_only, pseudo_header };

/// Which of them a receiver takes; conformance row B09. Both stay a checksum: "accept any" does not exist.
enum class ChecksumPolicy : std::uint8_t {
  automatic,      ///< "auto": accept both forms, send the form heard last; start with the pseudo-header form
  rfc9568,        ///< "rfc9568": the message alone (RFC 9568 5.2.8)
  pseudo_header,  ///< "pseudo-header": as keepalived and FRR do by default
};

/// One VRRPv3 advert.
struct Advert {
  std::uint8_t vrid = 0;                                     ///< 1..255
  std::uint8_t priority = 0;                                 ///< 0 = resign
  Centiseconds interval{0};                                  ///< Max Advertise Interval, 1..4095
  AddressList addresses;                                     ///< at least one when received
  ChecksumForm checksum_form = ChecksumForm::pseudo_header;  ///< IPv4 only
};

/// Why a packet was refused: exactly one reason a packet. The names are those of the counters in the status.
enum class Refusal : std::uint8_t {
  ip_short,
  ip_version,
  ip_len,
  ip_checksum,
  ip_fragment,
  ip_proto,  // before VRRP (conformance A10)
  dst,
  ttl,
  src,
  own_source,
  vrrp_short,
  version,
  type,
  count_zero,
  length,
  checksum,
  vrid,
  interval_zero,
  first_not_linklocal,
};
inline constexpr std::size_t kRefusalKinds = static_cast<std::size_t>(Refusal::first_not_linklocal) + 1;

/// "checksum", "ttl", …: the counter's name.
std::string_view to_string(Refusal refusal);

/// A packet up to its IP header.
struct IpPacket {
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;
  std::span<const std::uint8_t> payload;  ///< trimmed to the IP total length
};

/// What a receiver takes; one for each interface and family.
struct ReceiveRules {
  Family family = Family::ipv4;
  std::bitset<256> vrids;                      ///< those configured here (RFC 9568 7.1)
  std::array<ChecksumPolicy, 256> checksum{};  ///< by VRID; IPv4 only
  std::span<const IpAddress> own_sources;      ///< adverts from these are our own, looped back
};

/// Checks and strips an IPv4 header (RFC 791): `datagram` as a raw socket or a capture delivers it.
std::expected<IpPacket, Refusal> parse_ipv4(std::span<const std::uint8_t> datagram);

/// Decodes the VRRP message of a packet. The result's addresses point into packet.payload.
std::expected<Advert, Refusal> decode(const IpPacket& packet, const ReceiveRules& rules);

/// Encodes `advert` into `out` and returns the octets written. `out` has room for 8 + count * address size octets;
/// kMaxAdvertSize is always enough. The Reserve field is sent as zero (RFC 9568 5.2.6). Source and destination enter
/// the checksum of IPv6 (RFC 8200 8.1) and, by advert.checksum_form, of IPv4.
std::size_t encode(const Advert& advert, const IpAddress& source, const IpAddress& destination,
                   std::span<std::uint8_t> out);

}  // namespace vipd
