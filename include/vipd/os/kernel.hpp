/// Kernel: links and addresses, as the machine has them and as we change them.
///
/// A seam: RtnlKernel (os/rtnl_kernel.hpp) talks rtnetlink(7), the tests have a kernel that holds addresses and can
/// refuse. The view is what the kernel last said by itself, never what we asked for; whoever wants to know whether an
/// address is there asks the view ("State is what the kernel says"). Callers: Supervisor, VirtualRouter, AddressOwner.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/ip.hpp"

namespace vipd {

/// IFA_PROTO of the addresses that vipd adds (linux/if_addr.h): the IP protocol number of VRRP.
inline constexpr std::uint8_t kAddressTag = 112;

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

/// Links with their addresses, by index.
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

  std::map<int, Interface> by_index;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual const NetworkView& view() const = 0;

  /// Adds addresses to an interface, tagged with kAddressTag, without duplicate address detection; one batch.
  /// Returns an errno for each, 0 = acknowledged (EEXIST: it is there already, whoever added it).
  virtual std::vector<int> add(int ifindex, std::span<const IpPrefix> addresses) = 0;
  /// Removes addresses; as add(). EADDRNOTAVAIL: it is not there.
  virtual std::vector<int> remove(int ifindex, std::span<const IpPrefix> addresses) = 0;
  /// Whether the interface forwards IPv6, which is what the R flag of a neighbour advertisement says.
  virtual bool forwards_ipv6(const std::string& interface) const = 0;
};

/// Called with the names of the interfaces of which something changed in the view.
using NetworkChanged = std::function<void(const std::vector<std::string>& interfaces)>;

}  // namespace vipd
