/// Kernel: links, addresses, routes, rules and what belongs to them, as the machine has them and as we change them.
///
/// A seam: RtnlKernel (os/rtnl_kernel.hpp) talks rtnetlink(7), the tests have a kernel that holds addresses and can
/// refuse. The view is what the kernel last said by itself, never what we asked for; whoever wants to know whether an
/// address is there asks the view ("State is what the kernel says"). Of routes and rules the view has only those that
/// carry our tag: a router may have a million others. Callers: Supervisor, VirtualRouter, AddressOwner,
/// VirtualMac.
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

/// IFA_PROTO, rtm_protocol and FRA_PROTOCOL of what vipd adds: the IP protocol number of VRRP.
inline constexpr std::uint8_t kKernelTag = 112;

/// What the kernel says of one address.
struct AddressState {
  bool usable = true;      ///< false while duplicate address detection (RFC 4862 5.4) goes on or has found another host
  bool secondary = false;  ///< IPv4: another address of the subnet came first
  std::uint8_t tag = 0;    ///< IFA_PROTO
  bool duplicate = false;  ///< true while it is not usable because another host has it (IFA_F_DADFAILED)
  friend bool operator==(const AddressState&, const AddressState&) = default;
};

/// A link with its addresses, as the kernel last told.
struct Interface {
  int index = 0;
  std::string name;
  MacAddress mac;
  bool ethernet = true;   ///< announcements are possible
  bool up = false;        ///< administratively (IFF_UP)
  bool running = false;   ///< up, and with carrier (IFF_RUNNING)
  bool loopback = false;  ///< IFF_LOOPBACK
  bool multicast = true;  ///< IFF_MULTICAST
  bool macvlan = false;   ///< of this kind (IFLA_INFO_KIND)
  int parent = 0;         ///< the interface below it (IFLA_LINK); 0 = none
  /// What it is a port of, such as "bridge" (IFLA_INFO_SLAVE_KIND); empty = of nothing.
  std::string port_of = {};
  std::string alias = {};  ///< IFLA_IFALIAS, a remark
  bool promotes = false;   ///< true while its own promote_secondaries is on, as its last message said
  std::map<IpPrefix, AddressState> addresses = {};
  std::vector<std::string> alternative_names = {};  ///< IFLA_ALT_IFNAME; vipd.toml names none of them
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
  /// Whether an interface of this machine has the MAC.
  bool has_mac(const MacAddress& mac) const {
    for (const auto& [index, interface] : by_index)
      if (interface.mac == mac) return true;
    return false;
  }
  /// What is to be said of a name that find() does not know, behind that name: "is missing", or whose alternative name
  /// it is.
  std::string why_missing(std::string_view name) const;
  /// The entry of an address on an interface, or null. The kernel has an IPv6 address only once, and an IPv4 address
  /// once with each prefix length: one that carries our tag comes first.
  const std::pair<const IpPrefix, AddressState>* find(int index, const IpAddress& address) const;
  /// Whether it is there; an address whoever added it, a route or rule only with our tag.
  bool has(const KernelObject& object) const;
  /// Whether it is there and carries our tag.
  bool has_tagged(const KernelObject& object) const;

  std::map<int, Interface> by_index;
  std::set<RouteObject> routes;  ///< as as_told() gives them
  std::set<RuleObject> rules;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual const NetworkView& view() const = 0;

  /// Adds what is not there yet, tagged with kKernelTag, in this order and in one batch. Interfaces go by ifindex.
  /// Returns an errno for each: 0 = acknowledged, EEXIST = it is there already, whoever added it.
  virtual std::vector<int> add(std::span<const KernelObject> objects) = 0;
  /// Removes these objects and nothing else: no address of others goes along, and no setting changes for good. Returns
  /// for each object 0 if the kernel does not list it any more, whatever it answered, or an errno.
  virtual std::vector<int> remove(std::span<const KernelObject> objects) = 0;
  /// Whether the interface forwards IPv6, which is what the R flag of a neighbour advertisement says.
  virtual bool forwards_ipv6(const std::string& interface) const = 0;

  /// Makes a macvlan (bridge mode), down, that gets no IPv6 address by itself (RFC 9568 7.4). Where `parent` is a
  /// macvlan, the kernel puts the new one on the interface below it. Returns an errno, and then nothing is left of it.
  /// Of what these three change, the view has the kernel's word when they return.
  virtual int add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) = 0;
  virtual int set_link(int ifindex, bool up, const std::string& alias) = 0;
  virtual int remove_link(int ifindex) = 0;

  /// A number below /proc/sys/net, such as "ipv4/conf/eth0/arp_ignore"; nullopt if there is no such file.
  virtual std::optional<int> setting(const std::string& name) const = 0;
  /// Returns an errno.
  virtual int set_setting(const std::string& name, int value) = 0;

  /// From now on no packet to these addresses is taken in; ARP and neighbour discovery are answered. None at all only
  /// tries whether this machine can do that.
  virtual Result<void> refuse_packets(std::span<const IpAddress> addresses) = 0;
  /// Ends that.
  virtual Result<void> accept_packets(std::span<const IpAddress> addresses) = 0;
};

/// Called with the names of the interfaces of which something changed in the view. An empty name stands for the routes
/// and rules, which may belong to none.
using NetworkChanged = std::function<void(const std::vector<std::string>& interfaces)>;

}  // namespace vipd
