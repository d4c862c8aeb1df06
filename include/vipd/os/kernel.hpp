/// Kernel: links, addresses, routes and rules, as the machine has them and as we change them.
///
/// A seam: RtnlKernel (os/rtnl_kernel.hpp) talks rtnetlink(7), the tests have a kernel that holds addresses and can
/// refuse. The view is what the kernel last said by itself, never what we asked for; whoever wants to know whether an
/// address is there asks the view ("State is what the kernel says"). Of routes and rules the view has only those that
/// carry our tag: a router may have a million others. Callers: Supervisor, VirtualRouter, AddressOwner.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/kernel_object.hpp"

namespace vipd {

/// IFA_PROTO, rtm_protocol and FRA_PROTOCOL of what vipd adds: the IP protocol number of VRRP.
inline constexpr std::uint8_t kKernelTag = 112;

/// What the kernel says of one address.
struct AddressState {
  bool usable = true;      ///< neither tentative nor failed duplicate address detection (RFC 4862)
  bool secondary = false;  ///< IPv4: another address of the subnet came first
  std::uint8_t tag = 0;    ///< IFA_PROTO
  friend bool operator==(const AddressState&, const AddressState&) = default;
};

/// A link with its addresses, as the kernel last told.
struct Interface {
  int index = 0;
  std::string name;
  MacAddress mac;
  bool ethernet = true;  ///< announcements are possible
  bool running = false;  ///< administratively up, with carrier (IFF_UP and IFF_RUNNING)
  std::map<IpPrefix, AddressState> addresses;
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
  /// The entry of an address on an interface, with whatever prefix length (the kernel has one IPv6 address only
  /// once), or null.
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
  /// Removes; as add(). What is not there any more counts as removed: 0.
  virtual std::vector<int> remove(std::span<const KernelObject> objects) = 0;
  /// Whether the interface forwards IPv6, which is what the R flag of a neighbour advertisement says.
  virtual bool forwards_ipv6(const std::string& interface) const = 0;
};

/// Called with the names of the interfaces of which something changed in the view. An empty name stands for the routes
/// and rules, which may belong to none.
using NetworkChanged = std::function<void(const std::vector<std::string>& interfaces)>;

}  // namespace vipd
