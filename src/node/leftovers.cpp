#include "vipd/node/leftovers.hpp"

#include <algorithm>
#include <utility>

#include "vipd/node/held_objects.hpp"
#include "vipd/node/virtual_mac.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

constexpr auto kRemovalGap = std::chrono::milliseconds(100);

/// True if the claim is of this virtual router and no peer can have declared it dead yet.
bool is_good(const KeptClaim& left, const InstanceConfig& instance, const NetworkView& view, TimePoint now) {
  const Interface* interface = view.find(instance.interface);
  return left.interface == instance.interface && interface != nullptr && interface->index == left.ifindex &&
         left.family == instance.family() && left.vrid == instance.vrid && left.virtual_mac == instance.virtual_mac &&
         left.is_good(now);
}

/// Removes the tagged objects of the instance, except those in `held`; true if there were any.
bool remove_objects(const InstanceConfig& instance, const std::vector<KernelObject>& held, Kernel& kernel) {
  const auto objects = tagged_objects_of(instance, kernel.view(), held);
  if (!objects.empty()) kernel.remove(objects);
  return !objects.empty();
}

}  // namespace

void Leftovers::begin(const Config& config, const std::vector<InstanceConfig>& before, TimePoint now) {
  find_resumable(config, now);
  claims_.drop_all_but([&](const std::string& name) { return resumable_.contains(name); });
  std::vector<InstanceConfig> go_on, others = before;  // an Active instance that goes on keeps its objects
  for (const InstanceConfig& instance : config.instances) {
    const KeptClaim* left = claim_of(instance.name);
    (left != nullptr && left->state == ShownState::active ? go_on : others).push_back(instance);
  }
  for (const auto* instance : remove_tagged(others, go_on, kernel_))
    log_warning("{}: removed leftovers of a previous run", instance->name);
  left_ = before;
  if (!left_.empty()) next_removal_ = now + kRemovalGap;
}

/// Finds the claims to resume. The members of a sync group go on all in one state, or none goes on.
void Leftovers::find_resumable(const Config& config, TimePoint now) {
  for (const InstanceConfig& instance : config.instances)
    if (const KeptClaim* left = claims_.find(instance.name);
        left != nullptr && is_good(*left, instance, kernel_.view(), now))
      resumable_.emplace(instance.name, *left);
  for (const SyncGroupConfig& group : config.sync_groups) {
    const auto is_left = [&](const std::string& name) {
      const auto left = resumable_.find(name), first = resumable_.find(group.instances.front());
      return left != resumable_.end() && first != resumable_.end() && left->second.state == first->second.state;
    };
    if (std::ranges::all_of(group.instances, is_left)) continue;
    for (const auto& name : group.instances) resumable_.erase(name);
  }
}

bool Leftovers::was_fit_with(const Config& config, const std::string& check) const {
  return std::ranges::any_of(config.instances, [&](const InstanceConfig& instance) {
    const auto left = resumable_.find(instance.name);
    return left != resumable_.end() && left->second.fit && std::ranges::count(instance.checks, check) > 0;
  });
}

const KeptClaim* Leftovers::claim_of(const std::string& instance) const {
  const auto found = resumable_.find(instance);
  return found != resumable_.end() ? &found->second : nullptr;
}

void Leftovers::add(const InstanceConfig& instance, TimePoint now) {
  left_.push_back(instance);
  next_removal_ = std::min(next_removal_, now + kRemovalGap);
}

void Leftovers::remove(const std::vector<InstanceConfig>& others, TimePoint now) {
  std::vector<InstanceConfig> still;
  for (const auto* instance : remove_tagged(left_, others, kernel_)) still.push_back(*instance);
  left_ = std::move(still);
  next_removal_ = left_.empty() ? kNever : now + kRemovalGap;
}

std::vector<const InstanceConfig*> remove_tagged(const std::vector<InstanceConfig>& instances,
                                                 const std::vector<InstanceConfig>& others, Kernel& kernel) {
  std::vector<KernelObject> held;
  for (const auto& other : others)
    for (auto& object : objects_of(other, kernel.view())) held.push_back(std::move(object));
  std::vector<const InstanceConfig*> had_some;
  for (const auto& instance : instances) {
    // virtual_mac may have been different when the objects were added.
    bool had_any = false;
    for (const bool virtual_mac : {false, true}) {
      InstanceConfig either = instance;
      either.virtual_mac = virtual_mac;
      had_any |= remove_objects(either, held, kernel);
    }
    const bool device_is_used = std::ranges::any_of(others, [&](const InstanceConfig& other) {
      return other.virtual_mac && virtual_mac_device(other) == virtual_mac_device(instance);
    });
    if (!device_is_used) had_any |= VirtualMac(kernel, instance).remove();
    if (had_any) had_some.push_back(&instance);
  }
  return had_some;
}

}  // namespace vipd
