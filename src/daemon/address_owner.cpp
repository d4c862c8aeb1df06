#include "vipd/daemon/address_owner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "vipd/vrrp/announcement.hpp"

namespace vipd {
namespace {

constexpr auto kBurstGap = std::chrono::milliseconds(20);
/// Somebody who deletes addresses in a loop gets this much of our time; promised is a repair within 50 ms.
constexpr auto kRepairGap = std::chrono::milliseconds(10);

int index_of(const NetworkView& view, const std::string& interface) {
  const Interface* found = view.find(interface);
  return found != nullptr ? found->index : 0;
}

/// The length of the narrowest subnet of the interface's own around the address; 0 if there is none.
std::uint8_t subnet_length(const Interface* interface, const IpAddress& address) {
  std::uint8_t length = 0;
  if (interface != nullptr)
    for (const auto& [prefix, state] : interface->addresses)
      if (state.tag != kKernelTag && prefix.address != address && prefix.contains(address))
        length = std::max(length, prefix.length);
  return length;
}

/// A macvlan is on the network of its parent: a length that was left out is found there. And where the parent has a
/// route to the subnet, a second one would only make the machine's own packets take another way. Link-local ones are
/// needed on each interface.
void fit_subnet(AddressObject& object, const NetworkView& view) {
  const IpAddress& address = object.prefix.address;
  const Interface* interface = view.find(object.ifindex);
  const bool has_parent = interface != nullptr && interface->macvlan;
  const std::uint8_t length = subnet_length(has_parent ? view.find(interface->parent) : interface, address);
  const bool is_link_local = address.family() == Family::ipv6 && address.is_link_local();
  object.prefix_route = !has_parent || length == 0 || is_link_local;
  if (object.prefix.length != 0) return;
  object.prefix.length = length != 0 ? length : static_cast<std::uint8_t>(8 * address_size(address.family()));
}

/// The object as it is on the machine: with its interface's index, and with a length if it had none.
KernelObject located(KernelObject object, const std::string& interface, const NetworkView& view) {
  if (auto* address = std::get_if<AddressObject>(&object)) {
    if (address->interface.empty()) address->interface = interface;
    address->ifindex = index_of(view, address->interface);
    fit_subnet(*address, view);
  } else if (auto* route = std::get_if<RouteObject>(&object); route != nullptr && route->type == RouteType::unicast) {
    if (route->interface.empty()) route->interface = interface;
    route->ifindex = index_of(view, route->interface);
  }
  return object;
}

/// The addresses to which packets are not taken in.
std::vector<IpAddress> refused_by(const InstanceConfig& config) {
  std::vector<IpAddress> refused;
  if (config.accepts()) return refused;
  for (const auto& address : config.addresses) refused.push_back(address.prefix.address);
  return refused;
}

}  // namespace

std::vector<KernelObject> objects_of(const InstanceConfig& instance, const NetworkView& view) {
  std::vector<KernelObject> objects;
  const auto append = [&](KernelObject object, const std::string& interface) {
    objects.push_back(located(std::move(object), interface, view));
  };
  for (const AddressObject& address : instance.addresses) append(address, address_interface(instance));
  for (const auto& route : instance.routes) append(route, instance.interface);
  for (const auto& rule : instance.rules) append(rule, "");
  return objects;
}

AddressOwner::AddressOwner(Kernel& kernel, Wire& wire, const InstanceConfig& config)
    : kernel_(kernel), wire_(wire), config_(config) {
  if (config.virtual_mac) virtual_mac_.emplace(kernel, config);
  for (auto& object : objects_of(config, kernel.view())) entries_.push_back({.object = std::move(object)});
  refused_ = refused_by(config);
}

Result<void> AddressOwner::prepare() {
  if (virtual_mac_)
    if (auto made = virtual_mac_->prepare(); !made) return made;
  if (refused_.empty() || holding()) return {};
  return kernel_.refuse_packets({});
}

/// Before the first address is there.
Result<void> AddressOwner::make_ready() {
  if (virtual_mac_)
    if (auto raised = virtual_mac_->raise(); !raised) return raised;
  if (refused_.empty()) return {};
  return kernel_.refuse_packets(refused_);
}

/// Takes the interfaces as they are now.
void AddressOwner::locate() {
  device_ = index_of(kernel_.view(), address_interface(config_));
  auto objects = objects_of(config_, kernel_.view());
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].object = std::move(objects[i]);
}

