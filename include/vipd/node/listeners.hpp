/// Listeners: the interfaces on which this node listens, each for its routers.
///
/// One listener serves all routers of an interface and family. The kernel may drop a membership without a message. So
/// the memberships of the VRRP group are compared with the kernel's at each change of an interface, and every ten
/// seconds. A listener whose membership the kernel has dropped begins anew.
#pragma once

#include <array>
#include <bitset>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vipd/base/log_limit.hpp"
#include "vipd/node/virtual_router.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/wire.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd {

class Listeners {
 public:
  using Routers = std::span<const std::unique_ptr<VirtualRouter>>;
  /// A packet of a router's VRID.
  struct Delivery {
    VirtualRouter* router;
    IpPacket packet;                         ///< the packet, whose octets are those of the datagram
    std::span<const IpAddress> own_sources;  ///< the source addresses of all routers of the listener
  };

  Listeners(const Kernel& kernel, Wire& wire) : kernel_(kernel), wire_(wire) {}

  /// Serves these routers from now on. A listener that serves the same VRIDs as before is not touched.
  void serve(Routers routers);
  /// The interfaces on which this node listens, or should.
  std::vector<std::string> interfaces() const;
  /// The kernel's view of an interface changed. Returns those whose group membership the kernel has dropped.
  std::vector<std::string> find_dropped(TimePoint now);
  /// Listens on these interfaces if they are up, and tells the routers when that fails. Returns the time at which this
  /// was done: joining a group can take long.
  TimePoint listen(const std::vector<std::string>& interfaces, TimePoint now);
  /// Takes the source addresses that routers on these interfaces have now.
  void note_sources(const std::vector<std::string>& interfaces);
  /// The delivery of a packet; nullopt if it is not for a router here, or no VRRP.
  std::optional<Delivery> deliver(const Datagram& datagram) const;

  /// When take_due() is due; kNever if it is not.
  TimePoint deadline() const;
  /// The interfaces on which listening has to be tried again now.
  std::vector<std::string> take_due(TimePoint now);

 private:
  struct Listener {
    std::bitset<256> vrids;
    bool group = false;  // true if some router speaks by multicast
    std::array<VirtualRouter*, 256> by_vrid{};
    std::vector<IpAddress> own_sources;
    int ifindex = 0;              // the interface on which it listens; 0 = none
    TimePoint retry_at = kNever;  // when listening is tried again
    LogLimit dropped_log;
  };
  using Key = std::pair<std::string, Family>;

  std::vector<std::string> compare_memberships(TimePoint now);
  TimePoint listen(const Key& key, Listener& listener, TimePoint now);

  const Kernel& kernel_;
  Wire& wire_;
  std::map<Key, Listener> listeners_;
  TimePoint compared_at_{};  // when memberships were compared last
  TimePoint compare_at_ = kNever;
};

}  // namespace vipd
