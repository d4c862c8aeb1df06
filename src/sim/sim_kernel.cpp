#include "vipd/sim/sim_kernel.hpp"

#include <algorithm>
#include <cerrno>

#include "vipd/sim/world.hpp"

namespace vipd::sim {
namespace {

/// True if two names are equal. It compares the last character first, since it is called for each packet.
bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || a.back() == b.back()) && a == b;
}

bool same_subnet(const IpPrefix& a, const IpPrefix& b) {
  return a.address.family() == Family::ipv4 && a.length == b.length && a.contains(b.address);
}

}  // namespace

std::size_t lan_of(std::string_view name) {
  const auto is_it = [&](const Lan& lan) { return is_same(lan.name, name); };
  return static_cast<std::size_t>(std::ranges::find_if(kLans, is_it) - kLans.begin());
}

IpAddress own_address(std::size_t lan, std::size_t node, Family family) {
  const std::string host = std::to_string(node + 1);
  return *IpAddress::parse((family == Family::ipv4 ? kLans[lan].network : "fe80::") + host);
}

Interface* SimKernel::real(const std::string& name) {
  for (auto& [index, interface] : real_)
    if (is_same(interface.name, name)) return &interface;
  return nullptr;
}

bool SimKernel::has(const IpAddress& address) const {
  return std::ranges::any_of(real_, [&](const auto& each) {
    const auto found = each.second.addresses.lower_bound({address, 0});
    return found != each.second.addresses.end() && found->first.address == address;
  });
}

int SimKernel::add_one(const KernelObject& object) {
  if (const int error = refuse(object); error != 0) return error;
  const auto added = [](bool is_new) { return is_new ? 0 : EEXIST; };
  if (const auto* rule = std::get_if<RuleObject>(&object)) return added(real_rules_.insert(*rule).second);
  if (const auto* address = std::get_if<AddressObject>(&object)) return add_address(*address);
  const RouteObject route = as_told(std::get<RouteObject>(object));
  if (route.type == RouteType::unicast && !real_.contains(route.ifindex)) return ENODEV;
  return added(!foreign_routes_.contains(route) && real_routes_.insert(route).second);
}

int SimKernel::add_address(const AddressObject& address) {
  const auto interface = real_.find(address.ifindex);
  if (interface == real_.end()) return ENODEV;
  if (interface->second.addresses.contains(address.prefix)) return EEXIST;
  const bool ipv6 = address.prefix.address.family() == Family::ipv6;
  if (ipv6 && narrow.contains(address.ifindex)) return EINVAL;  // ipv6_find_idev()
  const bool detects = ipv6 && !address.nodad;
  put(interface->second, address.prefix, {.usable = !detects, .tag = kKernelTag});
  if (!detects) return 0;
  const std::pair key(address.ifindex, address.prefix);
  world_.at_node(node_, detection_takes, [this, key, number = ++detections_[key]] {
    if (detections_[key] == number) end_detection(key.first, key.second);
  });
  return 0;
}

/// addrconf_dad_completed() and addrconf_dad_failure(), net/ipv6/addrconf.c.
void SimKernel::end_detection(int ifindex, const IpPrefix& prefix) {
  const auto interface = real_.find(ifindex);
  if (interface == real_.end()) return;
  const auto address = interface->second.addresses.find(prefix);
  if (address == interface->second.addresses.end() || address->second.usable) return;
  const std::size_t lan = World::lan_below(interface->second.name);
  address->second.duplicate =
      held_elsewhere.contains(prefix.address) || world_.is_elsewhere(prefix.address, lan, node_);
  address->second.usable = !address->second.duplicate;
  changed();
}

int SimKernel::remove_one(const KernelObject& object) {
  if (const int error = keep(object); error != 0) return error;
  if (const auto* rule = std::get_if<RuleObject>(&object)) real_rules_.erase(*rule);
  if (const auto* route = std::get_if<RouteObject>(&object)) real_routes_.erase(as_told(*route));
  if (const auto* address = std::get_if<AddressObject>(&object))
    if (const auto interface = real_.find(address->ifindex); interface != real_.end())
      take(interface->second, address->prefix, true);  // as RtnlKernel does
  return 0;
}

/// __inet_insert_ifa(), net/ipv4/devinet.c: the first address of a subnet is its primary one.
void SimKernel::put(Interface& interface, const IpPrefix& prefix, AddressState state) {
  state.secondary = std::ranges::any_of(
      interface.addresses, [&](const auto& each) { return !each.second.secondary && same_subnet(each.first, prefix); });
  interface.addresses.emplace(prefix, state);
}

