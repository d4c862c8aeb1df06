// Two nodes were Active together: the node that stays Active announces at once and logs it, whichever sent first. A
// planned takeover causes no such announcement.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// How often a node has run hooks.reassert.
std::ptrdiff_t reasserted(const Node& node) {
  return std::ranges::count_if(node.runner->started, [](const Command& one) { return one.arguments[0] == "/cloud"; });
}

void with_reassert(InstanceConfig& config) {
  config.hooks.reassert = {"/cloud"};
  config.announce.refresh = Duration::zero();
}

/// How many announcements a node has sent from `since` on, for so long.
std::ptrdiff_t announced(const Node& node, TimePoint since, Duration length) {
  return std::ranges::count_if(node.wire.announced,
                               [&](const auto& one) { return one.first >= since && one.first < since + length; });
}

/// Runs until `next` sends the next advert: the other node has just sent one.
void run_until_next_is(World& world, const Node& next) {
  const std::size_t before = world.adverts.size();
  while (world.adverts.size() == before || world.adverts.back().node == next.index) world.run_for(milliseconds(1));
}

/// The moment at which `done` holds, found in steps of 100 µs; ten seconds at most.
TimePoint moment(World& world, const std::function<bool()>& done) {
  const TimePoint end = world.now + seconds(10);
  while (!done() && world.now < end) world.run_for(microseconds(100));
  CHECK(done());
  return world.now;
}

/// A pair in which each node knows the other by its address.
std::pair<Node&, Node&> unicast_pair(World& world, std::uint8_t first, std::uint8_t second,
                                     const std::function<void(InstanceConfig&)>& adjust) {
  const auto with_peer = [&](std::size_t peer) {
    return [&adjust, peer](InstanceConfig& config) {
      adjust(config);
      config.peers = {{.address = own_address(0, peer, Family::ipv4)}};
    };
  };
  world.add_node(first, with_peer(1)).start();
  world.add_node(second, with_peer(0)).start();
  world.run_for(seconds(10));
  return {*world.nodes[0], *world.nodes[1]};
}

}  // namespace

TEST_CASE("rival: a partition heals: the winner announces at once and again, and reasserts, whoever speaks first") {
  World world(seed_from_environment(141));
  const std::uint8_t version = GENERATE(std::uint8_t{2}, std::uint8_t{3});
  const bool unicast = GENERATE(false, true), loser_first = GENERATE(false, true);
  CAPTURE(int(version), unicast, loser_first);
  const auto adjust = [&](InstanceConfig& config) {
    with_reassert(config);
    config.version = version;
  };
  auto [first, second] = unicast ? unicast_pair(world, 254, 100, adjust) : settled_pair(world, 254, 100, adjust);
  world.connect(0, 1, false);
  world.run_for(seconds(30));
  REQUIRE(first.active());
  REQUIRE(second.active());
  run_until_next_is(world, loser_first ? second : first);
  const TimePoint healed = world.now;
  world.connect(0, 1, true);
  const TimePoint met = moment(world, [&] { return announced(first, healed, seconds(10)) > 0; });
  CHECK(met - healed <= kInterval + milliseconds(2));
  moment(world, [&] { return !second.active(); });
  CHECK(world.now - healed <= 2 * kInterval);
  world.run_for(seconds(8));
  CHECK(first.active());
  CHECK(announced(first, healed, milliseconds(999)) >= 5);
  // A version 2 winner does not answer a losing advert, so the loser is Active for some time and answers what the
  // winner announces; that is answered once more.
  const bool both_answer = version == 2 && loser_first;
  CHECK(announced(first, met + milliseconds(999), seconds(3)) == (both_answer ? 10 : 5));
  CHECK(reasserted(first) == 1);
  CHECK(reasserted(second) == 0);
  const Command& last = first.runner->started.back();
  CHECK(value_of(last, "VIPD_REASON").starts_with("192.0.2.2 (priority 100) was Active, too"));
  CHECK(value_of(last, "VIPD_PEER") == "192.0.2.2");
}

