#include <algorithm>

#include "checker.hpp"

namespace vipd::sim {

/// The only node that the client could reach and that is free to announce the address; null if there is none.
const Node* Checker::sole_holder(std::size_t instance) const {
  const Node* holder = nullptr;
  const std::string& interface = scenario_.configs[0].instances[instance].interface;
  for (const auto& node : world_.nodes) {
    if (!node->powered || !node->kernel.has(vips_[instance])) continue;
    if (holder != nullptr) return nullptr;
    holder = node.get();
  }
  if (holder == nullptr || !holder->active() || holder->asleep() || world_.now < excused_[holder->index])
    return nullptr;
  const auto& interfaces = holder->kernel.real_;
  const bool linked = std::ranges::any_of(
      interfaces, [&](const auto& each) { return each.second.name == interface && each.second.running; });
  const bool seen = linked && world_.client_sees(lan_of(interface), holder->index);
  return seen ? holder : nullptr;
}

/// Checks that the client reaches the holder in time after a contender has misled it. Random faults are exempt: a
/// contender may die, or change its VRID, before the holder can hear it. Then the client learns of the holder only by
/// the next refresh. An IPv6 address may need duplicate address detection first, and once more if the old holder had
/// it.
void Checker::look_at_client(std::size_t instance) {
  if (!judges_clients_) return;
  TimePoint& since = astray_[instance];
  const Node* holder = sole_holder(instance);
  const InstanceConfig& config = scenario_.configs[0].instances[instance];
  if (holder == nullptr || world_.client_reaches(lan_of(config.interface), vips_[instance], holder->index)) {
    since = kNever;
    return;
  }
  since = std::min(since, world_.now);
  const Duration interval = longest_interval(*holder);
  const Duration looking =
      scenario_.has(Trait::duplicates) ? interval + 2 * holder->kernel.detection_takes : Duration{};
  const Duration bound = winning_back(interval) + looking + kSlack + holder->kernel.slow;
  if (world_.now - since > bound)
    violated("the client goes elsewhere than to node " + std::to_string(holder->index + 1) + " with " +
             vips_[instance].to_string() + " for " + format_duration(world_.now - since));
  due(since + bound + Duration(1));
}

}  // namespace vipd::sim
