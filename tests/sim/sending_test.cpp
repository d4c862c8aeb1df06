// F13: adverts that cannot be sent for a while. What ends that is found out by trying, at the pace of the protocol, and
// a node that nobody can hear takes nothing from one that is Active.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

void break_sending(Node& node, bool broken = true) {
  node.wire.fault = [broken] { return broken ? EPERM : 0; };
}

std::ptrdiff_t adverts_of(const World& world, const Node& node, std::uint8_t priority) {
  return std::ranges::count_if(world.adverts, [&](const SentAdvert& advert) {
    return advert.node == node.index && advert.priority == priority;
  });
}

}  // namespace

TEST_CASE("F13: an Active node that could not send is back an Active_Down_Interval after it can") {
  World world(seed_from_environment(91));
  auto [a, b] = settled_pair(world, 254, 253);
  for (int times = 0; times < 3; ++times) {
    break_sending(a);
    world.run_for(world.between(seconds(10), seconds(100)));
    CHECK(b.active());
    CHECK(a.router().shown() == ShownState::fault);
    CHECK(*a.router().standing().fault() == "adverts cannot be sent, and 192.0.2.2 (priority 253) is Active");
    world.adverts.clear();
    break_sending(a, false);
    world.run_for(kInterval + active_down_interval(254, kInterval) + kSlack);
    CHECK(a.active());
    CHECK_FALSE(b.active());
    CHECK(adverts_of(world, a, kResignPriority) == 1);
  }
  CHECK(a.router().counters().transitions == 2 + 3 * 3);
}

TEST_CASE("F13: a node whose adverts cannot be sent announces nothing beside the Active one that it would preempt") {
  World world(seed_from_environment(92));
  auto [a, b] = settled_pair(world, 254, 253);
  const bool virtual_mac = GENERATE(false, true);
  a.kill();
  a.config.instances[0].virtual_mac = virtual_mac;
  a.kernel.real()->addresses.erase({kVip, 24});
  world.run_for(seconds(5));
  REQUIRE(b.active());
  a.start();
  break_sending(a);
  a.kernel.settings["ipv4/conf/eth0/arp_ignore"] = 0;
  a.wire.announced.clear();
  world.run_for(seconds(300));
  CHECK(b.active());
  CHECK(b.router().counters().transitions == 2);
  CHECK(a.wire.announced.empty());
  CHECK(a.router().counters().transitions == 2);
  CHECK(a.router().shown() == ShownState::fault);
  break_sending(a, false);
  world.run_for(kInterval + active_down_interval(254, kInterval) + kSlack);
  CHECK(a.active());
  CHECK_FALSE(a.wire.announced.empty());
}

TEST_CASE("F13: a node that nobody can hear takes over where nobody is Active, and gives way to the first that is") {
  World world(seed_from_environment(93));
  auto [a, b] = settled_pair(world, 254, 253);
  break_sending(b);
  a.kill();
  world.run_for(seconds(10));
  CHECK(b.active());
  CHECK_FALSE(b.wire.announced.empty());
  a.start();
  world.run_for(seconds(10));
  CHECK(a.active());
  CHECK_FALSE(b.active());
  CHECK_FALSE(b.kernel.has(kVip));
}

TEST_CASE("F13: a peer that cannot be reached is no fault while another one can") {
  World world(seed_from_environment(94));
  auto [a, b] = settled_pair(world, 254, 253, [](InstanceConfig& config) {
    config.peers = {{.address = *IpAddress::parse("192.0.2.1")},
                    {.address = *IpAddress::parse("192.0.2.2")},
                    {.address = *IpAddress::parse("192.0.2.9")}};
  });
  a.wire.fault = [number = 0]() mutable { return ++number % 3 == 0 ? EHOSTUNREACH : 0; };
  world.run_for(seconds(100));
  CHECK(a.active());
  CHECK_FALSE(b.active());
  CHECK(transitions(world) == 3);
  CHECK(a.router().counters().send_errors > 90);
}

TEST_CASE("F13: errors that come and go between two adverts move nothing") {
  World world(seed_from_environment(95));
  auto [a, b] = settled_pair(world, 254, 253);
  a.wire.fault = [number = 0]() mutable { return ++number % 2 == 0 ? ENOBUFS : 0; };
  world.run_for(seconds(100));
  CHECK(a.active());
  CHECK_FALSE(b.active());
  CHECK(transitions(world) == 3);
}
