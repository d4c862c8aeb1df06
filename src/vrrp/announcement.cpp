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
  constexpr std::uint8_t kRouter = 0x80, kOverride = 0x20, kIcmpv6 = 58, kNeighborAdvertisement = 136;

  std::array<std::uint8_t, kNaFrameSize> frame{};
  const std::span<std::uint8_t> message = std::span(frame).last(32);
  Writer icmp(message);
  icmp.put({kNeighborAdvertisement, 0, 0, 0});
  icmp.put({static_cast<std::uint8_t>(kOverride | (router ? kRouter : 0)), 0, 0, 0});
  icmp.put(address.octets());
  icmp.put({2, 1});  // option: target link-layer address, 8 octets
  icmp.put(mac.octets);
  const std::uint32_t sum = checksum_pseudo_header(address, all_nodes, kIcmpv6, message.size());
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(sum, message)));
  message[2] = static_cast<std::uint8_t>(checksum >> 8);
  message[3] = static_cast<std::uint8_t>(checksum);

  Writer out(frame);
  out.put({0x33, 0x33, 0x00, 0x00, 0x00, 0x01});
  out.put(mac.octets);
  out.put({0x86, 0xdd});
  out.put({0x60, 0, 0, 0, 0, 32, kIcmpv6, 255});  // version 6, payload length, next header, hop limit
  out.put(address.octets());
  out.put(all_nodes.octets());
  return frame;
}

}  // namespace vipd
