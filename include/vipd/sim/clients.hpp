/// Client and Neighbour: the parts of a LAN besides its cables. A switch remembers the ports of MACs, a client sends to
/// the MAC that it has learnt, and nodes that speak by unicast have neighbour entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"

namespace vipd::sim {

/// A client, and the switch of the LAN. The client learns the holder of an address from announcements, as ARP and
/// neighbour discovery do (RFC 826; RFC 4861 7.2.5). It does not ask again for an address that it has learnt.
struct Client {
  /// An announcement of a node reaches switch and client.
  void hear(std::size_t from, std::span<const std::uint8_t> frame);
  /// The node behind which the switch last saw a MAC; nullopt if it saw none.
  std::optional<std::size_t> port_of(const MacAddress& mac) const;

  std::map<IpAddress, MacAddress> neighbours;  ///< what the client has learnt
  std::map<MacAddress, std::size_t> ports;     ///< what the switch has seen
  std::uint32_t cut = 0;                       ///< a bit for each node from which client and switch are cut off
};

/// An entry of a node's neighbour table, which decides whether a packet leaves (net/core/neighbour.c). The entry of a
/// neighbour that no longer answers fails after a while; then the node asks once a second.
struct Neighbour {
  static constexpr Duration kReachable = std::chrono::seconds(20);  ///< base_reachable_time, delays and probes together
  static constexpr Duration kRetry = std::chrono::seconds(1);       ///< retrans_time_ms

  /// True if a packet that is sent now leaves. `answers` is true if the neighbour would answer now.
  bool passes(bool answers, TimePoint now);
  /// The neighbour has asked for us, or was asked and has answered.
  void confirm(TimePoint now) { confirmed = now; }
  /// The entry is deleted.
  void flush();

  TimePoint confirmed = TimePoint::min();  ///< when the neighbour last confirmed the entry; min() if there is none
  TimePoint next_try = TimePoint::min();   ///< when the node may ask again
  std::size_t node = 0;                    ///< the node that last answered
};

}  // namespace vipd::sim
