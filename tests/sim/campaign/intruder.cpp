#include "intruder.hpp"

#include <algorithm>
#include <array>

namespace vipd::sim {
namespace {

/// The destination of adverts for the instance: the group, or the node itself.
IpAddress destination_of(const InstanceConfig& instance, std::size_t to) {
  if (instance.peers.empty()) return vrrp_group(instance.family());
  return own_address(lan_of(instance.interface), to, instance.family());
}

Packet packed(const InstanceConfig& instance, const IpAddress& source, const IpAddress& destination,
              std::span<const std::uint8_t> message, std::uint8_t hop_limit = kVrrpHopLimit) {
  Packet packet{.lan = lan_of(instance.interface),
                .family = instance.family(),
                .source = source,
                .destination = destination,
                .octets = {},
                .hop_limit = hop_limit};
  if (packet.family == Family::ipv4) append_ipv4_header(packet.octets, source, destination, message.size(), hop_limit);
  packet.octets.insert(packet.octets.end(), message.begin(), message.end());
  return packet;
}

/// A packet before it is spoilt.
struct Draft {
  std::vector<std::uint8_t> message;
  IpAddress source, destination;
  std::uint8_t hop_limit = kVrrpHopLimit;
};

Draft draft(const InstanceConfig& instance, const IpAddress& source, std::size_t to, std::uint8_t priority,
            Duration interval, ChecksumForm form) {
  std::vector<std::uint8_t> listed;
  for (const auto& address : instance.addresses) {
    const auto octets = address.prefix.address.octets();
    if (address.advertised) listed.insert(listed.end(), octets.begin(), octets.end());
  }
  Draft made{.message = std::vector<std::uint8_t>(kMaxAdvertSize),
             .source = source,
             .destination = destination_of(instance, to)};
  const Advert advert{
      .version = instance.version,
      .vrid = instance.vrid,
      .priority = priority,
      .interval = std::chrono::duration_cast<Centiseconds>(interval),
      .addresses = AddressList(instance.family(), listed),
      .checksum_form = form,
      .password = instance.auth_legacy.empty() ? std::nullopt : std::optional(simple_password(instance.auth_legacy))};
  made.message.resize(encode(advert, made.source, made.destination, made.message));
  return made;
}

/// Corrects the checksum, if the version has one.
void seal(Draft& made, const InstanceConfig& instance) {
  auto& message = made.message;
  if (message.size() < kVrrpHeaderSize) return;
  message[6] = message[7] = 0;
  std::uint32_t sum = checksum_add(0, message);
  if (instance.version == 3)
    sum += checksum_pseudo_header(made.source, made.destination, kVrrpProtocol, message.size());
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(sum));
  message[6] = static_cast<std::uint8_t>(checksum >> 8);
  message[7] = static_cast<std::uint8_t>(checksum);
}

}  // namespace

IpAddress stranger(std::size_t lan, Family family) {
  return *IpAddress::parse(family == Family::ipv4 ? kLans[lan].network + std::string("200") : "fe80::200");
}

Packet advert_packet(const InstanceConfig& instance, const IpAddress& source, std::size_t to, std::uint8_t priority,
                     Duration interval, ChecksumForm form) {
  const Draft made = draft(instance, source, to, priority, interval, form);
  return packed(instance, made.source, made.destination, made.message);
}

Packet garbage_packet(const InstanceConfig& instance, std::size_t to, Dice& dice) {
  const std::size_t lan = lan_of(instance.interface);
  const Family family = instance.family();
  const bool v2 = instance.version == 2;
  const IpAddress source = instance.peers.empty() ? stranger(lan, family) : instance.peers.front().address;
  Draft made = draft(instance, source, to, static_cast<std::uint8_t>(dice.below(256)), instance.advert_interval,
                     ChecksumForm::pseudo_header);
  auto& message = made.message;
  bool sealed = true;
  switch (dice.below(16)) {
    case 0:  // a wrong destination
      made.destination = instance.peers.empty() ? own_address(lan, to, family) : vrrp_group(family);
      break;
    case 1:
      made.hop_limit = 254;  // a routed packet
      break;
    case 2:
      made.source = family == Family::ipv4 ? IpAddress() : *IpAddress::parse("2001:db8::200");
      break;
    case 3:
      made.source = own_address(lan, to, family);  // a looped packet
      break;
    case 4:
      if (instance.peers.empty()) made.hop_limit = 1;
      made.source = stranger(lan, family);  // an unknown source of unicast
      break;
    case 5:
      message.resize(2 + dice.below(6));
      break;
    case 6:
      message[0] = static_cast<std::uint8_t>(dice.pick({0, 1, 4, 15}) << 4 | 1);
      break;
    case 7:
      message[0] = static_cast<std::uint8_t>((message[0] & 0xf0) | (2 + dice.below(14)));
      break;
    case 8:
      message[3] = 0;
      break;
    case 9:
      message.push_back(0);
      break;
    case 10:
      message.pop_back();
      break;
    case 11:
      if (v2)
        message[5] = 254;
      else
        message[1] = 200;  // another virtual router
      break;
    case 12:
      message[5] = 0;
      if (!v2) message[4] &= 0xf0;
      break;
    case 13:
      if (v2)
        message[4] = 7;
      else if (family == Family::ipv6)
        message[8] = 0x20;
      else
        message[3] = 0;
      break;
    case 14:
      if (v2 && message[4] == 1)
        message[message.size() - kAuthDataSize] ^= 1;
      else
        message.clear();
      break;
    default:
      message[6] ^= 1;
      sealed = false;
      break;
  }
  if (sealed) seal(made, instance);
  Packet packet = packed(instance, made.source, made.destination, made.message, made.hop_limit);
  if (family == Family::ipv4 && dice.one_in(8))
    packet.octets[dice.below(20)] ^= static_cast<std::uint8_t>(1 + dice.below(255));
  packet.hostile = true;
  return packet;
}

}  // namespace vipd::sim
