/// SimKernel: the kernel of a node in the simulated world.
///
/// It has interfaces with their addresses, routes and rules, ours and those of others. It behaves like Linux: primary
/// and secondary addresses, objects that vanish with an interface or with IPv6, errno values. Tests change the truth
/// and call changed().
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vipd/base/time.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd::sim {

/// Units of virtual time, as scenarios write them.
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class World;

/// A network, named after the interface that nodes have on it.
struct Lan {
  std::string name;
  const char* network;
};
inline const std::array<Lan, 3> kLans = {{{"eth0", "192.0.2."}, {"eth1", "198.51.100."}, {"eth2", "203.0.113."}}};

/// The index of a LAN in kLans; kLans.size() for other names.
std::size_t lan_of(std::string_view name);

/// The own address of a node on a LAN: 192.0.2.(node + 1) or fe80::(node + 1) on the first LAN.
IpAddress own_address(std::size_t lan, std::size_t node, Family family);

/// The interfaces of a node. `real` is the kernel's truth; the view follows a little later, as netlink does.
class SimKernel final : public Kernel {
 public:
  explicit SimKernel(World& world, std::size_t node) : world_(world), node_(node) {}
  const NetworkView& view() const override { return view_; }
  std::vector<int> add(std::span<const KernelObject> objects) override;
  std::vector<int> remove(std::span<const KernelObject> objects) override;
  bool forwards_ipv6(const std::string&) const override { return false; }
  int add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) override;
  int set_link(int ifindex, bool up, const std::string& alias) override;
  int remove_link(int ifindex) override;
  std::optional<int> setting(const std::string& name) const override;
  int set_setting(const std::string& name, int value) override;
  Result<void> refuse_packets(std::span<const IpAddress> addresses) override;
  Result<void> accept_packets(std::span<const IpAddress> addresses) override;

  /// The true state of an interface; null while it does not exist.
  Interface* real(const std::string& name = "eth0");
  bool has(const IpAddress& address) const;
  /// True if the kernel has the address, and the time for adding it is over; see object_takes.
  bool has_by_now(const IpAddress& address) const;
  /// An MTU below 1280 ends IPv6 on an interface and on its macvlans: addresses, memberships and settings go
  /// (addrconf_ifdown(), net/ipv6/addrconf.c). Afterwards the interface has the node's own address again, and a
  /// listener is no longer a member without knowing it. Its macvlans keep the small MTU (macvlan_device_event(),
  /// drivers/net/macvlan.c).
  void set_narrow(const std::string& interface, bool on);
  /// Removes interfaces, and all that is known of them: another interface may get the same index.
  void erase_links(const std::function<bool(const Interface&)>& which);
  /// To be called after changing `real`: the view follows, and the node is told.
  void changed();
  /// Another program adds an address, as `ip addr add` does. Nothing happens if the address is there.
  void others_add(const std::string& interface, const IpPrefix& prefix);
  /// Another program deletes an address, ours or its own, as `ip addr del` does. The kernel removes dependent objects.
  void others_remove(const std::string& interface, const IpPrefix& prefix);
  /// Reads everything into the view anew, as at the start of vipd.
  void catch_up();

  std::map<int, Interface> real_;
  std::map<std::string, int> settings;  ///< settings below /proc/sys/net; others do not exist
  std::set<IpAddress> refused;          ///< addresses whose packets are dropped
  bool can_refuse = true;               ///< true if the machine has nf_tables
  std::set<std::string> read_only;      ///< settings that cannot be written
  std::set<RouteObject> real_routes_;   ///< our routes, as the kernel reports them
  std::set<RuleObject> real_rules_;
  std::set<RouteObject> foreign_routes_;  ///< routes of others, which the view does not have
  std::function<int(const KernelObject&)> refuse = [](const KernelObject&) { return 0; };  ///< errno for an add
  /// An errno in place of the acknowledgement of a change that was made.
  std::function<int(const KernelObject&)> misreport = [](const KernelObject&) { return 0; };
  std::function<int(const KernelObject&)> keep = [](const KernelObject&) { return 0; };  ///< errno for a removal
  std::set<IpAddress> held_elsewhere;  ///< addresses that another host defends in duplicate address detection
  Duration detection_takes = milliseconds(300);
  Duration object_takes{};  ///< how long adding or removing an object takes; the node does nothing else meanwhile
  Duration slow{};          ///< further delay of the view, as when messages are lost and everything is read anew
  std::set<int> narrow;     ///< interfaces with an MTU below 1280, see set_narrow()

 private:
  void take_ipv6_off(Interface& interface);
  int add_one(const KernelObject& object);
  int add_address(const AddressObject& address);
  void end_detection(int ifindex, const IpPrefix& prefix);
  int remove_one(const KernelObject& object);
  void put(Interface& interface, const IpPrefix& prefix, AddressState state);
  void take(Interface& interface, const IpPrefix& prefix, bool promotes);
  void take_routes(const Interface& interface, const IpAddress& deleted);
  bool promotes(const std::string& interface) const;
  std::size_t count_of_others() const;
  std::size_t count_of_changed_hands(std::span<const KernelObject> objects) const;
  int told(const KernelObject& object, int error, std::uint64_t what);
  std::vector<int> change(std::span<const KernelObject> objects, int (SimKernel::*one)(const KernelObject&),
                          std::uint64_t what);
  void link_changed(int ifindex);
  void note_when(std::span<const KernelObject> objects, bool added);

  std::map<IpAddress, TimePoint> appears_, vanishes_;   // by address, only with object_takes
  std::map<std::pair<int, IpPrefix>, int> detections_;  // how many began, by interface and address
  World& world_;
  std::size_t node_;
  NetworkView view_;
};

}  // namespace vipd::sim
