/// Forger: sends what nobody should send, from the stranger's eth0.
#pragma once

#include "site.hpp"
#include "support/packet_builder.hpp"

namespace vipd::stress {

/// An advert of the scene's first instance, from the stranger, as a receiver would take it.
testing::PacketParts forged_advert(Site& site, std::uint8_t priority);

/// To the group, or to each server where the scene has no multicast.
void send_advert(Site& site, testing::PacketParts parts);
/// The octets behind an IP header, of protocol 112.
void send_octets(Site& site, const testing::Octets& octets);

}  // namespace vipd::stress
