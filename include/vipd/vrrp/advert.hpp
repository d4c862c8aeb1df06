/// Advert: the message of VRRP, and its conversion from and to octets.
///
/// A received packet goes through parse_ipv4() and decode(), by the rules of the instance whose VRID it names. Raw
/// sockets do not deliver IPv6 headers, so os fills an IpPacket from ancillary data. The checks run in the order of
/// conformance row B22, and the first failure is the only reason that is reported. Nothing here allocates: the
/// addresses of an Advert are a view of the packet.
///
/// Standard: RFC 9568 sections 5 and 7 (VRRPv3), RFC 3768 sections 5 and 7 (VRRPv2, IPv4 only). Neither knows unicast;
/// there the list of peers replaces the group. Not here yet: cryptographic authentication.
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
inline constexpr std::size_t kMaxAdvertSize = kVrrpHeaderSize + std::size_t{255} * 16;  ///< 255 IPv6 addresses fit
/// length of the authentication data at the end of a VRRPv2 message, RFC 3768 5.3.10
inline constexpr std::size_t kAuthDataSize = 8;

/// The most addresses of an advert that fits an MTU of 1500 octets: 255 for IPv4, 90 for IPv6.
constexpr std::size_t max_advertised(Family family) { return family == Family::ipv4 ? 255 : 90; }

/// Addresses in wire form: a view of octets that belong to the caller.
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

/// The two readings of RFC 5798 for the checksum over IPv4. RFC 9568 5.2.8 chose message_only; most implementations use
/// pseudo_header.
enum class ChecksumForm : std::uint8_t { message_only, pseudo_header };

/// The checksum forms that a receiver accepts (conformance row B09). A policy that accepts any checksum does not exist.
enum class ChecksumPolicy : std::uint8_t {
  automatic,      ///< "auto": accepts both forms and sends the form heard last, at first the pseudo-header form
  rfc9568,        ///< "rfc9568": the checksum covers the message alone (RFC 9568 5.2.8)
  pseudo_header,  ///< "pseudo-header": the default of keepalived and FRR
};
inline constexpr std::size_t kChecksumPolicies = 3;

/// "auto", "rfc9568", "pseudo-header": the words of the configuration.
std::string_view to_string(ChecksumPolicy policy);

/// A VRRPv2 password in wire form, filled with zeros (RFC 2338 5.3.6, "simple text").
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

/// Why a packet was refused, exactly one reason a packet. The names are those of the counters in the status.
enum class Refusal : std::uint8_t {
  ip_short,
  ip_version,
  ip_len,
  ip_checksum,
  ip_fragment,
  ip_proto,  // faults of the IP header (conformance A10)
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

/// A packet after its IP header was removed.
struct IpPacket {
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;
  std::span<const std::uint8_t> payload;  ///< trimmed to the IP total length
};

/// A peer with which adverts are exchanged by unicast.
struct UnicastPeer {
  IpAddress address;
  /// The least accepted TTL or hop limit, 1..255. A value below 255 accepts routed packets (RFC 5082).
  std::uint8_t min_hop_limit = kVrrpHopLimit;

  friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

/// The rules by which one virtual router accepts packets.
struct ReceiveRules {
  Family family = Family::ipv4;
  std::uint8_t vrid = 0;                                ///< 1..255
  std::uint8_t version = 3;                             ///< 2 or 3
  ChecksumPolicy checksum = ChecksumPolicy::automatic;  ///< VRRPv3 over IPv4 only
  Centiseconds interval{100};                           ///< VRRPv2 only: the interval that all routers must share
  std::optional<SimplePassword> password = {};          ///< VRRPv2 only: the password that adverts must carry
  std::span<const UnicastPeer> peers = {};      ///< not empty: adverts arrive by unicast, from these peers alone
  IpAddress local = {};                         ///< with unicast: the destination of accepted adverts
  std::span<const IpAddress> own_sources = {};  ///< an advert from one of these is our own, looped back
};

/// Checks and removes an IPv4 header (RFC 791). `datagram` is as a raw socket or a capture delivers it.
std::expected<IpPacket, Refusal> parse_ipv4(std::span<const std::uint8_t> datagram);

/// Decodes the VRRP message of a packet. The result's addresses point into packet.payload.
std::expected<Advert, Refusal> decode(const IpPacket& packet, const ReceiveRules& rules);

/// Encodes `advert` into `out` and returns the octets written. `out` needs room for 8 + count * address size octets,
/// and 8 more for VRRPv2; kMaxAdvertSize is always enough. The Reserve field is zero (RFC 9568 5.2.6). Source and
/// destination enter the checksum of IPv6 (RFC 8200 8.1). For VRRPv3 over IPv4, advert.checksum_form decides.
std::size_t encode(const Advert& advert, const IpAddress& source, const IpAddress& destination,
                   std::span<std::uint8_t> out);

}  // namespace vipd