/// __inet_del_ifa(), net/ipv4/devinet.c: the secondary addresses of a subnet go with its primary one, unless they are
/// promoted.
void SimKernel::take(Interface& interface, const IpPrefix& prefix, bool promoting) {
  auto& addresses = interface.addresses;
  const auto gone = addresses.find(prefix);
  if (gone == addresses.end()) return;
  const bool was_primary = !gone->second.secondary;
  addresses.erase(gone);
  const auto in_subnet = [&](const auto& each) { return was_primary && same_subnet(each.first, prefix); };
  if (promoting) {
    const auto next = std::ranges::find_if(addresses, in_subnet);
    if (next != addresses.end()) next->second.secondary = false;
  } else {
    std::erase_if(addresses, in_subnet);
  }
  if (prefix.address.family() == Family::ipv4) take_routes(interface, prefix.address);
}

/// fib_del_ifaddr(), net/ipv4/fib_frontend.c: the last IPv4 address takes all routes over the interface along, and each
/// address the routes that have it as their source.
void SimKernel::take_routes(const Interface& interface, const IpAddress& deleted) {
  const bool last = std::ranges::none_of(interface.addresses,
                                         [](const auto& each) { return each.first.address.family() == Family::ipv4; });
  const auto goes = [&](const RouteObject& route) {
    return route.source == deleted ||
           (last && route.ifindex == interface.index && route.to.address.family() == Family::ipv4);
  };
  std::erase_if(real_routes_, goes);
  std::erase_if(foreign_routes_, goes);
}

/// The larger of "all" and the interface's own counts (IN_DEV_PROMOTE_SECONDARIES, include/linux/inetdevice.h).
bool SimKernel::promotes(const std::string& interface) const {
  return std::ranges::any_of(std::array<std::string, 2>{"all", interface}, [&](const std::string& name) {
    return setting("ipv4/conf/" + name + "/promote_secondaries").value_or(0) != 0;
  });
}

void SimKernel::others_add(const std::string& name, const IpPrefix& prefix) {
  Interface* interface = real(name);
  if (interface == nullptr || interface->addresses.contains(prefix)) return;
  put(*interface, prefix, {});
  changed();
}

void SimKernel::others_remove(const std::string& name, const IpPrefix& prefix) {
  Interface* interface = real(name);
  if (interface == nullptr || !interface->addresses.contains(prefix)) return;
  take(*interface, prefix, promotes(name));
  changed();
}

/// How many of these addresses belong to others by now, while the view does not know it yet.
std::size_t SimKernel::count_of_changed_hands(std::span<const KernelObject> objects) const {
  return static_cast<std::size_t>(std::ranges::count_if(objects, [&](const KernelObject& object) {
    const auto* address = std::get_if<AddressObject>(&object);
    if (address == nullptr || !real_.contains(address->ifindex)) return false;
    const auto& addresses = real_.at(address->ifindex).addresses;
    const auto found = addresses.find(address->prefix);
    const bool is_others = found != addresses.end() && found->second.tag != kKernelTag;
    return is_others && (view_.has_tagged(object) || !view_.has(object));
  }));
}

/// How many addresses of others exist. The last one of an interface takes its routes along, which is no fault of vipd.
std::size_t SimKernel::count_of_others() const {
  std::size_t count = 0;
  for (const auto& [index, interface] : real_)
    count += static_cast<std::size_t>(
        std::ranges::count_if(interface.addresses, [](const auto& each) { return each.second.tag != kKernelTag; }));
  return count;
}

/// The answer to a change that was made or refused.
int SimKernel::told(const KernelObject& object, int error, std::uint64_t what) {
  const int misreported = misreport(object);
  world_.note(what << 32U | world_.nodes[node_]->index << 16U | static_cast<std::uint64_t>(error));
  if (const auto* address = std::get_if<AddressObject>(&object)) world_.note(address->prefix.address.octets().back());
  return error == 0 ? misreported : error;
}

std::vector<int> SimKernel::add(std::span<const KernelObject> objects) {
  note_when(objects, true);
  return change(objects, &SimKernel::add_one, 1);
}

std::vector<int> SimKernel::remove(std::span<const KernelObject> objects) {
  note_when(objects, false);
  const std::size_t before = count_of_others(), excused = count_of_changed_hands(objects);
  auto results = change(objects, &SimKernel::remove_one, 2);
  if (world_.on_harm && count_of_others() + excused < before) world_.on_harm(node_);
  return results;
}

/// Changes objects one by one. `what` goes into the digest. A change without effect is not reported.
std::vector<int> SimKernel::change(std::span<const KernelObject> objects, int (SimKernel::*one)(const KernelObject&),
                                   std::uint64_t what) {
  std::vector<int> results;
  bool some = false;
  for (const auto& object : objects) {
    const int error = (this->*one)(object);
    some = some || error == 0;
    results.push_back(told(object, error, what));
  }
  if (some) changed();
  if (object_takes > Duration::zero())
    world_.nodes[node_]->sleep(object_takes * static_cast<Duration::rep>(objects.size()));
  return results;
}

