// An instance that cannot be Active: an interface of one of its addresses is down, or the kernel refuses what it is to
// hold. It gives way at once, comes back by the kernel's word, disturbs nobody meanwhile and is there when it is
// needed.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

const IpAddress kOuter = *IpAddress::parse("203.0.113.10");

/// A second interface with an address of its own, in place of the one that the world gives.
Interface& add_eth1(Node& node) {
  std::erase_if(node.kernel.real_, [](const auto& each) { return each.second.name == "eth1"; });
  Interface eth1 = *node.kernel.real();
  eth1.index = 20;
  eth1.name = "eth1";
  eth1.addresses = {{{own_address(2, node.index, Family::ipv4), 29}, {}}};
  return node.kernel.real_[20] = eth1;
}

void with_outer(InstanceConfig& config) { config.addresses.push_back({{.prefix = {kOuter, 29}, .interface = "eth1"}}); }

/// What the hooks of a node were told, "BACKUP MASTER FAULT".
std::string told(const Node& node) {
  std::string all;
  for (const Command& command : node.runner->started)
    if (const auto& words = command.arguments; words.size() > 3)
      all += (all.empty() ? "" : " ") + words[words.size() - 2];
  return all;
}

std::ptrdiff_t adverts_of(const World& world, const Node& node, TimePoint since) {
  return std::ranges::count_if(
      world.adverts, [&](const SentAdvert& advert) { return advert.node == node.index && advert.time >= since; });
}

/// A pair with addresses on eth0 and eth1, in its tenth second; the first node is Active.
std::pair<Node&, Node&> outer_pair(World& world, const std::function<void(InstanceConfig&)>& adjust = with_outer) {
  for (const std::uint8_t priority : {std::uint8_t{254}, std::uint8_t{253}}) add_eth1(world.add_node(priority, adjust));
  for (const auto& node : world.nodes) node->start();
  world.run_for(seconds(10));
  REQUIRE(world.nodes[0]->active());
  return {*world.nodes[0], *world.nodes[1]};
}

void set_eth1(Node& node, bool running) {
  node.kernel.real("eth1")->running = running;
  node.kernel.changed();
}

/// The kernel refuses each address from now on; 0: none any more.
void refuse(Node& node, int error) {
  node.kernel.refuse = [error](const KernelObject& object) {
    return std::holds_alternative<AddressObject>(object) ? error : 0;
  };
}

}  // namespace

TEST_CASE("F6: a second interface that is down, without carrier or gone is a fault, until the kernel's word") {
  World world(seed_from_environment(61));
  auto [a, b] = outer_pair(world);
  const bool gone = GENERATE(false, true);
  const Interface eth1 = *a.kernel.real("eth1");
  if (gone) {
    a.kernel.real_.erase(eth1.index);
    a.kernel.changed();
  } else {
    set_eth1(a, false);
  }
  world.run_for(milliseconds(100));
  CHECK(a.router().shown() == ShownState::fault);
  CHECK(*a.router().standing().fault() ==
        std::string("interface eth1 of 203.0.113.10/29 is ") + (gone ? "missing" : "down"));
  CHECK_FALSE(a.kernel.has(kVip));
  CHECK(b.active());  // by priority 0
  world.run_for(seconds(100));
  CHECK(told(a) == "BACKUP MASTER FAULT");
  a.kernel.real_[eth1.index] = eth1;
  a.kernel.changed();
  world.run_for(milliseconds(10));
  CHECK(a.router().shown() == ShownState::backup);
  world.run_for(active_down_interval(254, kInterval) + kSlack);
  CHECK(a.active());
  CHECK(a.kernel.has(kOuter));
  CHECK_FALSE(b.kernel.has(kOuter));
}

TEST_CASE("F6: a Backup whose second interface is down leaves the field, and link_hold counts there, too") {
  World world(seed_from_environment(62));
  auto [a, b] = outer_pair(world, [](InstanceConfig& config) {
    with_outer(config);
    config.link_hold = seconds(5);
  });
  set_eth1(b, false);
  world.run_for(seconds(1));
  CHECK(b.router().shown() == ShownState::fault);
  set_eth1(b, true);
  world.run_for(seconds(4));
  CHECK(*b.router().standing().fault() == "interface eth1 of 203.0.113.10/29 has not been up for 5s again");
  world.run_for(seconds(1) + kSlack);
  CHECK(b.router().shown() == ShownState::backup);
  CHECK(a.active());
}

TEST_CASE("F6: with track = false the state of the second interface is no fault") {
  World world(seed_from_environment(63));
  auto [a, b] = outer_pair(world, [](InstanceConfig& config) {
    with_outer(config);
    config.addresses.back().tracked = false;
    config.routes = {VirtualRoute{{.to = {*IpAddress::parse("198.18.0.0"), 15}, .interface = "eth1"}, false}};
  });
  const Interface eth1 = *a.kernel.real("eth1");
  a.kernel.real_.erase(eth1.index);
  a.kernel.real_routes_.clear();
  a.kernel.changed();
  world.run_for(seconds(10));
  CHECK(a.active());
  a.kernel.real_[30] = eth1;  // another one, of the same name
  a.kernel.real_[30].index = 30;
  a.kernel.changed();
  world.run_for(seconds(1));
  CHECK(a.kernel.has(kOuter));
  CHECK(a.kernel.real_routes_.size() == 1);
  CHECK(transitions(world) == 3);
  CHECK(a.kernel.has(kVip));
}

