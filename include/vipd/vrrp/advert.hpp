/// Advert: what peers say, and the way from bytes to it and back.
///
/// A received packet goes through parse_ipv4() (IPv6 headers are not delivered by raw sockets; the os layer fills an
/// IpPacket from ancillary data) and decode(), by the rules of the one instance whose VRID the packet names. The checks
/// run in the order of conformance row B22 and the first that fails names the one reason; nobody learns more of a
/// refused packet than that. Nothing here allocates: an Advert's addresses are a view of the packet. Callers:
/// Supervisor for what arrives, VirtualRouter for what is sent.
///
/// Standard: RFC 9568 section 5 and 7 (VRRPv3), RFC 3768 section 5 and 7 (VRRPv2, IPv4 alone). Neither knows unicast:
/// there the list of peers takes the place of the group. Not here yet: authentication that deserves the name.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
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
inline constexpr std::size_t kAuthDataSize = 8;  ///< the last octets of a VRRPv2 message, RFC 3768 5.3.10

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
inline constexpr std::size_t kChecksumPolicies = 3;

/// "auto", "rfc9568", "pseudo-header": as in the configuration.
std::string_view to_string(ChecksumPolicy policy);

/// A VRRPv2 password as it stands in the message: zero-filled (RFC 2338 5.3.6, "simple text").
using SimplePassword = std::array<std::uint8_t, kAuthDataSize>;

/// The password in wire form; `text` is 1..8 octets.
SimplePassword simple_password(std::string_view text);

/// One advert, of either version.
struct Advert {
  std::uint8_t version = 3;                                  ///< 2 or 3
  std::uint8_t vrid = 0;                                     ///< 1..255
  std::uint8_t priority = 0;                                 ///< 0 = resign
  Centiseconds interval{0};                                  ///< VRRPv3: 1..4095; VRRPv2: whole seconds, 1..255
  AddressList addresses = {};                                ///< at least one when received
  ChecksumForm checksum_form = ChecksumForm::pseudo_header;  ///< VRRPv3 over IPv4 only
  std::optional<SimplePassword> password = std::nullopt;     ///< VRRPv2 only
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
  src_not_peer,
  vrrp_short,
  version,
  type,
  count_zero,
  length,
  checksum,
  vrid,
  auth_type,
  auth_data,
  interval_zero,
  interval_mismatch,
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

/// A peer that is spoken to by unicast.
struct UnicastPeer {
  IpAddress address;
  /// The least TTL or hop limit of its packets, 1..255. Less than 255 takes packets that were routed (RFC 5082).
  std::uint8_t min_hop_limit = kVrrpHopLimit;

  friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

/// What one virtual router takes.
struct ReceiveRules {
  Family family = Family::ipv4;
  std::uint8_t vrid = 0;                                ///< 1..255
  std::uint8_t version = 3;                             ///< 2 or 3
  ChecksumPolicy checksum = ChecksumPolicy::automatic;  ///< VRRPv3 over IPv4 only
  Centiseconds interval{100};                           ///< VRRPv2 only: what all routers have to have
  std::optional<SimplePassword> password = {};          ///< VRRPv2 only: theirs has to be this one
  std::span<const UnicastPeer> peers = {};              ///< not empty: adverts come by unicast, from these alone
  IpAddress local = {};                                 ///< by unicast: where they are sent to
  std::span<const IpAddress> own_sources = {};          ///< adverts from these are our own, looped back
};

/// Checks and strips an IPv4 header (RFC 791): `datagram` as a raw socket or a capture delivers it.
std::expected<IpPacket, Refusal> parse_ipv4(std::span<const std::uint8_t> datagram);

/// Decodes the VRRP message of a packet. The result's addresses point into packet.payload.
std::expected<Advert, Refusal> decode(const IpPacket& packet, const ReceiveRules& rules);

/// Encodes `advert` into `out` and returns the octets written. `out` has room for 8 + count * address size octets, and
/// for 8 more of VRRPv2; kMaxAdvertSize is always enough. The Reserve field is sent as zero (RFC 9568 5.2.6). Source
/// and destination enter the checksum of IPv6 (RFC 8200 8.1) and, by advert.checksum_form, of VRRPv3 over IPv4.
std::size_t encode(const Advert& advert, const IpAddress& source, const IpAddress& destination,
                   std::span<std::uint8_t> out);

}  // namespace vipd
