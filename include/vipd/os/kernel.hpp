/// Kernel: links, addresses, routes and rules of this machine, and how vipd changes them.
///
/// A seam: RtnlKernel (os/rtnl_kernel.hpp) talks rtnetlink(7); the tests have a kernel that holds addresses and can
/// refuse. The view is what the kernel last reported, never what vipd asked for. A caller that needs to know whether an
/// address is there asks the view. The view holds only the routes and rules that carry vipd's tag: a router may have a
/// million others.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/kernel_object.hpp"
#include "vipd/base/result.hpp"

namespace vipd {

/// IFA_PROTO, rtm_protocol and FRA_PROTOCOL of all objects that vipd adds: the IP protocol number of VRRP.
inline constexpr std::uint8_t kKernelTag = 112;

/// The kernel's state of one address.
struct AddressState {
  bool usable = true;  ///< false while duplicate address detection (RFC 4862 5.4) runs, or after it found a duplicate
  bool secondary = false;  ///< true if another IPv4 address of the same subnet is the primary one
  std::uint8_t tag = 0;    ///< IFA_PROTO
  bool duplicate = false;  ///< true if the address is unusable because another host has it (IFA_F_DADFAILED)
  friend bool operator==(const AddressState&, const AddressState&) = default;
};

/// A link with its addresses, as the kernel last reported them.
struct Interface {
  int index = 0;
  std::string name;
  MacAddress mac;
  bool ethernet = true;   ///< true if the link can carry announcements
  bool up = false;        ///< true if the link is administratively up (IFF_UP)
  bool running = false;   ///< true if the link is up and has carrier (IFF_RUNNING)
  bool loopback = false;  ///< IFF_LOOPBACK
  bool multicast = true;  ///< IFF_MULTICAST
  bool macvlan = false;   ///< true if the link is a macvlan (IFLA_INFO_KIND)
  int parent = 0;         ///< index of the interface below it (IFLA_LINK); 0 = none
  /// The kind of device that this link is a port of, such as "bridge" (IFLA_INFO_SLAVE_KIND); empty = none.
  std::string port_of = {};
  std::string alias = {};  ///< IFLA_IFALIAS, free text
  bool promotes = false;   ///< true while promote_secondaries of this interface is on, by its last message
  std::map<IpPrefix, AddressState> addresses = {};
  std::vector<std::string> alternative_names = {};  ///< IFLA_ALT_IFNAME; vipd.toml does not use these names
  friend bool operator==(const Interface&, const Interface&) = default;
};

/// Links with their addresses, by index; tagged routes and rules.
class NetworkView {
 public:
  const Interface* find(int index) const {
    const auto it = by_index.find(index);
    return it == by_index.end() ? nullptr : &it->second;
  }
  const Interface* find(std::string_view name) const {
    for (const auto& [index, interface] : by_index)
      if (interface.name == name) return &interface;
    return nullptr;
  }
  /// True if an interface of this machine has the MAC.
  bool has_mac(const MacAddress& mac) const {
    for (const auto& [index, interface] : by_index)
      if (interface.mac == mac) return true;
    return false;
  }
  /// Why find() does not know the name, to follow that name: "is missing", or the interface whose alternative name it
  /// is.
  std::string why_missing(std::string_view name) const;
  /// The entry of an address on an interface, or null. The kernel has an IPv6 address only once. It can have an IPv4
  /// address once for each prefix length; an entry with vipd's tag comes first.
  const std::pair<const IpPrefix, AddressState>* find(int index, const IpAddress& address) const;
  /// True if the object is there. Any address counts, but only routes and rules with vipd's tag.
  bool has(const KernelObject& object) const;
  /// True if the object is there and carries vipd's tag.
  bool has_tagged(const KernelObject& object) const;

  std::map<int, Interface> by_index;
  std::set<RouteObject> routes;  ///< our routes, in the form of as_told()
  std::set<RuleObject> rules;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual const NetworkView& view() const = 0;

  /// Adds the objects that are not there yet, tagged with kKernelTag, in this order and in one batch. Interfaces are
  /// given by index. Returns an errno for each object: 0 = acknowledged, EEXIST = already there, by vipd or by others.
  virtual std::vector<int> add(std::span<const KernelObject> objects) = 0;
  /// Removes these objects and nothing else: other addresses stay, and no setting changes for good. Returns an errno
  /// for each object, or 0 if the kernel no longer lists it.
  virtual std::vector<int> remove(std::span<const KernelObject> objects) = 0;
  /// True if the interface forwards IPv6. The R flag of a neighbour advertisement says the same.
  virtual bool forwards_ipv6(const std::string& interface) const = 0;

  /// Makes a macvlan in bridge mode, down, without an automatic IPv6 address (RFC 9568 7.4). If `parent` is a macvlan
  /// itself, the kernel attaches the new one to the interface below. Returns an errno; after an error nothing is left
  /// of the macvlan. The view is up to date when this function returns. The same holds for set_link() and
  /// remove_link().
  virtual int add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) = 0;
  virtual int set_link(int ifindex, bool up, const std::string& alias) = 0;
  virtual int remove_link(int ifindex) = 0;

  /// The value of a numeric file below /proc/sys/net, such as "ipv4/conf/eth0/arp_ignore"; nullopt if the file is
  /// missing.
  virtual std::optional<int> setting(const std::string& name) const = 0;
  /// Writes such a file. Returns an errno.
  virtual int set_setting(const std::string& name, int value) = 0;

  /// Drops all packets to these addresses from now on; ARP and neighbour discovery are still answered. An empty list
  /// only tests whether this machine can do so.
  virtual Result<void> refuse_packets(std::span<const IpAddress> addresses) = 0;
  /// Takes packets to these addresses in again.
  virtual Result<void> accept_packets(std::span<const IpAddress> addresses) = 0;
};

/// Called with the names of the interfaces that changed in the view. An empty name stands for routes and rules, which
/// need not belong to an interface.
using NetworkChanged = std::function<void(const std::vector<std::string>& interfaces)>;

}  // namespace vipd