TEST_CASE("F6: a node that cannot have the address leaves the one alone that has it, and says so once") {
  World world(seed_from_environment(64));
  auto [a, b] = settled_pair(world, 254, 253);
  a.kill();
  a.kernel.real()->addresses.erase({kVip, 24});
  world.run_for(seconds(5));
  REQUIRE(b.active());
  const auto error = GENERATE(EPERM, ENETUNREACH, EINVAL);
  refuse(a, error);
  a.start();
  const TimePoint back = world.now;
  world.adverts.clear();
  a.wire.announced.clear();
  world.run_for(seconds(600));
  CHECK(b.active());
  CHECK(b.router().counters().transitions == 2);
  CHECK(a.router().shown() == ShownState::fault);
  CHECK(told(a) == "BACKUP FAULT");
  CHECK(adverts_of(world, a, back) == 0);
  CHECK(a.wire.announced.empty());
  b.kill();
  refuse(a, 0);
  world.run_for(2 * active_down_interval(254, kInterval) + kSlack);  // a claim that failed, and the next
  CHECK(a.active());
  CHECK(told(a) == "BACKUP FAULT MASTER");
}

TEST_CASE(
    "F6: a lone node that is refused tries again at the protocol's pace, and says nothing while nothing changes") {
  World world(seed_from_environment(65));
  Node& a = world.add_node(254);
  refuse(a, EPERM);
  a.start();
  world.run_for(seconds(300));
  CHECK(told(a) == "BACKUP FAULT");
  CHECK(a.router().shown() == ShownState::fault);
  CHECK(*a.router().standing().fault() == "cannot add 192.0.2.10/24 on eth0: Operation not permitted");
  CHECK(world.adverts.empty());
  CHECK(a.wire.announced.empty());
  refuse(a, 0);
  world.run_for(2 * active_down_interval(254, kInterval) + kSlack);
  CHECK(a.active());
  CHECK(a.router().addresses().entries().front().error == 0);
}

TEST_CASE("F6: what the kernel says of an interface ends a refusal at once, what we do there does not") {
  World world(seed_from_environment(66));
  auto [a, b] = settled_pair(world, 254, 253);
  refuse(a, ENETUNREACH);
  a.kernel.real()->addresses.erase({kVip, 24});  // the repair is refused
  a.kernel.changed();
  world.run_for(seconds(12));
  REQUIRE(b.active());
  CHECK(a.router().shown() == ShownState::fault);
  refuse(a, 0);
  a.kernel.real()->addresses[{*IpAddress::parse("198.51.100.7"), 24}] = {};
  a.kernel.changed();
  world.run_for(milliseconds(10));
  CHECK(a.router().shown() == ShownState::backup);
  CHECK(a.router().addresses().entries().front().error == 0);  // c: nothing is shown that is past
  world.run_for(active_down_interval(254, kInterval) + kSlack);
  CHECK(a.active());
}

TEST_CASE("F6: an owner that is refused a route waits like any other") {
  World world(seed_from_environment(67));
  Node& a = world.add_node(kOwnerPriority, [](InstanceConfig& config) {
    config.routes = {VirtualRoute{{.to = {*IpAddress::parse("198.18.0.0"), 15}}}};
  });
  Node& b = world.add_node(100);
  a.kernel.real()->addresses[{kVip, 24}] = {};
  a.kernel.refuse = [](const KernelObject& object) {
    return std::holds_alternative<RouteObject>(object) ? ENETUNREACH : 0;
  };
  a.start();
  b.start();
  world.run_for(seconds(200));
  CHECK(b.active());
  CHECK(told(a) == "FAULT");
  CHECK(b.router().counters().transitions == 2);
  a.kernel.refuse = [](const KernelObject&) { return 0; };
  world.run_for(seconds(40));
  CHECK(a.active());
}

TEST_CASE("F6: a sync group with a member that is refused is calm, and there when it is needed") {
  World world(seed_from_environment(68));
  for (const std::uint8_t priority : {std::uint8_t{254}, std::uint8_t{253}}) {
    Config config;
    for (const auto& [name, lan, address] :
         {std::tuple("one", "eth0", "192.0.2.10"), std::tuple("two", "eth1", "198.51.100.10")}) {
      InstanceConfig instance = web_instance(priority);
      instance.name = name;
      instance.interface = lan;
      instance.addresses.front().prefix.address = *IpAddress::parse(address);
      instance.sync_group = "edge";
      config.instances.push_back(instance);
    }
    config.sync_groups = {{.name = "edge", .instances = {"one", "two"}, .hooks = {}}};
    world.add_node(config);
  }
  Node &a = *world.nodes[0], &b = *world.nodes[1];
  a.kernel.refuse = [](const KernelObject& object) {
    const auto* address = std::get_if<AddressObject>(&object);
    return address != nullptr && address->interface == "eth1" ? EPERM : 0;
  };
  a.start();
  world.run_for(seconds(200));
  const std::uint64_t calm = a.supervisor->events().last_sequence();
  CHECK(calm <= 6);  // Backup and fault: two members and the group
  CHECK(world.adverts.empty());
  b.start();
  world.run_for(seconds(200));
  CHECK(b.active());
  CHECK(b.router().counters().transitions == 2);
  CHECK(a.supervisor->events().last_sequence() == calm);
  b.kill();
  a.kernel.refuse = [](const KernelObject&) { return 0; };
  world.run_for(seconds(10));
  CHECK(a.active());
  CHECK(a.supervisor->groups().front()->shown() == ShownState::active);
}