void AddressOwner::claim(TimePoint now) {
  holding_ = true;
  claimed_at_ = now;
  repair_pending_ = false;
  obstacle_.reset();
  if (const auto ready = make_ready(); !ready) {
    obstacle_ = ready.error().message;
    return;
  }
  locate();
  std::vector<Entry*> all;
  for (auto& entry : entries_) all.push_back(&entry);
  note_lengths();
  add(all, now);
  burst_left_ = config_.announce.count - 1;
  second_burst_ = false;
  next_announcement_ = now + kBurstGap;
}

/// A length that the configuration left out is no secret.
void AddressOwner::note_lengths() const {
  for (std::size_t i = 0; i < config_.addresses.size(); ++i) {
    if (config_.addresses[i].prefix.length != 0) continue;
    const auto& prefix = std::get<AddressObject>(entries_[i].object).prefix;
    const bool is_alone = prefix.length == 8 * address_size(prefix.address.family());
    spdlog::log(is_alone ? spdlog::level::warn : spdlog::level::info, "{}: {} is added as {}{}", config_.name,
                prefix.address.to_string(), prefix.to_string(),
                is_alone ? "; the interface has no subnet around it" : ", as is the interface's subnet");
  }
}

void AddressOwner::release() {
  if (!holding()) return;
  obstacle_.reset();
  remove(entries_);
  for (auto& entry : entries_) entry.owned = entry.foreign = false;
  if (virtual_mac_) virtual_mac_->lower();
  accept_again(refused_);
  holding_ = false;
  next_announcement_ = kNever;
  repair_pending_ = false;
}

void AddressOwner::withdraw() {
  if (virtual_mac_) virtual_mac_->remove();
}

/// What is ours of them, the last one first.
void AddressOwner::remove(const std::vector<Entry>& entries) {
  std::vector<KernelObject> ours;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    if (entry->owned) ours.push_back(entry->object);
  const auto results = kernel_.remove(ours);
  for (std::size_t i = 0; i < ours.size(); ++i)
    if (results[i] != 0) spdlog::error("cannot remove {}: {}", describe(ours[i]), std::strerror(results[i]));
}

void AddressOwner::accept_again(const std::vector<IpAddress>& addresses) {
  if (const auto accepted = kernel_.accept_packets(addresses); !accepted) spdlog::error("{}", accepted.error().message);
}

void AddressOwner::reconfigure(TimePoint now) {
  std::vector<Entry> before = std::exchange(entries_, {});
  for (auto& object : objects_of(config_, kernel_.view())) {
    const auto known = std::ranges::find(before, object, &Entry::object);
    entries_.push_back(known != before.end() ? *known : Entry{.object = std::move(object)});
    if (known != before.end()) before.erase(known);
  }
  std::vector<IpAddress> refused_before = std::exchange(refused_, refused_by(config_));
  if (!holding()) return;
  if (const auto ready = make_ready(); !ready) obstacle_ = ready.error().message;
  remove(before);
  std::erase_if(refused_before,
                [&](const auto& address) { return std::ranges::find(refused_, address) != refused_.end(); });
  if (!refused_before.empty()) accept_again(refused_before);
  std::vector<Entry*> missing;
  for (auto& entry : entries_)
    if (!entry.owned && !entry.foreign) missing.push_back(&entry);
  if (!missing.empty()) add(missing, now);
}

void AddressOwner::add(const std::vector<Entry*>& missing, TimePoint now) {
  std::vector<KernelObject> objects;
  for (const Entry* entry : missing) objects.push_back(entry->object);
  const auto results = kernel_.add(objects);
  for (std::size_t i = 0; i < missing.size(); ++i) note_added(*missing[i], results[i]);
  next_repair_ = now + kRepairGap;
}

