#include <algorithm>

#include "cluster.hpp"

namespace vipd::test {

void Cluster::meet_demands() {
  if (scenario_.has(Trait::partition)) partition();
  if (scenario_.has(Trait::false_takeover)) false_takeover();
  if (scenario_.has(Trait::neighbours)) come_back_late();
}

/// Who would take over in the node's place.
Node* Cluster::best_but(const Node& without) {
  Node* best = nullptr;
  const auto priority = [&](const Node& node) { return scenario_.configs[node.index].instances[0].priority; };
  for (const auto& node : world_.nodes)
    if (node.get() != &without && node->alive() && (best == nullptr || priority(*node) > priority(*best)))
      best = node.get();
  return best;
}

void Cluster::run_until(const std::function<bool()>& reached, Duration bound, const std::string& otherwise) {
  const TimePoint end = world_.now + bound;
  while (!reached()) {
    if (world_.now >= end) violated(otherwise);
    world_.run_for(milliseconds(1));
  }
}

/// From all others, and from the client.
void Cluster::isolate(const Node& node, bool isolated) {
  for (const auto& other : world_.nodes)
    if (other.get() != &node) world_.connect(node.index, other->index, !isolated);
  for (auto& client : world_.clients)
    client.cut = isolated ? client.cut | 1U << node.index : client.cut & ~(1U << node.index);
}

bool Cluster::all_clients_reach(const Node& node) const {
  return std::ranges::all_of(scenario_.configs[0].instances, [&](const InstanceConfig& instance) {
    return world_.client_reaches(lan_of(instance.interface), instance.addresses[0].prefix.address, node.index);
  });
}

/// F2 of the world around us: both are Active until it heals, and the client believes the one that has to give way.
void Cluster::partition() {
  Node& first = *holder();
  tell("node " + std::to_string(first.index + 1) + " is cut off");
  isolate(first, true);
  world_.run_for(takeover(first) + world_.between({}, seconds(3)));
  isolate(first, false);
  tell("and is there again");
  const InstanceConfig& config = scenario_.configs[0].instances[0];
  const Duration resolving = world_.resolves ? Neighbour::kRetry : Duration{};
  world_.run_for(2 * config.advert_interval + resolving + kSlack);
  checker_.require_settled();
  if (!all_clients_reach(*holder())) violated("a partition has healed, and a client goes elsewhere than to the holder");
}

/// F20: a Backup router misses just enough adverts, says that it is Active, is answered, and lets go.
void Cluster::false_takeover() {
  Node& first = *holder();
  Node* second = best_but(first);
  const InstanceConfig& config = scenario_.configs[second->index].instances[0];
  const bool lower = config.priority < scenario_.configs[first.index].instances[0].priority;
  const bool answered_at_once = lower && config.version == 3 && config.hooks.before_active.empty() &&
                                !world_.resolves && scenario_.configs[0].sync_groups.empty();
  if (!answered_at_once) return;
  for (std::size_t lan = 0; lan < kLans.size(); ++lan) world_.connect_one_way(first.index, second->index, false, lan);
  const auto look = std::exchange(world_.after_each, [&] {
    checker_.look();
    if (second->active()) world_.connect(first.index, second->index, true);
  });
  const auto is_over = [&, was_active = false]() mutable {
    was_active = was_active || second->active();
    return was_active && !second->active();
  };
  run_until(is_over, takeover(first) + seconds(1), "a Backup router that hears nobody does not take over");
  world_.after_each = look;
  tell("node " + std::to_string(second->index + 1) + " was Active for a moment");
  world_.run_for(milliseconds(20));
  checker_.require_settled();
  if (!all_clients_reach(*holder())) violated("a false takeover of a moment leads a client elsewhere for 20 ms");
}

/// F3: a node that nobody could reach for a while is back, and may not take what another one has.
void Cluster::come_back_late() {
  Node& first = *holder();
  for (const auto& node : world_.nodes) {
    const InstanceConfig& config = scenario_.configs[node->index].instances[0];
    if (node.get() == &first || !node->alive()) continue;
    const auto priority = scenario_.configs[first.index].instances[0].priority;
    if (config.preempt && config.priority >= priority) continue;
    node->power_off();
    world_.flush_neighbours(first.index);
    world_.run_for(seconds(2) + world_.between({}, seconds(2)));
    start(*node);
    tell("node " + std::to_string(node->index + 1) + " is back");
    const auto look = std::exchange(world_.after_each, [&] {
      checker_.look();
      if (node->active()) violated("node " + std::to_string(node->index + 1) + " takes what it has no right to");
    });
    world_.run_for(takeover(first) + seconds(1) + config.startup_delay);
    world_.after_each = look;
    return;
  }
}

}  // namespace vipd::test
