// Another host announces an address of ours: the Active router announces it again. A peer that takes over properly is
// no such host.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"
#include "vipd/vrrp/announcement.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

constexpr MacAddress kStranger{{2, 0, 0, 0, 0, 0x63}};

void without_refresh(InstanceConfig& config) {
  config.announce.again_after = config.announce.refresh = Duration::zero();
}

/// How many announcements a node has sent, without its questions.
std::ptrdiff_t announced(const Node& node, TimePoint since) {
  return std::ranges::count_if(node.wire.announced,
                               [&](const auto& one) { return one.first >= since && claim_in_arp(one.second); });
}

void forge(World& world, const IpAddress& address = kVip) {
  for (const auto& node : world.nodes) world.announce_to(node->index, 0, gratuitous_arp(kStranger, address));
}

}  // namespace

TEST_CASE("F28: a forged ARP is answered by the Active router alone, within a tenth of a second, and bounded") {
  World world(seed_from_environment(171));
  auto [first, second] = settled_pair(world, 254, 253, without_refresh);
  const TimePoint forged = world.now;
  forge(world);
  world.run_for(milliseconds(100));
  CHECK(announced(first, forged) >= 2);
  world.run_for(seconds(1));
  CHECK(announced(first, forged) == 5);
  CHECK(announced(second, forged) == 0);
  REQUIRE(first.router().contest());
  CHECK(first.router().contest()->last == AddressClaim{kVip, kStranger});
  CHECK_FALSE(second.router().contest());
  const TimePoint flood = world.now;
  for (int i = 0; i < 10'000; ++i) {
    forge(world);
    world.run_for(milliseconds(1));
  }
  world.run_for(seconds(1));
  CHECK(announced(first, flood) <= 5 * 5);
  CHECK(transitions(world) == 3);  // as at the start
}

TEST_CASE("F28: planned moves are no contest: a stop, a return, a holder that falls sick; v2 and v3") {
  World world(seed_from_environment(173));
  const std::uint8_t version = GENERATE(std::uint8_t{2}, std::uint8_t{3});
  world.delay_high = GENERATE(microseconds(500), milliseconds(40));
  auto [first, second] = settled_pair(world, 254, 100, [&](InstanceConfig& config) { config.version = version; });
  for (int i = 0; i < 5; ++i) {
    first.stop();
    world.run_for(seconds(20));
    REQUIRE(second.active());
    CHECK_FALSE(second.router().contest());
    first.start();
    world.run_for(seconds(20));
    REQUIRE(first.active());
    for (const auto& node : world.nodes) CHECK_FALSE(node->router().contest());
  }
}

TEST_CASE("F28: what the old holder announces right after a takeover is answered, and is no contest") {
  World world(seed_from_environment(176));
  auto [first, second] = settled_pair(world, 254, 253, without_refresh);
  const MacAddress old_holder = first.kernel.real()->mac;
  first.stop();
  for (int i = 0; i < 5'000 && !second.active(); ++i) world.run_for(milliseconds(1));
  REQUIRE(second.active());
  world.run_for(milliseconds(200));  // the burst of the takeover is over
  const TimePoint since = world.now;
  world.announce_to(second.index, 0, gratuitous_arp(old_holder, kVip));
  world.run_for(milliseconds(500));
  CHECK(announced(second, since) == 5);
  CHECK_FALSE(second.router().contest());
}

TEST_CASE("F11: two nodes with one own address are both Active, and both say so") {
  World world(seed_from_environment(174));
  auto [first, second] = settled_pair(world, 254, 253, without_refresh);
  const MacAddress other = second.kernel.real()->mac;
  const IpAddress own = *first.router().source();
  world.announce_to(0, 0, gratuitous_arp(other, own, ArpForm::reply));
  world.run_for(seconds(1));
  REQUIRE(first.router().twin());
  CHECK(first.router().twin()->claim == AddressClaim{own, other});
  CHECK_FALSE(first.router().contest());
}

TEST_CASE("F22: while a stranger keeps an address the router tries ever less often, and one fault is shown") {
  World world(seed_from_environment(175));
  Node& node = world.add_node(254, [](InstanceConfig& config) {
    config.addresses = {{{.prefix = {*IpAddress::parse("fe80::10"), 64}}},
                        {{.prefix = {*IpAddress::parse("2001:db8::10"), 64}, .nodad = false}}};
  });
  const IpAddress taken = *IpAddress::parse("2001:db8::10");
  node.kernel.held_elsewhere = {taken};
  node.start();
  world.run_for(seconds(60));
  const auto& router = node.router();
  CHECK(router.shown() == ShownState::fault);
  CHECK(router.counters().transitions <= 3);
  world.run_for(std::chrono::minutes(10));
  CHECK(router.counters().transitions <= 3);
  const std::size_t before = world.adverts.size();
  world.run_for(std::chrono::minutes(5));
  CHECK(world.adverts.size() - before < 15 * 6);  // ten tries, four intervals each
  node.kernel.held_elsewhere.clear();
  const TimePoint gone = world.now;
  while (router.shown() != ShownState::active && world.now < gone + seconds(60)) world.run_for(milliseconds(10));
  CHECK(world.now - gone < seconds(31));
  CHECK(router.shown() == ShownState::active);
  CHECK(router.standing().fault() == nullptr);
  world.run_for(seconds(60));
  CHECK(router.counters().transitions <= 4);
  CHECK(node.active());
}
