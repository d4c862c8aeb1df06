/// Wire: adverts in and out, announcements out, and what other hosts announce of our addresses in.
///
/// A seam: RawWire (os/raw_wire.hpp) has the raw sockets, the tests a LAN that loses packets. It moves octets and knows
/// nothing of what they say. Callers: Supervisor (listen, overhear, hold), VirtualRouter (send), AddressOwner
/// (announce).
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

/// A packet of IP protocol 112 as a raw socket delivers it.
struct Datagram {
  int ifindex = 0;
  Family family = Family::ipv4;
  /// IPv4: from the IP header on (raw(7)). IPv6: the VRRP message alone (RFC 3542 3), the header's fields stand below.
  std::span<const std::uint8_t> octets;
  IpAddress source, destination;    ///< IPv6 only
  int hop_limit = 0;                ///< IPv6 only
  Duration age = Duration::zero();  ///< since it arrived, as far as the kernel tells
};

/// Addresses of ours by interface and family.
using WatchedAddresses = std::map<std::pair<int, Family>, std::vector<IpAddress>>;

/// Called from the loop for each packet; the octets are valid during the call.
using DatagramReceived = std::function<void(const Datagram&)>;

class Wire {
 public:
  virtual ~Wire() = default;

  /// Delivers what comes on an interface for these VRIDs, by unicast and, with `group`, to the VRRP group, which it
  /// joins (RFC 9568 5.1.1.2). Again with others replaces them. Returns since when: joining waits for the kernel's lock
  /// of all links, and who has not heard yet may not think that nobody speaks.
  virtual Result<TimePoint> listen(int ifindex, Family family, const std::bitset<256>& vrids, bool group) = 0;
  /// Ends that; nothing happens if there was none.
  virtual void leave(int ifindex, Family family) = 0;
  /// Where the kernel is in the group now, of what listen() has joined. It drops a membership at times without a word,
  /// see os/memberships.hpp. Fails where nobody can tell.
  virtual Result<std::set<std::pair<int, Family>>> memberships() const = 0;
  /// What became of a message.
  using Sent = std::function<void(const Result<void>&)>;
  /// Sends a VRRP message from `source` to `destination`, both of one family; listen() has been called. Never waits.
  /// Says what became of it before it returns, or in release() after hold().
  virtual void send(int ifindex, const IpAddress& source, const IpAddress& destination,
                    std::span<const std::uint8_t> message, Sent sent) = 0;
  /// Until release(), messages may wait for each other to leave together; those who sent them stay there for so long.
  virtual void hold() {}
  virtual void release() {}
  /// Sends a whole Ethernet frame. Never waits.
  virtual Result<void> announce(int ifindex, std::span<const std::uint8_t> frame) = 0;
  /// Delivers what arrives on these interfaces and says where one of these addresses lives: IPv4, an Ethernet frame
  /// with ARP; IPv6, the ICMPv6 message of a neighbour advertisement, with its hop limit. Other packets may be among
  /// them. A flood is delivered in part. Replaces what was asked for before. A failure leaves some of it undone.
  virtual Result<void> overhear(const WatchedAddresses& addresses) = 0;
};

}  // namespace vipd
