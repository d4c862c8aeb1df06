/// Intruder: packets that our nodes did not send.
///
/// They come from a foreign node such as keepalived or FRR, from an attacker with valid adverts, or they are garbage
/// that every node must refuse, one kind for each check of the decoder.
#pragma once

#include "scenario.hpp"

namespace vipd::sim {

/// A valid advert for the instance, to the group or, by unicast, to node `to`.
Packet advert_packet(const InstanceConfig& instance, const IpAddress& source, std::size_t to, std::uint8_t priority,
                     Duration interval, ChecksumForm form);

/// An advert with a fault that no configuration accepts.
Packet garbage_packet(const InstanceConfig& instance, std::size_t to, Dice& dice);

/// An address on that LAN that no node has.
IpAddress stranger(std::size_t lan, Family family);

}  // namespace vipd::sim