TEST_CASE("rival: a false takeover of a millisecond: the holder announces within milliseconds") {
  World world(seed_from_environment(142));
  auto [first, second] = settled_pair(world, 254, 253, with_reassert);
  world.run_for(seconds(20));
  world.connect_one_way(0, 1, false, 0);
  moment(world, [&] { return second.supervisor->deadline() - world.now < milliseconds(1); });
  world.connect_one_way(0, 1, true, 0);
  const TimePoint taken = moment(world, [&] { return second.kernel.has(kVip); });
  const TimePoint lost = moment(world, [&] { return !second.kernel.has(kVip); });
  CHECK(lost - taken <= milliseconds(2));
  CHECK(announced(first, taken, milliseconds(2)) > 0);
  CHECK(first.active());
  CHECK(reasserted(first) == 0);
  world.run_for(3 * kInterval);
  CHECK(announced(first, taken + milliseconds(999), seconds(1)) == 5);
  CHECK(reasserted(first) == 1);
}

TEST_CASE("rival: a node that woke up makes no third one take over, however late the Active node's answer is") {
  World world(seed_from_environment(144));
  const bool preempt = GENERATE(true, false);
  const auto adjust = [&](InstanceConfig& config) {
    config.advert_interval = milliseconds(100);
    config.preempt = preempt;
  };
  for (const std::uint8_t priority : {std::uint8_t{254}, std::uint8_t{253}, std::uint8_t{252}}) {
    world.add_node(priority, adjust).start();
    world.run_for(seconds(2));
  }
  Node &first = *world.nodes[0], &third = *world.nodes[2];
  REQUIRE(first.active());
  for (int i = 0; i < 20; ++i) {
    first.sleep(seconds(2));
    world.run_for(seconds(2) - milliseconds(1));
    world.delay_low = milliseconds(3);  // twice the Skew_Time of the third node
    world.delay_high = milliseconds(8);
    world.run_for(milliseconds(50));
    world.delay_low = world.delay_high = microseconds(50);
    world.run_for(seconds(3));
  }
  CHECK(third.router().counters().transitions == 1);  // its only transition: it has become Backup
  CHECK(world.holders() == 1);
}

namespace {

/// Checks that only the burst of the new holder follows a planned takeover.
void check_quiet(World& world, Node& holder, TimePoint since) {
  world.run_for(milliseconds(4'500));  // before the second burst
  REQUIRE(holder.active());
  CHECK(announced(holder, since - milliseconds(1), seconds(10)) == 5);
  world.run_for(seconds(10));
  for (const auto& node : world.nodes)
    if (node->alive()) CHECK(reasserted(*node) == 0);
}

}  // namespace

TEST_CASE("rival: a planned stop, a return, a handover by health: no word of the old holder makes any noise") {
  World world(seed_from_environment(145));
  const std::uint8_t version = GENERATE(std::uint8_t{2}, std::uint8_t{3});
  const auto adjust = [&](InstanceConfig& config) {
    with_reassert(config);
    config.version = version;
  };
  auto [first, second] = settled_pair(world, 254, 100, adjust);
  const auto set_health = [&](Node& node, const Health& health) {
    node.supervisor->routers().front()->set_health(health, world.now);
    world.touch(node);
  };
  SECTION("a stop") {
    first.stop();
    check_quiet(world, second, moment(world, [&] { return second.active(); }));
  }
  SECTION("a return") {
    first.stop();
    world.run_for(seconds(20));
    first.start();
    check_quiet(world, first, moment(world, [&] { return first.active(); }));
  }
  SECTION("a sick holder") {
    set_health(first, {.unfit = "check web: exit status 1"});
    check_quiet(world, second, moment(world, [&] { return second.active(); }));
  }
}

TEST_CASE("rival: forged adverts run hooks.reassert once in five seconds, and the last of them is not forgotten") {
  World world(seed_from_environment(147));
  Node& node = world.add_node(254, [](InstanceConfig& config) {
    with_reassert(config);
    config.advert_interval = milliseconds(100);
  });
  node.start();
  world.run_for(seconds(10));
  const std::uint8_t priority = GENERATE(std::uint8_t{0}, std::uint8_t{1});
  for (int i = 0; i < 80; ++i) {  // 20 s
    node.supervisor->routers().front()->heard(
        {.version = 3, .vrid = 51, .priority = priority, .interval = Centiseconds(10), .addresses = {}},
        *IpAddress::parse("192.0.2.9"), world.now);
    world.touch(node);
    world.run_for(milliseconds(250));
  }
  CHECK(reasserted(node) == 4);
  world.run_for(seconds(10));
  CHECK(reasserted(node) == 5);
}
