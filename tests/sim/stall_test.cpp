// A process was stalled for a while: its first action when it runs again.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// The first advert of a node at or after `since` by which it is Active.
TimePoint speaks(const World& world, const Node& node, TimePoint since) {
  for (const SentAdvert& advert : world.adverts)
    if (advert.node == node.index && advert.time >= since && advert.priority != kResignPriority) return advert.time;
  return kNever;
}

/// How often a node has resigned at or after `since`.
std::ptrdiff_t resigns(const World& world, const Node& node, TimePoint since) {
  return std::ranges::count_if(world.adverts, [&](const SentAdvert& advert) {
    return advert.node == node.index && advert.time >= since && advert.priority == kResignPriority;
  });
}

}  // namespace

TEST_CASE("stall: a node that is back before anybody believed it dead goes on, and makes up for one advert") {
  World world(seed_from_environment(82));
  auto [first, second] = settled_pair(world, 254, 253);
  const auto before = transitions(world);
  for (int i = 0; i < 50; ++i) {
    first.sleep(world.between(milliseconds(0), seconds(2) - kSlack));  // at most three intervals since its last advert
    world.run_for(seconds(5));
  }
  CHECK(first.active());
  CHECK(transitions(world) == before);
}

TEST_CASE("stall: a Backup reads what has arrived before it believes that the Active node is dead") {
  World world(seed_from_environment(84));
  auto [first, second] = settled_pair(world, 254, 253);
  const auto before = transitions(world);
  for (int i = 0; i < 20; ++i) {
    second.sleep(world.between(seconds(4), seconds(60)));
    world.run_for(seconds(70));
  }
  CHECK(first.active());
  CHECK(transitions(world) == before);
}

TEST_CASE("stall: what comes first after it does not matter: a stop, a reload, a change of the network") {
  World world(seed_from_environment(85));
  auto [first, second] = settled_pair(world, 254, 253);
  first.sleep(seconds(10));
  world.run_for(seconds(10) - milliseconds(1));
  const TimePoint slept = world.now;
  first.asleep_until = world.now;
  SECTION("a stop") {
    first.stop();
    CHECK_FALSE(first.kernel.has(kVip));
  }
  SECTION("a reload") {
    Config config = first.config;
    config.instances[0].addresses.push_back(config.instances[0].addresses[0]);
    config.instances[0].addresses[1].prefix.address = *IpAddress::parse("192.0.2.11");
    first.apply(config);
    CHECK_FALSE(first.kernel.has(*IpAddress::parse("192.0.2.11")));
    CHECK_FALSE(first.kernel.has(kVip));
  }
  SECTION("a change of the network") {
    first.supervisor->network_changed({"eth0"}, world.now);
    CHECK_FALSE(first.kernel.has(kVip));
  }
  CHECK(speaks(world, first, slept) == kNever);
  CHECK(resigns(world, first, slept) == 1);
}
