#include "vipd/os/kernel.hpp"

#include <algorithm>

namespace vipd {

const std::pair<const IpPrefix, AddressState>* NetworkView::find(int index, const IpAddress& address) const {
  const Interface* interface = find(index);
  if (interface == nullptr) return nullptr;
  const std::pair<const IpPrefix, AddressState>* found = nullptr;
  const auto end = interface->addresses.end();
  for (auto it = interface->addresses.lower_bound({address, 0}); it != end && it->first.address == address; ++it)
    if (found == nullptr || it->second.tag == kKernelTag) found = &*it;
  return found;
}

std::string NetworkView::why_missing(std::string_view name) const {
  for (const auto& [index, interface] : by_index)
    if (std::ranges::find(interface.alternative_names, name) != interface.alternative_names.end())
      return "is an alternative name of " + interface.name + ": write \"" + interface.name + "\"";
  return "is missing";
}

bool NetworkView::has(const KernelObject& object) const {
  const auto* address = std::get_if<AddressObject>(&object);
  return address != nullptr ? find(address->ifindex, address->prefix.address) != nullptr : has_tagged(object);
}

bool NetworkView::has_tagged(const KernelObject& object) const {
  if (const auto* address = std::get_if<AddressObject>(&object)) {
    const auto* held = find(address->ifindex, address->prefix.address);
    return held != nullptr && held->second.tag == kKernelTag;
  }
  if (const auto* route = std::get_if<RouteObject>(&object)) return routes.contains(as_told(*route));
  return rules.contains(std::get<RuleObject>(object));
}

}  // namespace vipd
