#include "vipd/daemon/address_owner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vipd/vrrp/announcement.hpp"

namespace vipd {
namespace {

constexpr auto kBurstGap = std::chrono::milliseconds(20);
/// Somebody who deletes addresses in a loop gets this much of our time; promised is a repair within 50 ms.
constexpr auto kRepairGap = std::chrono::milliseconds(10);

/// The address with any prefix length: the kernel has one IPv6 address only once.
const AddressState* find_address(const Interface& interface, const IpAddress& address) {
  const auto it = interface.addresses.lower_bound(IpPrefix{address, 0});
  return it != interface.addresses.end() && it->first.address == address ? &it->second : nullptr;
}

}  // namespace

AddressOwner::AddressOwner(Kernel& kernel, Wire& wire, const InstanceConfig& config)
    : kernel_(kernel), wire_(wire), interface_(config.interface), announce_(config.announce) {
  for (const auto& address : config.addresses) entries_.push_back({.prefix = address.prefix});
}

void AddressOwner::claim(TimePoint now) {
  const Interface* interface = kernel_.view().find(interface_);
  ifindex_ = interface != nullptr ? interface->index : 0;
  claimed_at_ = now;
  next_repair_ = now;
  repair_pending_ = false;
  std::vector<Entry*> all;
  for (auto& entry : entries_) all.push_back(&entry);
  add(all, now);
  burst_left_ = announce_.count - 1;
  second_burst_ = false;
  next_announcement_ = now + kBurstGap;
}

void AddressOwner::release() {
  if (!holding()) return;
  std::vector<IpPrefix> ours;
  for (auto& entry : entries_) {
    if (entry.owned) ours.push_back(entry.prefix);
    entry.owned = entry.foreign = false;
  }
  const auto results = kernel_.remove(ifindex_, ours);
  for (std::size_t i = 0; i < ours.size(); ++i)
    if (results[i] != 0 && results[i] != EADDRNOTAVAIL && results[i] != ENODEV)
      spdlog::error("cannot remove {} from {}: {}", ours[i].to_string(), interface_, std::strerror(results[i]));
  ifindex_ = 0;
  next_announcement_ = kNever;
  repair_pending_ = false;
}

std::vector<int> AddressOwner::add(const std::vector<Entry*>& missing, TimePoint now) {
  const Interface* interface = kernel_.view().find(ifindex_);
  std::vector<IpPrefix> prefixes;
  for (const Entry* entry : missing) prefixes.push_back(entry->prefix);
  const auto results =
      interface != nullptr ? kernel_.add(ifindex_, prefixes) : std::vector<int>(prefixes.size(), ENODEV);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    Entry& entry = *missing[i];
    entry.error = results[i] == EEXIST ? 0 : results[i];
    if (interface == nullptr || entry.error != 0) continue;
    const AddressState* before = find_address(*interface, entry.prefix.address);
    if (results[i] == EEXIST && !entry.owned) entry.foreign = before == nullptr || before->tag != kAddressTag;
    entry.owned = !entry.foreign;
    announce(*interface, entry);
    if (entry.foreign && holding())
      spdlog::warn("{} is on {} already, not added by vipd; it will stay there on release", entry.prefix.to_string(),
                   interface_);
  }
  next_repair_ = now + kRepairGap;
  return results;
}

void AddressOwner::reconcile(TimePoint now) {
  if (!holding()) return;
  if (now < next_repair_) {
    repair_pending_ = true;
    return;
  }
  repair_pending_ = false;
  std::vector<Entry*> missing;
  for (auto& entry : entries_) {
    if (present(entry.prefix.address)) continue;
    entry.foreign = false;
    missing.push_back(&entry);
  }
  if (missing.empty()) return;
  const auto results = add(missing, now);
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (results[i] == 0) spdlog::warn("{} had vanished from {}; put back", missing[i]->prefix.to_string(), interface_);
}

bool AddressOwner::present(const IpAddress& address) const {
  const Interface* interface = holding() ? kernel_.view().find(ifindex_) : kernel_.view().find(interface_);
  return interface != nullptr && find_address(*interface, address) != nullptr;
}

std::optional<std::string> AddressOwner::failure() const {
  const auto failed = std::ranges::find_if(entries_, [](const Entry& entry) { return entry.error != 0; });
  if (failed == entries_.end()) return std::nullopt;
  return "cannot add " + failed->prefix.to_string() + " to " + interface_ + ": " + std::strerror(failed->error);
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
    if (const Interface* interface = kernel_.view().find(ifindex_))
      for (const auto& entry : entries_) announce(*interface, entry);
  }
  if (burst_left_ > 0) {
    next_announcement_ = now + kBurstGap;
  } else if (!second_burst_ && announce_.again_after > Duration::zero()) {
    second_burst_ = true;
    burst_left_ = announce_.count;
    next_announcement_ = std::max(now, claimed_at_ + announce_.again_after);
  } else if (announce_.refresh > Duration::zero()) {
    burst_left_ = 1;
    next_announcement_ = now + announce_.refresh;
  } else {
    next_announcement_ = kNever;
  }
}

void AddressOwner::announce(const Interface& interface, const Entry& entry) {
  if (!interface.ethernet || entry.error != 0) return;
  const IpAddress& address = entry.prefix.address;
  const auto sent =
      address.family() == Family::ipv4
          ? wire_.announce(interface.index, gratuitous_arp(interface.mac, address))
          : wire_.announce(interface.index, unsolicited_na(interface.mac, address, kernel_.forwards_ipv6(interface_)));
  if (!sent) spdlog::debug("{}: {}", entry.prefix.to_string(), sent.error().message);
}

}  // namespace vipd
