// A vipd that restarts soon after its end goes on in its state: an Active node keeps the address.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// The process ends and another one is there after `pause`.
void restart(World& world, Node& node, Duration pause) {
  node.kill();
  world.run_for(pause);
  node.start();
}

std::size_t hooks_started(const Node& node) { return node.runner->started.size(); }

void tell_all(InstanceConfig& instance) { instance.hooks.any = {"/etc/vipd/hooks/web"}; }

}  // namespace

TEST_CASE("resume: an Active node that is killed and started again keeps the address, and nobody is told") {
  World world(seed_from_environment(301));
  auto [first, second] = settled_pair(world, 254, 253, tell_all);
  REQUIRE(first.active());
  const TimePoint since = first.router().since();
  bool lost = false;
  world.after_each = [&] { lost = lost || !first.kernel.has(kVip) || second.kernel.has(kVip); };
  const auto before = second.router().counters().transitions;
  for (int i = 0; i < 100; ++i) {
    restart(world, first, world.between(milliseconds(0), seconds(2) - kSlack));
    CHECK(first.active());
    world.run_for(world.between(milliseconds(0), seconds(3)));
    CHECK(first.router().counters().transitions == 0);
    CHECK(hooks_started(first) == 0);
  }
  CHECK_FALSE(lost);
  CHECK(second.router().counters().transitions == before);
  CHECK(first.router().since() == since);
  CHECK(first.router().reason().starts_with("no advert"));
  world.after_each = [] {};
  first.stop();
  world.run_for(seconds(3));
  CHECK_FALSE(first.kernel.has(kVip));  // vipd removes the addresses of a previous run
}

// A Backup whose process was replaced each 100 ms never took over.
TEST_CASE("F24 resume: a Backup that is replaced again and again takes over as soon as one that is not") {
  for (const auto& each : {milliseconds(100), milliseconds(700), milliseconds(2900)}) {
    World world(seed_from_environment(311));
    auto [first, second] = settled_pair(world, 254, 253);
    first.power_off();
    const TimePoint since = world.now;
    while (!second.active() && world.now < since + seconds(10)) {
      world.run_for(each);
      if (second.active()) break;
      second.supervisor->hand_over(world.now);
      restart(world, second, milliseconds(1));
    }
    CHECK(second.active());
    CHECK(world.now - since < active_down_interval(253, kInterval) + each + milliseconds(50));
  }
}

TEST_CASE("F24 resume: a Backup that is replaced again and again leaves an Active router alone") {
  World world(seed_from_environment(312));
  auto [first, second] = settled_pair(world, 254, 253);
  const auto transitions = first.router().counters().transitions;
  for (int i = 0; i < 100; ++i) {
    world.run_for(world.between(milliseconds(0), milliseconds(300)));
    second.supervisor->hand_over(world.now);
    restart(world, second, milliseconds(5));
    REQUIRE_FALSE(second.active());
  }
  CHECK(first.router().counters().transitions == transitions);
}

TEST_CASE("resume: the interface is another one meanwhile: nothing is taken for ours") {
  World world(seed_from_environment(304));
  auto [first, second] = settled_pair(world, 254, 253);
  first.kill();
  auto moved = first.kernel.real_.extract(first.kernel.real()->index);
  moved.key() = moved.mapped().index = 77;
  first.kernel.real_.insert(std::move(moved));
  first.start();
  CHECK_FALSE(first.active());
  world.run_for(milliseconds(10));
  CHECK_FALSE(first.kernel.has(kVip));
}

TEST_CASE("resume: a claim is of one boot") {
  World world(seed_from_environment(305));
  auto [first, second] = settled_pair(world, 254, 253);
  first.kill();
  first.store.this_boot[0] ^= 1;
  REQUIRE(first.kernel.has(kVip));
  first.start();
  CHECK_FALSE(first.active());
  CHECK_FALSE(first.kernel.has(kVip));
}

TEST_CASE("resume: a member of a sync group without a claim: none goes on") {
  World world(seed_from_environment(308));
  Config config;
  config.instances = {web_instance(254), web_instance(254)};
  config.instances[1].name = "wan";
  config.instances[1].interface = "eth1";
  config.instances[1].addresses.front().prefix.address = *IpAddress::parse("198.51.100.10");
  SyncGroupConfig group{.name = "edge", .instances = {"web", "wan"}, .hooks = {}};
  group.hooks.any = {"/etc/vipd/hooks/edge"};
  for (auto& instance : config.instances) instance.sync_group = "edge";
  config.sync_groups = {group};
  Node& node = world.add_node(config);
  node.start();
  world.run_for(seconds(10));
  const auto state = [&] { return node.supervisor->groups().front()->shown(); };
  const IpAddress wan = *IpAddress::parse("198.51.100.10");
  REQUIRE(state() == ShownState::active);
  node.kill();
  ClaimStore(node.store, kClaimsFile).drop("wan");
  node.start();
  CHECK(state() == ShownState::backup);
  CHECK_FALSE(node.kernel.has(kVip));
  CHECK_FALSE(node.kernel.has(wan));
}
