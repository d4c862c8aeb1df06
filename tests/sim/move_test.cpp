// A planned move of many addresses in virtual time. Some node has each address at each moment, and the old holder
// removes an address only after the new holder has announced it.
#include <algorithm>
#include <map>
#include <set>

#include "sim.hpp"
#include "support/catch.hpp"
#include "vipd/vrrp/announcement.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

constexpr int kCount = 700;

std::vector<VirtualAddress> many(int instance) {
  std::vector<VirtualAddress> addresses;
  for (int i = 0; i < kCount; ++i) {
    const std::array<std::uint8_t, 4> octets{10, static_cast<std::uint8_t>(instance),
                                             static_cast<std::uint8_t>(i / 200),
                                             static_cast<std::uint8_t>(1 + i % 200)};
    VirtualAddress& address = addresses.emplace_back();
    address.prefix = {{Family::ipv4, octets}, 32};
    address.advertised = i < 20;
  }
  return addresses;
}

/// Two nodes whose kernels take 100 µs for an object. Each address is examined after each event.
struct Move {
  explicit Move(const std::function<void(Config&)>& adjust = {}) : world(seed_from_environment(12)) {
    for (const std::uint8_t priority : std::array<std::uint8_t, 2>{254, 253}) {
      Config config;
      config.instances.push_back(web_instance(priority));
      config.instances.front().addresses = many(0);
      if (adjust) adjust(config);
      Node& node = world.add_node(config);
      node.kernel.object_takes = microseconds(100);
      node.start();
    }
    world.run_for(seconds(10));
    for (const InstanceConfig& instance : world.nodes[0]->config.instances)
      for (const auto& address : instance.addresses) watched.push_back(address.prefix.address);
    world.after_each = [this] { look(); };
  }

  Node& first() { return *world.nodes[0]; }
  Node& second() { return *world.nodes[1]; }

  /// Examines the state that lasts until the next event.
  void look() {
    const bool first_changed = see(first(), seen_first), second_changed = see(second(), seen_second);
    if (!first_changed && !second_changed) {
      for (const auto& [address, since] : both_since)
        longest_on_both = std::max<Duration>(longest_on_both, world.now - since);
      return;
    }
    const std::set<IpAddress> on_first = held_by(first()), on_second = held_by(second());
    for (const IpAddress& address : watched) {
      const bool both = on_first.contains(address) && on_second.contains(address);
      on_nobody += on_first.contains(address) || on_second.contains(address) ? 0 : 1;
      if (!both) {
        both_since.erase(address);
        continue;
      }
      const auto since = both_since.emplace(address, world.now).first->second;
      longest_on_both = std::max<Duration>(longest_on_both, world.now - since);
    }
  }

  /// True if the interfaces differ from those that were seen before.
  static bool see(const Node& node, std::map<int, Interface>& seen) {
    if (seen == node.kernel.real_) return false;
    seen = node.kernel.real_;
    return true;
  }

  static std::set<IpAddress> held_by(const Node& node) {
    std::set<IpAddress> all;
    for (const auto& [index, interface] : node.kernel.real_)
      for (const auto& [prefix, state] : interface.addresses) all.insert(prefix.address);
    return all;
  }

  /// Compares the removals of the old holder with the announcements of the new holder so far.
  void watch_removals(Node& old, const Node& successor) {
    announced = successor.wire.announced.size();
    old.kernel.keep = [&](const KernelObject& object) {
      const auto& address = std::get<AddressObject>(object).prefix.address;
      const auto frame = gratuitous_arp(successor.kernel.real_.begin()->second.mac, address);
      const auto& frames = successor.wire.announced;
      const bool told = std::any_of(frames.begin() + static_cast<std::ptrdiff_t>(announced), frames.end(),
                                    [&](const auto& each) { return std::ranges::equal(each.second, frame); });
      too_early += told ? 0 : 1;
      return 0;
    };
  }

