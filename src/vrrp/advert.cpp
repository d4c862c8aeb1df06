#include "vipd/vrrp/advert.hpp"

#include <algorithm>
#include <optional>

#include "vipd/base/assert.hpp"

namespace vipd {
namespace {

constexpr std::uint16_t load16(std::span<const std::uint8_t> octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

void store16(std::span<std::uint8_t> octets, std::size_t at, std::uint16_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

constexpr std::uint8_t kNoAuthentication = 0, kSimpleText = 1;  // RFC 3768 5.3.7, RFC 2338 5.3.6

/// RFC 9568 5.1.2.1: IPv6 adverts to the group come from a link-local address.
bool source_is_plausible(const IpAddress& source, const ReceiveRules& rules) {
  if (source.family() != rules.family) return false;
  if (rules.family == Family::ipv6 && rules.peers.empty()) return source.is_link_local();
  return !source.is_unspecified() && !source.is_multicast() && !source.is_loopback() && !source.is_broadcast();
}

/// The least TTL or hop limit: 255, which no router can forge (RFC 9568 5.1.1.3, 7.1), or the peer's own limit. Unicast
/// packets of an unknown source have none, because the source itself is the reason to refuse them.
int least_hop_limit(const UnicastPeer* peer, const ReceiveRules& rules) {
  if (rules.peers.empty()) return kVrrpHopLimit;
  return peer != nullptr ? peer->min_hop_limit : 0;
}

std::optional<Refusal> check_ip(const IpPacket& packet, const ReceiveRules& rules) {
  const bool unicast = !rules.peers.empty();
  const auto found = std::ranges::find(rules.peers, packet.source, &UnicastPeer::address);
  const UnicastPeer* peer = found == rules.peers.end() ? nullptr : &*found;
  if (packet.destination != (unicast ? rules.local : vrrp_group(rules.family))) return Refusal::dst;  // 9568 5.1.1.2
  if (packet.hop_limit < least_hop_limit(peer, rules)) return Refusal::ttl;
  if (!source_is_plausible(packet.source, rules)) return Refusal::src;
  if (std::ranges::find(rules.own_sources, packet.source) != rules.own_sources.end()) return Refusal::own_source;
  if (unicast && peer == nullptr) return Refusal::src_not_peer;
  return std::nullopt;
}

/// The size in octets of a message with `count` addresses. VRRPv2 ends with authentication data (RFC 3768 5.1, 7.1).
std::size_t message_size(std::uint8_t version, Family family, std::size_t count) {
  return kVrrpHeaderSize + count * address_size(family) + (version == 2 ? kAuthDataSize : 0);
}

std::optional<Refusal> check_shape(std::span<const std::uint8_t> message, const ReceiveRules& rules) {
  if (message.size() < kVrrpHeaderSize) return Refusal::vrrp_short;
  if (message[0] >> 4 != rules.version) return Refusal::version;  // RFC 9568 5.2.1, RFC 3768 5.3.1
  if ((message[0] & 0x0f) != 1) return Refusal::type;             // RFC 9568 5.2.2, RFC 3768 5.3.2
  if (message[3] == 0) return Refusal::count_zero;                // RFC 9568 5.2.5, erratum 8299
  if (message.size() != message_size(rules.version, rules.family, message[3])) return Refusal::length;
  return std::nullopt;
}

bool policy_takes(ChecksumPolicy policy, ChecksumForm form) {
  if (policy == ChecksumPolicy::automatic) return true;
  return (policy == ChecksumPolicy::rfc9568) == (form == ChecksumForm::message_only);
}

/// The checksum form that the rules accept and that is correct; nullopt if there is none (RFC 1071: the sum is 0xffff).
std::optional<ChecksumForm> checksum_form_of(const IpPacket& packet, const ReceiveRules& rules) {
  const std::uint32_t message = checksum_add(0, packet.payload);
  const std::uint32_t pseudo =
      checksum_pseudo_header(packet.source, packet.destination, kVrrpProtocol, packet.payload.size());
  const bool ipv4 = rules.family == Family::ipv4;
  const auto takes = [&](ChecksumForm form) {
    if (rules.version == 2) return form == ChecksumForm::message_only;  // RFC 3768 5.3.8
    return ipv4 ? policy_takes(rules.checksum, form) : form == ChecksumForm::pseudo_header;
  };
  if (takes(ChecksumForm::pseudo_header) && checksum_fold(message + pseudo) == 0xffff)
    return ChecksumForm::pseudo_header;
  if (takes(ChecksumForm::message_only) && checksum_fold(message) == 0xffff) return ChecksumForm::message_only;
  return std::nullopt;
}

/// Checks of VRRPv2 alone (RFC 3768 5.3.6, 5.3.7, 7.1). Without authentication its data is ignored, 5.3.10.
std::optional<Refusal> check_v2(std::span<const std::uint8_t> message, const ReceiveRules& rules) {
  if (message[4] != (rules.password ? kSimpleText : kNoAuthentication)) return Refusal::auth_type;
  if (rules.password && !std::ranges::equal(message.last(kAuthDataSize), *rules.password)) return Refusal::auth_data;
  if (message[5] == 0) return Refusal::interval_zero;
  if (std::chrono::seconds(message[5]) != rules.interval) return Refusal::interval_mismatch;
  return std::nullopt;
}

/// Checks of VRRPv3 alone.
std::optional<Refusal> check_v3(const Advert& advert) {
  if (advert.interval.count() == 0) return Refusal::interval_zero;  // RFC 9568 5.2.7, erratum 8301
  const IpAddress first = advert.addresses[0];
  if (first.family() == Family::ipv6 && !first.is_link_local()) return Refusal::first_not_linklocal;  // 8300
  return std::nullopt;
}

/// Writes octets 4 and 5: in VRRPv2 authentication type and seconds, in VRRPv3 four reserved bits and centiseconds.
void store_interval(const Advert& advert, std::span<std::uint8_t> message) {
  if (advert.version == 3) return store16(message, 4, static_cast<std::uint16_t>(advert.interval.count() & 0x0fff));
  message[4] = advert.password ? kSimpleText : kNoAuthentication;
  message[5] = static_cast<std::uint8_t>(std::chrono::duration_cast<std::chrono::seconds>(advert.interval).count());
}

}  // namespace

std::string_view to_string(ChecksumPolicy policy) {
  static constexpr std::array<std::string_view, kChecksumPolicies> names = {"auto", "rfc9568", "pseudo-header"};
  return names[static_cast<std::size_t>(policy)];
}

std::string_view to_string(Refusal refusal) {
  static constexpr std::array<std::string_view, kRefusalKinds> names = {"ip_short",
                                                                        "ip_version",
                                                                        "ip_len",
                                                                        "ip_checksum",
                                                                        "ip_fragment",
                                                                        "ip_proto",
                                                                        "dst",
                                                                        "ttl",
                                                                        "src",
                                                                        "own_source",
                                                                        "src_not_peer",
                                                                        "vrrp_short",
                                                                        "version",
                                                                        "type",
                                                                        "count_zero",
                                                                        "length",
                                                                        "checksum",
                                                                        "vrid",
                                                                        "auth_type",
                                                                        "auth_data",
                                                                        "interval_zero",
                                                                        "interval_mismatch",
                                                                        "first_not_linklocal"};
  return names[static_cast<std::size_t>(refusal)];
}

std::expected<IpPacket, Refusal> parse_ipv4(std::span<const std::uint8_t> datagram) {
  constexpr std::size_t kMinimalHeader = 20;
  if (datagram.size() < kMinimalHeader) return std::unexpected(Refusal::ip_short);
  if (datagram[0] >> 4 != 4) return std::unexpected(Refusal::ip_version);
  const std::size_t header = (datagram[0] & std::size_t{0x0f}) * 4;
  const std::size_t total = load16(datagram, 2);
  if (header < kMinimalHeader || total < header || total > datagram.size()) return std::unexpected(Refusal::ip_len);
  if (checksum_fold(checksum_add(0, datagram.first(header))) != 0xffff) return std::unexpected(Refusal::ip_checksum);
  if ((load16(datagram, 6) & 0x3fff) != 0) return std::unexpected(Refusal::ip_fragment);  // MF or an offset
  if (datagram[9] != kVrrpProtocol) return std::unexpected(Refusal::ip_proto);
  return IpPacket{.source = {Family::ipv4, datagram.subspan(12, 4)},
                  .destination = {Family::ipv4, datagram.subspan(16, 4)},
                  .hop_limit = datagram[8],
                  .payload = datagram.subspan(header, total - header)};
}

SimplePassword simple_password(std::string_view text) {
  VIPD_ASSERT(!text.empty() && text.size() <= kAuthDataSize);
  SimplePassword password{};
  std::ranges::copy(text, password.begin());
  return password;
}

std::expected<Advert, Refusal> decode(const IpPacket& packet, const ReceiveRules& rules) {
  if (const auto refusal = check_ip(packet, rules)) return std::unexpected(*refusal);
  const std::span<const std::uint8_t> message = packet.payload;
  if (const auto refusal = check_shape(message, rules)) return std::unexpected(*refusal);
  const auto form = checksum_form_of(packet, rules);
  if (!form) return std::unexpected(Refusal::checksum);
  if (message[1] != rules.vrid) return std::unexpected(Refusal::vrid);  // RFC 9568 7.1

  const bool v2 = rules.version == 2;
  const auto listed = message.subspan(kVrrpHeaderSize, message[3] * address_size(rules.family));
  const Advert advert{.version = rules.version,
                      .vrid = rules.vrid,
                      .priority = message[2],
                      .interval = v2 ? Centiseconds(std::chrono::seconds(message[5]))
                                     : Centiseconds(load16(message, 4) & 0x0fff),  // Reserve is ignored, 5.2.6
                      .addresses = AddressList(rules.family, listed),
                      .checksum_form = *form,
                      .password = v2 ? rules.password : std::nullopt};
  if (const auto refusal = v2 ? check_v2(message, rules) : check_v3(advert)) return std::unexpected(*refusal);
  return advert;
}

std::size_t encode(const Advert& advert, const IpAddress& source, const IpAddress& destination,
                   std::span<std::uint8_t> out) {
  const std::size_t size = message_size(advert.version, source.family(), advert.addresses.size());
  VIPD_ASSERT(out.size() >= size && advert.addresses.size() <= 255);
  const std::span<std::uint8_t> message = out.first(size);
  std::ranges::fill(message, std::uint8_t{0});
  message[0] = static_cast<std::uint8_t>(advert.version << 4 | 1);  // type 1: advertisement
  message[1] = advert.vrid;
  message[2] = advert.priority;
  message[3] = static_cast<std::uint8_t>(advert.addresses.size());
  store_interval(advert, message);
  std::ranges::copy(advert.addresses.octets(), message.begin() + kVrrpHeaderSize);
  if (advert.version == 2 && advert.password)  // otherwise zero, RFC 3768 5.3.10
    std::ranges::copy(*advert.password, message.last(kAuthDataSize).begin());

  std::uint32_t sum = checksum_add(0, message);
  const bool pseudo =
      source.family() == Family::ipv6 || (advert.version == 3 && advert.checksum_form == ChecksumForm::pseudo_header);
  if (pseudo) sum += checksum_pseudo_header(source, destination, kVrrpProtocol, size);
  store16(message, 6, static_cast<std::uint16_t>(~checksum_fold(sum)));
  return size;
}

}  // namespace vipd
