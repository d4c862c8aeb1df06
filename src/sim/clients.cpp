#include "vipd/sim/clients.hpp"

#include <algorithm>

namespace vipd::sim {
namespace {

MacAddress mac_at(std::span<const std::uint8_t> frame, std::size_t offset) {
  MacAddress mac;
  std::ranges::copy(frame.subspan(offset, mac.octets.size()), mac.octets.begin());
  return mac;
}

}  // namespace

void Client::hear(std::size_t from, std::span<const std::uint8_t> frame) {
  if ((cut >> from & 1) != 0) return;
  constexpr std::size_t kSource = 6, kType = 12, kPayload = 14;
  ports[mac_at(frame, kSource)] = from;
  const bool arp = frame[kType] == 0x08 && frame[kType + 1] == 0x06;
  const bool neighbour_advertisement =
      frame[kType] == 0x86 && frame[kPayload + 6] == 58 && frame[kPayload + 40] == 136;  // ICMPv6 and its type
  if (arp) neighbours[IpAddress(Family::ipv4, frame.subspan(kPayload + 14, 4))] = mac_at(frame, kPayload + 8);
  if (neighbour_advertisement)
    neighbours[IpAddress(Family::ipv6, frame.subspan(kPayload + 48, 16))] = mac_at(frame, kPayload + 66);
}

std::optional<std::size_t> Client::port_of(const MacAddress& mac) const {
  const auto found = ports.find(mac);
  return found == ports.end() ? std::nullopt : std::optional(found->second);
}

bool Neighbour::passes(bool answers, TimePoint now) {
  const bool known = confirmed != TimePoint::min();
  if (known && answers) confirmed = now;
  if (known && now < confirmed + kReachable) return answers;
  if (now < next_try) return false;
  next_try = now + kRetry;
  confirmed = answers ? now : TimePoint::min();
  return answers;
}

void Neighbour::flush() { *this = {}; }

}  // namespace vipd::sim