  void require_moved(const Node& old, const Node& successor) {
    for (const IpAddress& address : watched) {
      REQUIRE(successor.kernel.has(address));
      REQUIRE_FALSE(old.kernel.has(address));
    }
    CHECK(on_nobody == 0);
    CHECK(too_early == 0);
    CHECK(longest_on_both <= kInterval + kSlack);
  }

  World world;
  std::vector<IpAddress> watched;
  std::map<IpAddress, TimePoint> both_since;
  std::map<int, Interface> seen_first, seen_second;
  std::size_t on_nobody = 0, too_early = 0, announced = 0;
  Duration longest_on_both{};
};

}  // namespace

TEST_CASE("sim move: in a stop and in a return, none of many addresses is on nobody (F12)") {
  Move move;
  move.watch_removals(move.first(), move.second());
  move.first().stop();
  move.world.run_for(seconds(3));
  CHECK_FALSE(move.first().alive());
  move.require_moved(move.first(), move.second());
  move.first().kernel.keep = [](const KernelObject&) { return 0; };

  move.first().start();
  move.watch_removals(move.second(), move.first());
  move.world.run_for(seconds(10));
  move.require_moved(move.second(), move.first());
  CHECK(move.second().router().shown() == ShownState::backup);
}

TEST_CASE("sim move: likewise when a sick node yields, and the hooks are told when all are gone (F12)") {
  Move move;
  move.watch_removals(move.first(), move.second());
  bool gone_when_told = false;
  move.first().runner->on_start = [&](const Command& command) {
    if (std::ranges::count(command.arguments, "BACKUP") > 0)
      gone_when_told = !move.first().kernel.has(move.watched.back());
  };
  const auto sick = Health{.unfit = "check app failed"};
  move.first().supervisor->routers().front()->set_health(sick, move.world.now);
  move.world.run_for(seconds(3));
  move.require_moved(move.first(), move.second());
  CHECK(gone_when_told);
}

TEST_CASE("sim move: likewise in a sync group, of which one member hears the winner first (F12)") {
  Move move([](Config& config) {
    config.instances.push_back(config.instances.front());
    InstanceConfig& back = config.instances.back();
    back.name = "back";
    back.interface = "eth1";
    back.vrid = 52;
    back.addresses = many(1);
    for (auto& instance : config.instances) instance.sync_group = "both";
    config.sync_groups.push_back({.name = "both", .instances = {"web", "back"}, .hooks = {}});
  });
  move.first().stop();
  move.world.run_for(seconds(3));
  move.require_moved(move.first(), move.second());
  move.first().start();
  move.world.run_for(seconds(10));
  move.require_moved(move.second(), move.first());
  CHECK(move.second().supervisor->groups().front()->shown() == ShownState::backup);
}

TEST_CASE("sim move: a fault in the midst of a move takes the rest at once, a crash leaves it to the next start") {
  Move move;
  const auto& kernel = move.first().kernel;
  const auto left = [&] {
    return std::ranges::count_if(move.watched, [&](const auto& each) { return kernel.has(each); });
  };
  move.first().supervisor->routers().front()->set_health(Health{.unfit = "check app failed"}, move.world.now);
  move.world.run_for(milliseconds(60));
  REQUIRE(left() > 64);
  REQUIRE(left() < kCount);
  REQUIRE(move.first().router().shown() == ShownState::backup);
  SECTION("fault") {
    move.first().kernel.real()->running = false;
    move.first().kernel.changed();
    move.world.run_for(milliseconds(150));
    CHECK(move.first().router().shown() == ShownState::fault);
  }
  SECTION("crash") {
    move.first().kill();
    move.world.run_for(seconds(1));
    CHECK(left() > 0);
    move.first().start();
    move.world.run_for(milliseconds(200));
  }
  SECTION("stop") {
    move.first().stop();
    move.world.run_for(milliseconds(400));
    CHECK_FALSE(move.first().alive());
  }
  SECTION("the winner dies") {
    move.second().power_off();
    move.world.run_for(seconds(10));
    CHECK(move.first().router().shown() == ShownState::active);
    CHECK(left() == kCount);
    return;
  }
  CHECK(left() == 0);
}