/// Notes when each object appears or vanishes: one after the other, while the node waits for the kernel.
void SimKernel::note_when(std::span<const KernelObject> objects, bool added) {
  if (object_takes == Duration::zero()) return;
  TimePoint when = std::max(world_.now, world_.nodes[node_]->asleep_until);
  for (const KernelObject& object : objects) {
    when += object_takes;
    const auto* address = std::get_if<AddressObject>(&object);
    if (address == nullptr || has(address->prefix.address) == added) continue;
    (added ? appears_ : vanishes_)[address->prefix.address] = when;
  }
}

bool SimKernel::has_by_now(const IpAddress& address) const {
  const auto& times = has(address) ? appears_ : vanishes_;
  const auto when = times.find(address);
  const bool over = when == times.end() || world_.now >= when->second;
  return has(address) == over;
}

void SimKernel::set_narrow(const std::string& name, bool on) {
  Interface* interface = real(name);
  if (interface == nullptr || narrow.contains(interface->index) == on) return;
  if (!on) {
    narrow.erase(interface->index);
    settings["ipv6/conf/" + name + "/addr_gen_mode"] = 0;
    others_add(name, {own_address(lan_of(name), node_, Family::ipv6), 64});
    return;
  }
  for (auto& [index, each] : real_)
    if (index == interface->index || (each.macvlan && each.parent == interface->index)) take_ipv6_off(each);
  world_.nodes[node_]->wire.drop_membership(interface->index, Family::ipv6);
  changed();
}

void SimKernel::take_ipv6_off(Interface& interface) {
  narrow.insert(interface.index);
  std::erase_if(interface.addresses, [](const auto& each) { return each.first.address.family() == Family::ipv6; });
  std::erase_if(settings,
                [&](const auto& each) { return each.first.starts_with("ipv6/conf/" + interface.name + "/"); });
}

void SimKernel::erase_links(const std::function<bool(const Interface&)>& which) {
  std::erase_if(real_, [&](const auto& each) { return which(each.second); });
  std::erase_if(narrow, [this](int index) { return !real_.contains(index); });
}

void SimKernel::catch_up() {
  view_.by_index = real_;
  view_.routes = real_routes_;
  view_.rules = real_rules_;
}

int SimKernel::add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) {
  const auto below = real_.find(parent);
  if (below == real_.end()) return ENODEV;
  if (below->second.macvlan) parent = below->second.parent;  // macvlan_common_newlink(): never on another macvlan
  for (const auto& [index, interface] : real_)
    if (interface.name == name) return EEXIST;
  const int index = real_.rbegin()->first + 1;
  real_[index] = {.index = index, .name = name, .mac = mac, .macvlan = true, .parent = parent, .alias = alias};
  for (const char* ipv4 : {"arp_ignore", "arp_announce", "rp_filter"}) settings["ipv4/conf/" + name + "/" + ipv4] = 0;
  for (const char* ipv6 : {"addr_gen_mode", "accept_ra", "autoconf"}) settings["ipv6/conf/" + name + "/" + ipv6] = 0;
  if (narrow.contains(parent)) take_ipv6_off(real_[index]);
  link_changed(index);
  return 0;
}

int SimKernel::set_link(int ifindex, bool up, const std::string& alias) {
  const auto link = real_.find(ifindex);
  if (link == real_.end()) return ENODEV;
  link->second.up = link->second.running = up;
  link->second.alias = alias;
  link_changed(ifindex);
  return 0;
}

int SimKernel::remove_link(int ifindex) {
  if (real_.erase(ifindex) == 0) return ENODEV;
  narrow.erase(ifindex);
  link_changed(ifindex);
  return 0;
}

/// Updates this link in the view at once; the other links follow later.
void SimKernel::link_changed(int ifindex) {
  view_.by_index.erase(ifindex);
  if (const auto link = real_.find(ifindex); link != real_.end()) view_.by_index.insert(*link);
  changed();
}

std::optional<int> SimKernel::setting(const std::string& name) const {
  const auto found = settings.find(name);
  return found != settings.end() ? std::optional(found->second) : std::nullopt;
}

int SimKernel::set_setting(const std::string& name, int value) {
  if (read_only.contains(name)) return EROFS;
  if (!settings.contains(name)) return ENOENT;
  settings[name] = value;
  return 0;
}

Result<void> SimKernel::refuse_packets(std::span<const IpAddress> addresses) {
  if (!can_refuse) return failure("no nf_tables");
  refused.insert(addresses.begin(), addresses.end());
  return {};
}

Result<void> SimKernel::accept_packets(std::span<const IpAddress> addresses) {
  for (const auto& address : addresses) refused.erase(address);
  return {};
}

void SimKernel::changed() {
  ++world_.changes;
  world_.at_node(node_, world_.between(microseconds(10), milliseconds(1)) + slow, [this] {
    std::vector<std::string> names = {""};
    for (const auto* links : {&view_.by_index, &real_})
      for (const auto& [index, interface] : *links) names.push_back(interface.name);
    catch_up();
    Node& node = *world_.nodes[node_];
    if (node.alive()) node.supervisor->network_changed(names, world_.now);
  });
}

}  // namespace vipd::sim
