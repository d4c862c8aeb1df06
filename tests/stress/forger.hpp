/// Forger: sends packets that no node should send, from the stranger's eth0.
#pragma once

#include "site.hpp"
#include "support/packet_builder.hpp"

namespace vipd::stress {

/// An advert of the scene's first instance, sent by the stranger, that a receiver would accept.
testing::PacketParts forged_advert(Site& site, std::uint8_t priority);

/// Sends to the group, or to each server if the scene uses unicast.
void send_advert(Site& site, testing::PacketParts parts);
/// Sends octets as the payload of an IP packet of protocol 112.
void send_octets(Site& site, const testing::Octets& octets);

}  // namespace vipd::stress
