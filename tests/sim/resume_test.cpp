// A vipd that is started again soon after its end goes on where it was: an Active one keeps the address.
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
  CHECK_FALSE(first.kernel.has(kVip));  // what an earlier process added is ours to remove
}

TEST_CASE("resume: the first that is done is an advert and the announcements") {
  World world(seed_from_environment(309));
  auto [first, second] = settled_pair(world, 254, 253);
  const std::size_t adverts = world.adverts.size(), announced = first.wire.announced.size();
  restart(world, first, milliseconds(100));
  world.run_for(milliseconds(1));
  REQUIRE(world.adverts.size() == adverts + 1);
  CHECK(world.adverts.back().node == first.index);
  CHECK(world.adverts.back().priority == 254);
  CHECK(first.wire.announced.size() > announced);
}

TEST_CASE("resume: one that comes back too late lets go before anything is sent, and the other stays") {
  World world(seed_from_environment(302));
  auto [first, second] = settled_pair(world, 254, 253);
  restart(world, first, 3 * kInterval);
  CHECK_FALSE(first.kernel.has(kVip));
  CHECK_FALSE(first.active());
  CHECK(first.router().reason().starts_with("started"));
}

TEST_CASE("resume: what stands in the way now does not keep the address there") {
  World world(seed_from_environment(310));
  auto [first, second] = settled_pair(world, 254, 253, [](InstanceConfig& instance) { instance.accept = false; });
  first.kill();
  REQUIRE(first.kernel.has(kVip));
  first.kernel.can_refuse = false;
  first.start();
  CHECK(first.router().shown() == ShownState::fault);
  CHECK_FALSE(first.kernel.has(kVip));
  world.run_for(seconds(1));
  CHECK(second.active());
}

TEST_CASE("resume: a Backup goes on as one after a hand-over, without a transition or a hook") {
  World world(seed_from_environment(303));
  auto [first, second] = settled_pair(world, 254, 253, tell_all);
  const std::string reason = second.router().reason();
  second.supervisor->hand_over(world.now);
  restart(world, second, milliseconds(20));
  CHECK(second.router().reason() == reason);
  world.run_for(seconds(10));
  CHECK(second.router().counters().transitions == 0);
  CHECK(hooks_started(second) == 0);
  CHECK(second.router().reason() == reason);
  first.power_off();
  world.run_for(seconds(4));
  CHECK(second.active());
  CHECK(hooks_started(second) == 1);
}

// A process that was replaced each 100 ms never took over.
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

TEST_CASE("resume: what has become of the interface meanwhile counts") {
  World world(seed_from_environment(304));
  auto [first, second] = settled_pair(world, 254, 253);
  first.kill();
  SECTION("it is down: the address is removed") { first.kernel.real()->running = false; }
  SECTION("it is another one: nothing is taken for ours") {
    auto moved = first.kernel.real_.extract(first.kernel.real()->index);
    moved.key() = moved.mapped().index = 77;
    first.kernel.real_.insert(std::move(moved));
  }
  first.start();
  CHECK_FALSE(first.active());
  world.run_for(milliseconds(10));
  CHECK_FALSE(first.kernel.has(kVip));
}

TEST_CASE("resume: a claim is of one virtual router and of one boot") {
  World world(seed_from_environment(305));
  auto [first, second] = settled_pair(world, 254, 253);
  SECTION("another VRID") {
    first.kill();
    first.config.instances.front().vrid = 52;
  }
  SECTION("another boot") {
    first.kill();
    first.store.this_boot[0] ^= 1;
  }
  SECTION("a planned stop had begun") {
    first.stop();
    first.kill();
  }
  REQUIRE(first.kernel.has(kVip));
  first.start();
  CHECK_FALSE(first.active());
  CHECK_FALSE(first.kernel.has(kVip));
}

TEST_CASE("resume: a check that had not failed does not count as failed until its first result, which counts") {
  World world(seed_from_environment(306));
  Config config;
  config.instances.push_back(web_instance(254));
  config.instances[0].checks = {"app"};
  CheckConfig check;
  check.name = "app";
  check.kind = CommandCheck{{"/usr/bin/app"}};
  config.checks = {check};
  Node& first = world.add_node(config);
  Node& second = world.add_node(253);
  first.start();
  second.start();
  world.run_for(seconds(10));
  REQUIRE(first.active());
  restart(world, first, milliseconds(200));
  CHECK(first.router().standing().fit());
  SECTION("it passes") {
    world.run_for(seconds(10));
    CHECK(first.active());
    CHECK(transitions(world) == second.router().counters().transitions);
  }
  SECTION("it fails") {
    first.runner->outcome = [](const Command&) { return Outcome{.exit_status = 1}; };
    world.run_for(seconds(3));
    CHECK(second.active());
    restart(world, first, milliseconds(200));
    CHECK_FALSE(first.router().standing().fit());
  }
}

TEST_CASE("resume: a virtual MAC and refused packets stay, and go in the end") {
  World world(seed_from_environment(307));
  Node& node = world.add_node(254, [](InstanceConfig& instance) {
    instance.virtual_mac = true;
    instance.accept = false;
  });
  node.start();
  world.run_for(seconds(10));
  REQUIRE(node.active());
  const auto settings = node.kernel.settings;
  const std::size_t links = node.kernel.real_.size();
  restart(world, node, milliseconds(500));
  CHECK(node.active());
  CHECK(node.kernel.has(kVip));
  CHECK(node.kernel.refused.contains(kVip));
  CHECK(node.kernel.real_.size() == links);
  CHECK(node.kernel.settings == settings);
  node.stop();
  world.run_for(seconds(5));
  CHECK(node.kernel.real_.size() == 1);
  CHECK(node.kernel.refused.empty());
  CHECK(node.kernel.settings.at("ipv4/conf/eth0/arp_ignore") == 0);
}

TEST_CASE("resume: the members of a sync group go on together or not at all") {
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
  SECTION("both can") {
    node.start();
    CHECK(state() == ShownState::active);
    CHECK(node.kernel.has(kVip));
    CHECK(node.kernel.has(wan));
    world.run_for(seconds(10));
    CHECK(state() == ShownState::active);
    CHECK(hooks_started(node) == 0);
  }
  SECTION("one has no claim") {
    ClaimStore(node.store, kClaimsFile).drop("wan");
    node.start();
    CHECK(state() == ShownState::backup);
    CHECK_FALSE(node.kernel.has(kVip));
    CHECK_FALSE(node.kernel.has(wan));
  }
  SECTION("one is in fault now") {
    node.kernel.real("eth1")->running = false;
    node.start();
    CHECK(state() == ShownState::fault);
    CHECK_FALSE(node.kernel.has(kVip));
    CHECK_FALSE(node.kernel.has(wan));
  }
}
