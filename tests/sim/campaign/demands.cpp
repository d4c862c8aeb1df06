#include <algorithm>
#include <cerrno>

#include "cluster.hpp"

namespace vipd::sim {

void Cluster::meet_demands() {
  if (scenario_.has(Trait::partition)) partition();
  if (scenario_.has(Trait::false_takeover)) false_takeover();
  if (scenario_.has(Trait::neighbours)) come_back_late();
  if (scenario_.has(Trait::second_interface)) lose_second_interface();
  if (scenario_.has(Trait::sending)) recover_sending();
  if (scenario_.has(Trait::deaf)) become_deaf();
  if (scenario_.has(Trait::grouping)) change_group();
  if (scenario_.has(Trait::many)) move_many();
}

/// The node that would take over from `without`.
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

/// Cuts a node off from all others and from the client, or connects it again.
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

/// F2: a partition. Both nodes are Active until it heals, and the client believes the node that must give way.
void Cluster::partition() {
  Node& first = *holder();
  tell("node " + std::to_string(first.index + 1) + " is cut off");
  isolate(first, true);
  world_.run_for(takeover(first) + world_.between({}, seconds(3)));
  isolate(first, false);
  tell("and is there again");
  const InstanceConfig& config = scenario_.configs[0].instances[0];
  const Duration resolving = world_.resolves ? Neighbour::kRetry : Duration{};
  world_.run_for(winning_back(config.advert_interval) + resolving + kSlack);
  checker_.require_settled();
  if (!all_clients_reach(*holder())) violated("a partition has healed, and a client goes elsewhere than to the holder");
}

/// F20: a Backup router misses just enough adverts, becomes Active, is answered, and yields.
void Cluster::false_takeover() {
  Node& first = *holder();
  Node* second = best_but(first);
  const InstanceConfig& config = scenario_.configs[second->index].instances[0];
  const bool lower = config.priority < scenario_.configs[first.index].instances[0].priority;
  const bool answered_at_once = lower && config.version == 3 && config.hooks.before_active.empty() &&
                                !world_.resolves && scenario_.configs[0].sync_groups.empty();
  if (!answered_at_once) return;
  world_.run_for(seconds(3));  // the holder announces at once, after a while, and no more
  for (std::size_t lan = 0; lan < kLans.size(); ++lan) world_.connect_one_way(first.index, second->index, false, lan);
  bool was_active = false;  // perhaps for less than a millisecond
  const auto look = std::exchange(world_.after_each, [&] {
    checker_.look();
    if (second->active() && !std::exchange(was_active, true)) world_.connect(first.index, second->index, true);
  });
  const auto is_over = [&] { return was_active && !second->active(); };
  run_until(is_over, takeover(first) + seconds(1), "a Backup router that hears nobody does not take over");
  world_.after_each = look;
  tell("node " + std::to_string(second->index + 1) + " was Active for a moment");
  world_.run_for(milliseconds(20));
  checker_.require_settled();
  if (!all_clients_reach(*holder())) violated("a false takeover of a moment leads a client elsewhere for 20 ms");
  // A last word that is still on its way would end a stop like a takeover, although no node took over.
  world_.run_for(moving());
}

/// F6: the second interface of the holder loses its carrier for a while.
void Cluster::lose_second_interface() {
  Node& first = *holder();
  const auto set = [&](bool running) {
    if (Interface* interface = first.kernel.real("eth2")) interface->running = running;
    first.kernel.changed();
  };
  if (first.kernel.real("eth2") == nullptr) return;
  tell("the second interface of node " + std::to_string(first.index + 1) + " is down");
  set(false);
  world_.run_for(takeover(first));
  if (holder() == &first) violated("a node without its second interface keeps the address");
  set(true);
  world_.run_for(back(first) + kLongestHook);
  checker_.require_settled();
}

/// F13: the holder cannot send until another node has taken over. Then it can, and the other node fails.
void Cluster::recover_sending() {
  Node& first = *holder();
  const InstanceConfig& config = scenario_.configs[first.index].instances[0];
  if (config.priority == kOwnerPriority) return;
  tell("node " + std::to_string(first.index + 1) + " cannot send");
  first.wire.fault = [] { return EPERM; };
  world_.run_for(takeover(first) + 4 * config.advert_interval);
  if (first.active()) violated("a node that cannot send stays Active beside another one");
  first.wire.fault = [] { return 0; };
  world_.run_for(3 * active_down_interval(1, config.advert_interval, config.version));
  tell("it can, and all others fail");
  for (const auto& node : world_.nodes)
    if (node.get() != &first) node->power_off();
  world_.run_for(takeover(first) + config.startup_delay + kLongestQuestion);
  if (!first.active()) violated("a node that can send again does not take part");
  for (const auto& node : world_.nodes)
    if (node.get() != &first) start(*node);
  world_.run_for(back(first) + kPatience + kLongestHook);
  checker_.require_settled();
}

/// F17: IPv6 is off for a second, or the interface is exchanged while the process does not run.
void Cluster::become_deaf() {
  Node& first = *holder();
  Node& second = *best_but(first);
  const bool ipv6 = scenario_.configs[0].instances[0].family() == Family::ipv6;
  tell("node " + std::to_string(second.index + 1) + " becomes deaf");
  if (ipv6)
    second.kernel.set_narrow("eth0", true);
  else
    second.sleep(milliseconds(20));
  world_.run_for(milliseconds(5));
  if (!ipv6) swap_interface(second, 0);
  world_.run_for(seconds(1));
  second.kernel.set_narrow("eth0", false);
  world_.run_for(back(second) + 2 * takeover(first) + kLongestHook);
  checker_.require_settled();
}

/// Runs for a while, in which no instance that exists all the time changes its state.
void Cluster::without_move(Duration duration, const std::string& what) {
  std::map<std::pair<std::size_t, std::string>, TimePoint> before;
  const auto each = [&](const auto& look) {
    for (const auto& node : world_.nodes)
      for (const auto& router : node->supervisor->routers())
        look(std::pair(node->index, router->config().name), *router);
  };
  each([&](const auto& key, const VirtualRouter& router) { before[key] = router.since(); });
  world_.run_for(duration);
  each([&](const auto& key, const VirtualRouter& router) {
    if (before.contains(key) && before[key] != router.since()) violated(what + " moves " + key.second);
  });
}

/// F9: a member joins a sync group and leaves it, by reloads of one node after the other.
void Cluster::change_group() {
  if (scenario_.configs[0].sync_groups.empty() || !scenario_.configs[0].instances[0].peers.empty()) return;
  const Duration settled = back(*holder()) + kLongestHook;
  for (const bool grown : {true, false}) {
    for (const auto& node : world_.nodes) {
      const Config& own = scenario_.configs[node->index];
      tell("reload of node " + std::to_string(node->index + 1));
      apply(*node, grown ? with_third_member(own) : own);
    }
    without_move(settled, grown ? "a member that comes to a sync group" : "a member that leaves a sync group");
    checker_.require_settled();
  }
}

/// Runs for a while, in which some node has each address at each moment.
void Cluster::without_hole(Duration duration, const std::string& what) {
  const auto look = std::exchange(world_.after_each, [&] {
    checker_.look();
    if (tells_) tell_transitions();
    for (const auto& address : scenario_.configs[0].instances[0].addresses)
      if (std::ranges::none_of(world_.nodes, [&](const auto& node) {
            return node->powered && node->kernel.has_by_now(address.prefix.address);
          }))
        violated("nobody has " + address.prefix.to_string() + " during " + what);
  });
  world_.run_for(duration);
  world_.after_each = look;
}

/// F12: thousands of addresses move at a stop and at a return, each without a gap.
void Cluster::move_many() {
  Node& first = *holder();
  if (scenario_.configs[first.index].instances[0].priority == kOwnerPriority) return;
  tell("node " + std::to_string(first.index + 1) + " is stopped");
  first.stop();
  without_hole(takeover(first) + kLongestHook, "a stop");
  if (first.alive()) violated("a node with many addresses does not come to the end of its stop");
  start(first);
  without_hole(back(first) + kLongestHook, "a return");
  checker_.require_settled();
}

/// F3: a node that was unreachable returns, and must not take the addresses of another node.
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

}  // namespace vipd::sim
