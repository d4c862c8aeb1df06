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

bool source_is_plausible(const IpAddress& source, Family family) {
  if (family == Family::ipv6) return source.is_link_local();  // RFC 9568 5.1.2.1
  return !source.is_unspecified() && !source.is_multicast() && !source.is_loopback() && !source.is_broadcast();
}

std::optional<Refusal> check_ip(const IpPacket& packet, const ReceiveRules& rules) {
  if (packet.destination != vrrp_group(rules.family)) return Refusal::dst;  // RFC 9568 5.1.1.2
  if (packet.hop_limit != kVrrpHopLimit) return Refusal::ttl;               // RFC 9568 5.1.1.3, 7.1
  if (packet.source.family() != rules.family) return Refusal::src;
  if (!source_is_plausible(packet.source, rules.family)) return Refusal::src;
  if (std::ranges::find(rules.own_sources, packet.source) != rules.own_sources.end()) return Refusal::own_source;
  return std::nullopt;
}

std::optional<Refusal> check_shape(std::span<const std::uint8_t> message, Family family) {
  if (message.size() < kVrrpHeaderSize) return Refusal::vrrp_short;
  if (message[0] >> 4 != 3) return Refusal::version;   // RFC 9568 5.2.1
  if ((message[0] & 0x0f) != 1) return Refusal::type;  // RFC 9568 5.2.2
  if (message[3] == 0) return Refusal::count_zero;     // RFC 9568 5.2.5, erratum 8299
  if (message.size() != kVrrpHeaderSize + message[3] * address_size(family)) return Refusal::length;
  return std::nullopt;
}

bool policy_takes(ChecksumPolicy policy, ChecksumForm form) {
  if (policy == ChecksumPolicy::automatic) return true;
  return (policy == ChecksumPolicy::rfc9568) == (form == ChecksumForm::message_only);
}

/// The form that the policy takes and in which the checksum is right, if any (RFC 1071: the sum is 0xffff).
std::optional<ChecksumForm> checksum_form_of(const IpPacket& packet, Family family, ChecksumPolicy policy) {
  const std::uint32_t message = checksum_add(0, packet.payload);
  const std::uint32_t pseudo =
      checksum_pseudo_header(packet.source, packet.destination, kVrrpProtocol, packet.payload.size());
  const bool ipv4 = family == Family::ipv4;
  const auto takes = [&](ChecksumForm form) { return !ipv4 || policy_takes(policy, form); };
  if (takes(ChecksumForm::pseudo_header) && checksum_fold(message + pseudo) == 0xffff)
    return ChecksumForm::pseudo_header;
  if (ipv4 && takes(ChecksumForm::message_only) && checksum_fold(message) == 0xffff) return ChecksumForm::message_only;
  return std::nullopt;
}

}  // namespace

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
                                                                        "vrrp_short",
                                                                        "version",
                                                                        "type",
                                                                        "count_zero",
                                                                        "length",
                                                                        "checksum",
                                                                        "vrid",
                                                                        "interval_zero",
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

std::expected<Advert, Refusal> decode(const IpPacket& packet, const ReceiveRules& rules) {
  if (const auto refusal = check_ip(packet, rules)) return std::unexpected(*refusal);
  const std::span<const std::uint8_t> message = packet.payload;
  if (const auto refusal = check_shape(message, rules.family)) return std::unexpected(*refusal);

  const std::uint8_t vrid = message[1];
  const auto form = checksum_form_of(packet, rules.family, rules.checksum[vrid]);
  if (!form) return std::unexpected(Refusal::checksum);
  if (vrid == 0 || !rules.vrids[vrid]) return std::unexpected(Refusal::vrid);  // RFC 9568 7.1
  const Centiseconds interval(load16(message, 4) & 0x0fff);                    // Reserve is ignored, 5.2.6
  if (interval.count() == 0) return std::unexpected(Refusal::interval_zero);   // erratum 8301
  const AddressList addresses(rules.family, message.subspan(kVrrpHeaderSize));
  if (rules.family == Family::ipv6 && !addresses[0].is_link_local())  // 5.2.9, erratum 8300
    return std::unexpected(Refusal::first_not_linklocal);
  return Advert{
      .vrid = vrid, .priority = message[2], .interval = interval, .addresses = addresses, .checksum_form = *form};
}

std::size_t encode(const Advert& advert, const IpAddress& source, const IpAddress& destination,
                   std::span<std::uint8_t> out) {
  const std::size_t size = kVrrpHeaderSize + advert.addresses.octets().size();
  VIPD_ASSERT(out.size() >= size && advert.addresses.size() <= 255);
  const std::span<std::uint8_t> message = out.first(size);
  message[0] = 0x31;  // version 3, type 1
  message[1] = advert.vrid;
  message[2] = advert.priority;
  message[3] = static_cast<std::uint8_t>(advert.addresses.size());
  store16(message, 4, static_cast<std::uint16_t>(advert.interval.count() & 0x0fff));
  store16(message, 6, 0);
  std::ranges::copy(advert.addresses.octets(), message.begin() + kVrrpHeaderSize);

  std::uint32_t sum = checksum_add(0, message);
  if (source.family() == Family::ipv6 || advert.checksum_form == ChecksumForm::pseudo_header)
    sum += checksum_pseudo_header(source, destination, kVrrpProtocol, size);
  store16(message, 6, static_cast<std::uint16_t>(~checksum_fold(sum)));
  return size;
}

}  // namespace vipd
