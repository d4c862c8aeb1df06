// F13: adverts cannot be sent for a while. The node tries again once an interval, and a node that cannot send takes no
// address from an Active router.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

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
