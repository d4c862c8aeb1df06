/// Intruder: packets that our nodes did not send.
///
/// A foreign speaker as keepalived or FRR would be one, an attacker whose adverts are valid, and garbage that nobody
/// may take, one kind for each check of the decoder. Callers: Cluster.
#pragma once

#include "scenario.hpp"

namespace vipd::sim {

/// A valid advert for the instance, to the group or, by unicast, to node `to`.
Packet advert_packet(const InstanceConfig& instance, const IpAddress& source, std::size_t to, std::uint8_t priority,
                     Duration interval, ChecksumForm form);

/// The same with something wrong that no configuration takes.
Packet garbage_packet(const InstanceConfig& instance, std::size_t to, Dice& dice);

/// An address on that LAN that is no node's.
IpAddress stranger(std::size_t lan, Family family);

}  // namespace vipd::sim
