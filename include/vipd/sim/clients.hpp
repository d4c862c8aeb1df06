/// Client and Neighbour: what a LAN is besides its cables: a switch that has seen MACs, a client that goes where it
/// believes, and the neighbour entries of those who speak by unicast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"

namespace vipd::sim {

/// A client, and the switch that all are on. The client learns who has an address from announcements, as ARP and
/// neighbour discovery do (RFC 826; RFC 4861 7.2.5), and never asks by itself once it believes something.
struct Client {
  /// What a node announces reaches switch and client.
  void hear(std::size_t from, std::span<const std::uint8_t> frame);
  /// Behind which node the switch has last seen a MAC.
  std::optional<std::size_t> port_of(const MacAddress& mac) const;

  std::map<IpAddress, MacAddress> neighbours;
  std::map<MacAddress, std::size_t> ports;
  std::uint32_t cut = 0;  ///< a bit for each node that the client and the switch do not see
};

/// An entry of a node's neighbour table, as far as net/core/neighbour.c decides whether a packet leaves. The entry of
/// a neighbour that does not answer any more fails after a while; then the node asks once a second.
struct Neighbour {
  static constexpr Duration kReachable = std::chrono::seconds(20);  ///< base_reachable_time, delays and probes
  static constexpr Duration kRetry = std::chrono::seconds(1);       ///< retrans_time_ms

  /// Whether a packet that is sent now leaves. `answers`: the neighbour would answer now.
  bool passes(bool answers, TimePoint now);
  /// The neighbour has asked for us, or was asked and has answered.
  void confirm(TimePoint now) { confirmed = now; }
  /// The entry is deleted.
  void flush();

  TimePoint confirmed = TimePoint::min();  ///< min(): not known
  TimePoint next_try = TimePoint::min();
  std::size_t node = 0;  ///< which has answered last
};

}  // namespace vipd::sim
