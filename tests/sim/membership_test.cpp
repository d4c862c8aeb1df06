// F17: the kernel drops a membership of the VRRP group without a report.
#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// Drops all memberships, as when IPv6 of a device ends or an interface with the same index replaces it.
void drop_memberships(Node& node) {
  for (auto& [key, socket] : node.wire.listening) socket.member = false;
}

}  // namespace

TEST_CASE(
    "F17: a dropped membership is joined again with the next word about the interface, before anybody takes over") {
  World world(seed_from_environment(71));
  auto [a, b] = settled_pair(world, 254, 253);
  for (int times = 0; times < 20; ++times) {
    drop_memberships(b);
    b.kernel.changed();
    world.run_for(milliseconds(200));
    CHECK(b.wire.listening.begin()->second.member);
    world.run_for(seconds(3));
  }
  CHECK(a.active());
  CHECK(transitions(world) == 3);
}

TEST_CASE("F17: a dropped membership of which no word came is joined again within ten seconds") {
  World world(seed_from_environment(72));
  auto [a, b] = settled_pair(world, 254, 253);
  Node& deaf = GENERATE(true, false) ? *world.nodes[0] : *world.nodes[1];
  drop_memberships(deaf);
  world.run_for(seconds(10) + kSlack);
  CHECK(deaf.wire.listening.begin()->second.member);
  world.run_for(seconds(2));
  CHECK(a.active());
  CHECK_FALSE(b.active());
}

TEST_CASE("F17: a unicast pair needs no membership") {
  World world(seed_from_environment(73));
  std::uint8_t other = 2;
  auto [a, b] = settled_pair(world, 254, 253, [&](InstanceConfig& config) {
    config.peers = {{.address = *IpAddress::parse("192.0.2." + std::to_string(other--))}};
  });
  drop_memberships(b);
  b.kernel.changed();
  world.run_for(seconds(30));
  CHECK(a.active());
  CHECK(b.router().shown() == ShownState::backup);
  CHECK_FALSE(b.wire.listening.begin()->second.member);
}
