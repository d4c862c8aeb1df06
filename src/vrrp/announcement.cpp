#include "vipd/vrrp/announcement.hpp"

#include <algorithm>
#include <initializer_list>

#include "vipd/base/assert.hpp"

namespace vipd {
namespace {

/// Writes octets one after the other.
class Writer {
 public:
  explicit Writer(std::span<std::uint8_t> out) : rest_(out) {}
  void put(std::span<const std::uint8_t> octets) {
    VIPD_ASSERT(octets.size() <= rest_.size());
    std::ranges::copy(octets, rest_.begin());
    rest_ = rest_.subspan(octets.size());
  }
  void put(std::initializer_list<std::uint8_t> octets) { put(std::span(octets.begin(), octets.size())); }

 private:
  std::span<std::uint8_t> rest_;
};

constexpr std::array<std::uint8_t, 6> kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr std::uint8_t kIcmpv6 = 58, kNeighborSolicitation = 135, kNeighborAdvertisement = 136;
constexpr std::uint8_t kTargetLinkLayerAddress = 2;  // the option's type, RFC 4861 4.6.1
constexpr int kNeighbourHopLimit = 255;

MacAddress mac_in(std::span<const std::uint8_t> octets) {
  MacAddress mac;
  std::ranges::copy(octets.first(mac.octets.size()), mac.octets.begin());
  return mac;
}

/// Writes the checksum into an ICMPv6 message that is otherwise complete.
void put_checksum(std::span<std::uint8_t> message, const IpAddress& source, const IpAddress& destination) {
  const std::uint32_t sum = checksum_pseudo_header(source, destination, kIcmpv6, message.size());
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(sum, message)));
  message[2] = static_cast<std::uint8_t>(checksum >> 8);
  message[3] = static_cast<std::uint8_t>(checksum);
}

/// Writes the Ethernet and IPv6 headers before a message of `size` octets.
void put_headers(std::span<std::uint8_t> frame, const MacAddress& mac, const IpAddress& source,
                 const IpAddress& destination, std::uint8_t size) {
  Writer out(frame);
  out.put({0x33, 0x33});
  out.put(destination.octets().last(4));  // RFC 2464 7
  out.put(mac.octets);
  out.put({0x86, 0xdd});
  out.put({0x60, 0, 0, 0, 0, size, kIcmpv6, kNeighbourHopLimit});  // version 6, payload length, next header, hop limit
  out.put(source.octets());
  out.put(destination.octets());
}

}  // namespace

std::array<std::uint8_t, kArpFrameSize> gratuitous_arp(const MacAddress& mac, const IpAddress& address, ArpForm form) {
  VIPD_ASSERT(address.family() == Family::ipv4);
  std::array<std::uint8_t, kArpFrameSize> frame{};
  Writer out(frame);
  out.put(kBroadcast);
  out.put(mac.octets);
  out.put({0x08, 0x06});                                                                 // EtherType ARP
  out.put({0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, static_cast<std::uint8_t>(form)});  // Ethernet, IPv4, sizes
  out.put(mac.octets);
  out.put(address.octets());
  out.put(form == ArpForm::request ? kBroadcast : mac.octets);
  out.put(address.octets());
  return frame;
}

std::array<std::uint8_t, kNaFrameSize> unsolicited_na(const MacAddress& mac, const IpAddress& address, bool router) {
  VIPD_ASSERT(address.family() == Family::ipv6);
  static const IpAddress all_nodes = *IpAddress::parse("ff02::1");
  constexpr std::uint8_t kRouter = 0x80, kOverride = 0x20;

  std::array<std::uint8_t, kNaFrameSize> frame{};
  const std::span<std::uint8_t> message = std::span(frame).last(32);
  Writer icmp(message);
  icmp.put({kNeighborAdvertisement, 0, 0, 0});
  icmp.put({static_cast<std::uint8_t>(kOverride | (router ? kRouter : 0)), 0, 0, 0});
  icmp.put(address.octets());
  icmp.put({kTargetLinkLayerAddress, 1});  // 8 octets
  icmp.put(mac.octets);
  put_checksum(message, address, all_nodes);
  put_headers(frame, mac, address, all_nodes, 32);
  return frame;
}

std::array<std::uint8_t, kArpFrameSize> arp_probe(const MacAddress& mac, const IpAddress& address) {
  auto frame = gratuitous_arp(mac, address);
  std::fill_n(frame.begin() + 28, 4, std::uint8_t{0});  // the sender's address
  std::fill_n(frame.begin() + 32, 6, std::uint8_t{0});  // the target's MAC, which is unknown
  return frame;
}

std::array<std::uint8_t, kNsFrameSize> neighbour_probe(const MacAddress& mac, const IpAddress& address) {
  VIPD_ASSERT(address.family() == Family::ipv6);
  static const IpAddress unspecified = *IpAddress::parse("::");
  std::array<std::uint8_t, 16> group = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};  // RFC 4291 2.7.1
  std::ranges::copy(address.octets().last(3), group.begin() + 13);
  const IpAddress solicited(Family::ipv6, group);

  std::array<std::uint8_t, kNsFrameSize> frame{};
  const std::span<std::uint8_t> message = std::span(frame).last(24);
  Writer icmp(message);
  icmp.put({kNeighborSolicitation, 0, 0, 0, 0, 0, 0, 0});
  icmp.put(address.octets());
  put_checksum(message, unspecified, solicited);
  put_headers(frame, mac, unspecified, solicited, 24);
  return frame;
}

std::optional<AddressClaim> claim_in_arp(std::span<const std::uint8_t> frame) {
  constexpr std::array<std::uint8_t, 8> kArpForIpv4 = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4};
  if (frame.size() < kArpFrameSize || !std::ranges::equal(frame.subspan(12, 8), kArpForIpv4)) return std::nullopt;
  const IpAddress sender(Family::ipv4, frame.subspan(28, 4));
  if (sender.is_unspecified()) return std::nullopt;
  return AddressClaim{.address = sender, .mac = mac_in(frame.subspan(22))};
}

std::optional<AddressClaim> claim_in_advertisement(std::span<const std::uint8_t> message, int hop_limit) {
  constexpr std::size_t kFixed = 24, kUnit = 8;
  if (hop_limit != kNeighbourHopLimit || message.size() < kFixed || message[0] != kNeighborAdvertisement)
    return std::nullopt;
  for (auto rest = message.subspan(kFixed); rest.size() >= kUnit;) {
    const std::size_t size = kUnit * rest[1];
    if (size == 0 || size > rest.size()) return std::nullopt;  // RFC 4861 7.1.2
    if (rest[0] == kTargetLinkLayerAddress && size == kUnit)
      return AddressClaim{.address = {Family::ipv6, message.subspan(8, 16)}, .mac = mac_in(rest.subspan(2))};
    rest = rest.subspan(size);
  }
  return std::nullopt;
}

}  // namespace vipd
