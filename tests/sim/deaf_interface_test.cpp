// F7: an interface on which no advert can be heard is a fault with its reason, for as long as the kernel says so.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

TEST_CASE("F7: a kind of interface on which nobody can be heard is a fault, now or after a change") {
  struct Kind {
    const char* sentence;
    void (*make)(Interface&);
    bool heals_with_peers;
  };
  const Kind kind =
      GENERATE(Kind{"interface eth0 is the loopback, where no other node can be heard",
                    [](Interface& interface) { interface.loopback = true; }, false},
               Kind{"interface eth0 is a port of a bridge, which takes all its packets: use the bridge's own interface",
                    [](Interface& interface) { interface.port_of = "bridge"; }, false},
               Kind{"interface eth0 is a port of a bond, which takes all its packets: use the bond's own interface",
                    [](Interface& interface) { interface.port_of = "bond"; }, false},
               Kind{"interface eth0 has no multicast: it needs \"peers\"",
                    [](Interface& interface) { interface.multicast = false; }, true});
  const bool unicast = GENERATE(false, true);
  World world(seed_from_environment(81));
  std::uint8_t other = 2;
  auto [a, b] = settled_pair(world, 254, 253, [&](InstanceConfig& config) {
    if (unicast) config.peers = {{.address = *IpAddress::parse("192.0.2." + std::to_string(other--))}};
  });
  const Interface before = *a.kernel.real();
  kind.make(*a.kernel.real());
  a.kernel.changed();
  world.run_for(milliseconds(100));
  if (unicast && kind.heals_with_peers) {
    CHECK(a.active());
    return;
  }
  CHECK(a.router().shown() == ShownState::fault);
  CHECK(*a.router().standing().fault() == kind.sentence);
  CHECK(b.active());
  *a.kernel.real() = before;
  a.kernel.changed();
  world.run_for(active_down_interval(254, kInterval) + kSlack);
  CHECK(a.active());
}

TEST_CASE("F7: a port of a VRF hears") {
  World world(seed_from_environment(82));
  Node& a = world.add_node(254);
  a.kernel.real()->port_of = "vrf";
  a.start();
  world.run_for(seconds(10));
  CHECK(a.active());
}
