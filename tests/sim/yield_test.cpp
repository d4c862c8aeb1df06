// Unfit nodes in virtual time, on the production code. An unfit node never wins while another node is fit, and the last
// node keeps the address.
#include <algorithm>
#include <iostream>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// The time from one priority 0 of an unfit Active node to the next: its silence, and three adverts.
constexpr Duration kBetweenOffers = kInterval * 9 / 2;

VirtualRouter& router_of(const Node& node) { return *node.supervisor->routers().front(); }

void set_sick(World& world, const Node& node, bool sick) {
  router_of(node).set_health(sick ? Health{.unfit = "check app failed"} : Health{}, world.now);
}

bool is_fit(const Node& node) { return node.alive() && router_of(node).standing().fit(); }

/// Two nodes, started together ten seconds ago, and no advert is under way.
std::pair<Node&, Node&> settled_pair(World& world, std::uint8_t first, std::uint8_t second, bool preempt) {
  for (const std::uint8_t priority : {first, second})
    world.add_node(priority, [&](InstanceConfig& instance) { instance.preempt = preempt; }).start();
  world.run_for(milliseconds(10'300));
  return {*world.nodes[0], *world.nodes[1]};
}

void require_only_holder(const World& world, const Node& holder) {
  for (const auto& node : world.nodes) {
    INFO("node " << node->index);
    REQUIRE(node->active() == (node.get() == &holder));
    REQUIRE(node->kernel.has(kVip) == (node.get() == &holder));
  }
}

}  // namespace

TEST_CASE("sim yield: the fit peer takes over within its skew time, without a hole, whatever priorities and preempt") {
  const bool preempt = GENERATE(true, false);
  const auto other = static_cast<std::uint8_t>(GENERATE(253, 100, 2, 1));
  World world(seed_from_environment(1));
  const auto [first, second] = settled_pair(world, 254, other, preempt);
  require_only_holder(world, first);
  std::size_t fewest = 2;
  world.after_each = [&] { fewest = std::min(fewest, world.holders()); };
  set_sick(world, first, true);
  world.run_for(skew_time(other, kInterval) + milliseconds(2));
  require_only_holder(world, second);
  CHECK(fewest == 1);
  CHECK(first.router().reason().starts_with("heard 192.0.2.2 (priority " + std::to_string(other) + "), "));
  CHECK(first.router().reason().ends_with("; unfit: check app failed"));
  const auto quiet = transitions(world);
  world.run_for(seconds(3600));
  require_only_holder(world, second);
  CHECK(transitions(world) == quiet);
  set_sick(world, first, false);
  world.run_for(seconds(10));
  require_only_holder(world, preempt ? first : second);
}

TEST_CASE("sim yield: when both are sick the address stays where it is, for an hour") {
  const bool preempt = GENERATE(true, false);
  World world(seed_from_environment(2));
  const auto [first, second] = settled_pair(world, 254, 253, preempt);
  set_sick(world, second, true);
  world.run_for(milliseconds(300));
  set_sick(world, first, true);
  const auto before = transitions(world);
  world.run_for(seconds(3600));
  require_only_holder(world, first);
  CHECK(transitions(world) == before);
  SECTION("the first that recovers has it") {
    Node& recovered = GENERATE(true, false) ? first : second;
    set_sick(world, recovered, false);
    world.run_for(kBetweenOffers + active_down_interval(253, kInterval) + kSlack);
    require_only_holder(world, recovered);
  }
  SECTION("a planned stop of the one leaves it to the other, sick as it is") {
    first.stop();
    world.run_for(kInterval + active_down_interval(1, kInterval) + kSlack);  // priority 0 is sent twice
    CHECK(second.active());
  }
}

TEST_CASE("sim yield: a check that is a fault releases at once and the peer has it; an owner can only fault") {
  World world(seed_from_environment(6));
  const std::uint8_t priority = GENERATE(std::uint8_t{254}, std::uint8_t{255});
  const auto [first, second] = settled_pair(world, priority, 100, false);
  const Health sick = priority == 255 ? Health{.unfit = "check app failed"} : Health{.fault = "check app failed"};
  router_of(first).set_health(sick, world.now);
  CHECK_FALSE(first.kernel.has(kVip));
  CHECK(first.router().shown() == ShownState::fault);
  CHECK(first.router().reason() == "check app failed");
  world.run_for(skew_time(100, kInterval) + milliseconds(2));
  require_only_holder(world, second);
  router_of(first).set_health({}, world.now);
  CHECK(first.router().shown() == (priority == 255 ? ShownState::active : ShownState::backup));
}

TEST_CASE(
    "sim yield: random sickness, crashes, cuts and loss, 1000 seeds: one holder, a fit one if any is, and no flap") {
  const std::uint64_t first = seed_from_environment(9000);
  int all_sick = 0;
  for (std::uint64_t seed = first; seed < first + 1000; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    const std::size_t count = 2 + seed % 4;
    for (std::size_t i = 0; i < count; ++i)
      world.add_node(static_cast<std::uint8_t>(1 + world.random() % 254), [&](InstanceConfig& instance) {
        instance.preempt = world.random() % 2 == 0;
        if (world.random() % 4 == 0) instance.preempt_delay = seconds(5);
      });
    for (const auto& node : world.nodes) node->start();
    for (int change = 0; change < 30; ++change) {
      Node& node = *world.nodes[world.random() % count];
      switch (world.random() % 8) {
        case 0:
          node.power_off();
          break;
        case 1:
          world.connect(world.random() % count, world.random() % count, world.random() % 2 == 0);
          break;
        case 2:
          world.loss = 0.3 * world.chance();
          break;
        case 3:
          if (!node.alive()) node.start();
          break;
        default:
          if (node.alive()) set_sick(world, node, world.chance() < 0.6);
      }
      world.run_for(world.between(milliseconds(10), seconds(3)));
    }
    world.loss = 0;
    for (std::size_t a = 0; a < count; ++a)
      for (std::size_t b = 0; b < a; ++b) world.connect(a, b, true);
    for (const auto& node : world.nodes)
      if (!node->alive()) node->start();
    world.run_for(seconds(5) + 2 * active_down_interval(1, kInterval) + kBetweenOffers + 2 * kInterval);
    const auto holder = std::ranges::find_if(world.nodes, [](const auto& node) { return node->active(); });
    REQUIRE(holder != world.nodes.end());
    require_only_holder(world, **holder);
    const bool any_fit = std::ranges::any_of(world.nodes, [](const auto& node) { return is_fit(*node); });
    REQUIRE(is_fit(**holder) == any_fit);
    all_sick += !any_fit;
    const auto quiet = transitions(world);
    world.run_for(seconds(60));
    require_only_holder(world, **holder);
    REQUIRE(transitions(world) == quiet);
  }
  CHECK(all_sick > 5);  // many rounds had only unfit nodes
}
