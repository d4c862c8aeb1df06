#include "vipd/node/held_objects.hpp"

#include <algorithm>
#include <utility>

#include "vipd/node/virtual_mac.hpp"

namespace vipd {
namespace {

/// The length of the narrowest own subnet of the interface around the address; 0 if there is none.
std::uint8_t subnet_length(const Interface* interface, const IpAddress& address) {
  std::uint8_t length = 0;
  if (interface != nullptr)
    for (const auto& [prefix, state] : interface->addresses)
      if (state.tag != kKernelTag && prefix.address != address && prefix.contains(address))
        length = std::max(length, prefix.length);
  return length;
}

/// Sets the length of an address. The device of the virtual MAC is on the network of the instance's interface, which
/// tells a missing length. If that interface has a route to the subnet, the address gets full length: a second route
/// would divert the machine's own packets. Link-local routes are needed on each interface. On other interfaces, a
/// macvlan of the user among them, an address with a length is not compared with thousands of others.
void fit_subnet(AddressObject& object, const InstanceConfig& instance, const NetworkView& view) {
  const IpAddress& address = object.prefix.address;
  const bool on_device = instance.virtual_mac && object.interface == virtual_mac_device(instance);
  if (!on_device && object.prefix.length != 0) return;
  const std::uint8_t length = subnet_length(view.find(on_device ? instance.interface : object.interface), address);
  const bool is_link_local = address.family() == Family::ipv6 && address.is_link_local();
  object.prefix_route = !on_device || length == 0 || is_link_local;
  if (object.prefix.length != 0) return;
  object.prefix.length = length != 0 ? length : static_cast<std::uint8_t>(8 * address_size(address.family()));
}

}  // namespace

int index_of(const NetworkView& view, const std::string& interface) {
  const Interface* found = view.find(interface);
  return found != nullptr ? found->index : 0;
}

std::vector<WantedObject> wanted_by(const InstanceConfig& instance) {
  std::vector<WantedObject> wanted;
  for (const VirtualAddress& each : instance.addresses) {
    if (!each.assigned) continue;
    AddressObject address = each;
    if (address.interface.empty()) address.interface = address_interface(instance);
    wanted.push_back({std::move(address), each.tracked});
  }
  for (const VirtualRoute& each : instance.routes) {
    RouteObject route = each;
    if (route.type == RouteType::unicast && route.interface.empty()) route.interface = instance.interface;
    wanted.push_back({std::move(route), each.tracked});
  }
  for (const RuleObject& rule : instance.rules) wanted.push_back({rule});
  return wanted;
}

KernelObject located(KernelObject object, const InstanceConfig& instance, const NetworkView& view) {
  if (auto* address = std::get_if<AddressObject>(&object)) {
    address->ifindex = index_of(view, address->interface);
    fit_subnet(*address, instance, view);
  } else if (auto* route = std::get_if<RouteObject>(&object); route != nullptr && route->type == RouteType::unicast) {
    route->ifindex = index_of(view, route->interface);
  }
  return object;
}

std::vector<IpAddress> refused_by(const InstanceConfig& config) {
  std::vector<IpAddress> refused;
  if (config.accepts()) return refused;
  for (const auto& address : config.addresses)
    if (address.assigned) refused.push_back(address.prefix.address);
  return refused;
}

std::vector<KernelObject> objects_of(const InstanceConfig& instance, const NetworkView& view) {
  std::vector<KernelObject> objects;
  for (auto& wanted : wanted_by(instance)) objects.push_back(located(std::move(wanted.object), instance, view));
  return objects;
}

std::vector<KernelObject> tagged_objects_of(const InstanceConfig& instance, const NetworkView& view,
                                            const std::vector<KernelObject>& but_for) {
  auto objects = objects_of(instance, view);
  std::erase_if(objects, [&](const auto& object) {
    return !view.has_tagged(object) || std::ranges::find(but_for, object) != but_for.end();
  });
  for (auto& object : objects)  // another subnet may have told a missing length before
    if (auto* address = std::get_if<AddressObject>(&object))
      address->prefix = view.find(address->ifindex, address->prefix.address)->first;
  std::ranges::reverse(objects);
  return objects;
}

const AddressState* state_of(const KernelObject& object, const NetworkView& view) {
  const auto* address = std::get_if<AddressObject>(&object);
  const auto* told = address != nullptr ? view.find(address->ifindex, address->prefix.address) : nullptr;
  return told != nullptr ? &told->second : nullptr;
}

bool is_settled(const AddressObject& address, const NetworkView& view) {
  if (address.prefix.address.family() == Family::ipv4) return true;
  const auto* told = view.find(address.ifindex, address.prefix.address);
  return told != nullptr ? told->second.usable : address.nodad;
}

}  // namespace vipd