void AddressOwner::note_added(Entry& entry, int error) {
  const bool is_there = error == EEXIST;
  entry.error = is_there ? 0 : error;
  if (entry.error != 0) return;
  const bool was_foreign = entry.foreign;
  entry.foreign = is_there && !entry.owned && !kernel_.view().has_tagged(entry.object);
  entry.owned = !entry.foreign;
  if (entry.foreign && !was_foreign)
    spdlog::warn("{} is there already, not added by vipd; it will stay there on release", describe(entry.object));
  announce(entry);
}

/// Somebody may have set the device down or changed a setting, or it is a new one.
bool AddressOwner::raise_again() {
  const auto raised = virtual_mac_->raise();
  if (!raised) obstacle_ = raised.error().message;
  if (device_ != index_of(kernel_.view(), address_interface(config_))) locate();
  return raised.has_value();
}

void AddressOwner::reconcile(TimePoint now) {
  if (!holding()) return;
  if (now < next_repair_) {
    repair_pending_ = true;
    return;
  }
  repair_pending_ = false;
  if (virtual_mac_ && !raise_again()) return;
  std::vector<Entry*> missing;
  for (auto& entry : entries_)
    if (!kernel_.view().has(entry.object)) missing.push_back(&entry);
  if (missing.empty()) return;
  add(missing, now);
  for (const Entry* entry : missing)
    if (entry->owned && entry->error == 0) spdlog::warn("{} had vanished; put back", describe(entry->object));
}

bool AddressOwner::is_concerned(const std::vector<std::string>& interfaces) const {
  const auto concerns = [&](const std::string& name) {
    return std::ranges::find(interfaces, name) != interfaces.end();
  };
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    if (const auto* address = std::get_if<AddressObject>(&entry.object)) return concerns(address->interface);
    const auto* route = std::get_if<RouteObject>(&entry.object);
    return concerns("") || (route != nullptr && concerns(route->interface));
  });
}

bool AddressOwner::present(const Entry& entry) const {
  const bool is_address = std::holds_alternative<AddressObject>(entry.object);
  return kernel_.view().has(entry.object) || (entry.foreign && !is_address);
}

std::optional<std::string> AddressOwner::failure() const {
  if (obstacle_) return obstacle_;
  const auto failed = std::ranges::find_if(entries_, [](const Entry& entry) { return entry.error != 0; });
  if (failed == entries_.end()) return std::nullopt;
  return "cannot add " + describe(failed->object) + ": " + std::strerror(failed->error);
}

TimePoint AddressOwner::deadline() const {
  if (!holding()) return kNever;
  return repair_pending_ ? std::min(next_announcement_, next_repair_) : next_announcement_;
}

void AddressOwner::on_deadline(TimePoint now) {
  reconcile(now);  // a repair that had to wait, and the read-back: what was acknowledged has to be there
  if (now >= next_announcement_) announce_all(now);
}

void AddressOwner::announce_all(TimePoint now) {
  if (burst_left_ > 0) {
    --burst_left_;
    for (const auto& entry : entries_) announce(entry);
  }
  if (burst_left_ > 0) {
    next_announcement_ = now + kBurstGap;
  } else if (!second_burst_ && config_.announce.again_after > Duration::zero()) {
    second_burst_ = true;
    burst_left_ = config_.announce.count;
    next_announcement_ = std::max(now, claimed_at_ + config_.announce.again_after);
  } else if (config_.announce.refresh > Duration::zero()) {
    burst_left_ = 1;
    next_announcement_ = now + config_.announce.refresh;
  } else {
    next_announcement_ = kNever;
  }
}

void AddressOwner::announce(const Entry& entry) {
  const auto* held = std::get_if<AddressObject>(&entry.object);
  if (held == nullptr || entry.error != 0) return;
  const Interface* interface = kernel_.view().find(held->ifindex);
  if (interface == nullptr || !interface->ethernet) return;
  const IpAddress& address = held->prefix.address;
  const auto sent = address.family() == Family::ipv4
                        ? wire_.announce(interface->index, gratuitous_arp(interface->mac, address))
                        : wire_.announce(interface->index, unsolicited_na(interface->mac, address,
                                                                          kernel_.forwards_ipv6(interface->name)));
  if (!sent) spdlog::debug("{}: {}", to_string(*held), sent.error().message);
}

}  // namespace vipd
