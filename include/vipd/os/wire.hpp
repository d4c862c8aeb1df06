/// Wire: sends and receives adverts, sends announcements, and receives other hosts' announcements of our addresses.
///
/// A seam: RawWire (os/raw_wire.hpp) has the raw sockets; the tests have a LAN that loses packets. The wire moves
/// octets and does not interpret them.
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

/// A packet of IP protocol 112, as a raw socket delivers it.
struct Datagram {
  int ifindex = 0;
  Family family = Family::ipv4;
  /// IPv4: from the IP header on (raw(7)). IPv6: the VRRP message alone (RFC 3542 3); the fields below hold its header.
  std::span<const std::uint8_t> octets;
  IpAddress source, destination;    ///< IPv6 only
  int hop_limit = 0;                ///< IPv6 only
  Duration age = Duration::zero();  ///< time since the packet arrived, as far as the kernel knows
};

/// The virtual addresses of this node, by interface and family.
using WatchedAddresses = std::map<std::pair<int, Family>, std::vector<IpAddress>>;

/// Called from the loop for each packet; the octets are valid during the call.
using DatagramReceived = std::function<void(const Datagram&)>;

class Wire {
 public:
  virtual ~Wire() = default;

  /// Delivers adverts for these VRIDs on an interface: those sent by unicast and, with `group`, those to the VRRP
  /// group, which is joined (RFC 9568 5.1.1.2). A second call replaces the VRIDs. Returns the moment from which adverts
  /// are heard. Joining waits for the kernel's lock of all links, so silence before that moment proves nothing.
  virtual Result<TimePoint> listen(int ifindex, Family family, const std::bitset<256>& vrids, bool group) = 0;
  /// Stops listening; does nothing if listen() was not called.
  virtual void leave(int ifindex, Family family) = 0;
  /// The groups of listen() that the kernel still lists as joined. It sometimes drops a membership without notice, see
  /// os/memberships.hpp. Fails if the lists cannot be read.
  virtual Result<std::set<std::pair<int, Family>>> memberships() const = 0;
  /// Called with the outcome of a message.
  using Sent = std::function<void(const Result<void>&)>;
  /// Sends a VRRP message from `source` to `destination`, both of one family, after listen(). Never waits. Calls `sent`
  /// before it returns, or in release() after hold().
  virtual void send(int ifindex, const IpAddress& source, const IpAddress& destination,
                    std::span<const std::uint8_t> message, Sent sent) = 0;
  /// Until release(), messages may wait and leave together. The objects that the `sent` functions use must live until
  /// then.
  virtual void hold() {}
  virtual void release() {}
  /// Sends a whole Ethernet frame. Never waits.
  virtual Result<void> announce(int ifindex, std::span<const std::uint8_t> frame) = 0;
  /// Delivers packets on these interfaces that say where one of these addresses lives: for IPv4 an Ethernet frame with
  /// ARP, for IPv6 the ICMPv6 message of a neighbour advertisement with its hop limit. Other packets may be among them,
  /// and a flood is delivered in part. Replaces the previous request. After a failure the request may be in effect in
  /// part.
  virtual Result<void> overhear(const WatchedAddresses& addresses) = 0;
};

}  // namespace vipd
