#include "vipd/node/held_entries.hpp"

#include <algorithm>
#include <cerrno>

#include "vipd/os/log.hpp"

namespace vipd {

std::vector<KernelObject> ours_of(const std::vector<HeldEntry>& entries) {
  std::vector<KernelObject> ours;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    if (entry->owned) ours.push_back(entry->object);
  return ours;
}

void note_changed_hands(HeldEntry& entry, const NetworkView& view) {
  const AddressState* state = entry.owned ? state_of(entry.object, view) : nullptr;
  if (state == nullptr) return;
  const bool is_ours = state->tag == kKernelTag;
  entry.foreign = entry.told && !is_ours;
  entry.owned = !entry.foreign;
  entry.told = is_ours;
  if (entry.foreign)
    log_warning("{} was removed, and somebody else has added it; it will stay there on release",
                describe(entry.object));
}

void note_added(HeldEntry& entry, int error, const NetworkView& view) {
  const bool is_there = error == EEXIST;
  entry.error = is_there ? 0 : error;
  if (entry.error != 0) return;
  const bool was_foreign = entry.foreign;
  entry.told = false;
  entry.foreign = is_there && !entry.owned && !view.has_tagged(entry.object);
  entry.owned = !entry.foreign;
  if (entry.foreign && !was_foreign)
    log_warning("{} is there already, not added by vipd; it will stay there on release", describe(entry.object));
}

/// A length that the configuration left out is no secret.
void log_length(const HeldEntry& entry, const std::string& instance) {
  const auto* wanted = std::get_if<AddressObject>(&entry.wanted);
  if (wanted == nullptr || wanted->prefix.length != 0) return;
  const auto& prefix = std::get<AddressObject>(entry.object).prefix;
  const bool is_alone = prefix.length == 8 * address_size(prefix.address.family());
  log(is_alone ? LogLevel::warning : LogLevel::info, "{}: {} is added as {}{}", instance, prefix.address.to_string(),
      prefix.to_string(), is_alone ? "; the interface has no subnet around it" : ", as is the interface's subnet");
}

bool all_settled(const std::vector<HeldEntry>& entries, const NetworkView& view) {
  return std::ranges::all_of(entries, [&](const HeldEntry& entry) {
    const auto* address = std::get_if<AddressObject>(&entry.object);
    return address == nullptr || (!entry.queued && is_settled(*address, view));
  });
}

bool are_concerned(const std::vector<HeldEntry>& entries, const std::vector<std::string>& interfaces) {
  const auto concerns = [&](const std::string& name) {
    return std::ranges::find(interfaces, name) != interfaces.end();
  };
  return std::ranges::any_of(entries, [&](const HeldEntry& entry) {
    if (const auto* address = std::get_if<AddressObject>(&entry.object)) return concerns(address->interface);
    const auto* route = std::get_if<RouteObject>(&entry.object);
    return concerns("") || (route != nullptr && concerns(route->interface));
  });
}

bool have_address(const std::vector<HeldEntry>& entries, const IpAddress& address, int ifindex) {
  return std::ranges::any_of(entries, [&](const HeldEntry& entry) {
    const auto* held = std::get_if<AddressObject>(&entry.object);
    return held != nullptr && held->ifindex == ifindex && held->prefix.address == address;
  });
}

void add_watched_of(const std::vector<HeldEntry>& entries, const NetworkView& view, WatchedAddresses& watched) {
  for (const HeldEntry& entry : entries) {
    const auto* held = std::get_if<AddressObject>(&entry.object);
    const Interface* interface = held != nullptr ? view.find(held->ifindex) : nullptr;
    if (interface != nullptr && interface->ethernet)
      watched[{held->ifindex, held->prefix.address.family()}].push_back(held->prefix.address);
  }
}

}  // namespace vipd
