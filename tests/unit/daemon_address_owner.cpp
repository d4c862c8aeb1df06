#include "vipd/daemon/address_owner.hpp"

#include <cerrno>

#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "vipd/vrrp/announcement.hpp"

using namespace vipd;
using namespace vipd::test;

namespace {

const IpAddress kVip = *IpAddress::parse("192.0.2.10");

/// One node whose daemon is not started: its kernel and wire serve an AddressOwner of the test's own.
struct Bench {
  explicit Bench(const std::function<void(InstanceConfig&)>& adjust = {})
      : world(1), node(world.add_node(254, adjust)) {
    node.kernel.catch_up();
    owner.emplace(node.kernel, node.wire, node.config.instances.front());
  }
  /// Lets time pass as the daemon does.
  void run_for(Duration duration) {
    const TimePoint end = world.now + duration;
    while (owner->deadline() <= end) {
      world.run_for(std::max(Duration::zero(), owner->deadline() - world.now));
      owner->on_deadline(world.now);
    }
    world.run_for(end - world.now);
  }
  /// Seconds after the claim at which announcements left, rounded to milliseconds.
  std::vector<milliseconds> announced() const {
    std::vector<milliseconds> times;
    for (const auto& [time, frame] : node.wire.announced)
      times.push_back(std::chrono::round<milliseconds>(time - claimed));
    return times;
  }
  void claim() {
    claimed = world.now;
    owner->claim(world.now);
  }

  World world;
  Node& node;
  std::optional<AddressOwner> owner;
  TimePoint claimed{};
};

}  // namespace

TEST_CASE("AddressOwner: announces at once, in a burst, again after 5 s, then once a minute") {
  Bench bench;
  bench.claim();
  REQUIRE(bench.announced() == std::vector<milliseconds>{milliseconds(0)});
  bench.run_for(seconds(130));
  std::vector<milliseconds> expected;
  for (const int base : {0, 5000})
    for (int i = 0; i < 5; ++i) expected.emplace_back(base + 20 * i);
  expected.emplace_back(5080 + 60'000);
  expected.emplace_back(5080 + 120'000);
  CHECK(bench.announced() == expected);
  bench.owner->release();
  bench.run_for(seconds(130));
  CHECK(bench.announced().size() == expected.size());
}

TEST_CASE("AddressOwner: the announcement is the ARP of the interface's own MAC", "[C02+]") {
  Bench bench;
  bench.claim();
  const auto expected = gratuitous_arp(bench.node.kernel.real()->mac, kVip);
  CHECK(bench.node.wire.announced.front().second == std::vector<std::uint8_t>(expected.begin(), expected.end()));
}

TEST_CASE("AddressOwner: no second burst and no refresh when they are switched off") {
  Bench bench([](InstanceConfig& instance) {
    instance.announce = {.count = 2, .again_after = Duration::zero(), .refresh = Duration::zero()};
  });
  bench.claim();
  bench.run_for(seconds(600));
  CHECK(bench.announced() == std::vector<milliseconds>{milliseconds(0), milliseconds(20)});
  CHECK(bench.owner->deadline() == kNever);
}

TEST_CASE("AddressOwner: a refused address is a failure that names it, and is not announced", "[C26-]") {
  Bench bench([](InstanceConfig& instance) {
    instance.addresses.push_back({{.prefix = {*IpAddress::parse("192.0.2.11"), 24}}});
  });
  bench.node.kernel.refuse = [](const KernelObject& object) {
    return std::get<AddressObject>(object).prefix.address == kVip ? 0 : ENOSPC;
  };
  bench.claim();
  REQUIRE(bench.owner->failure());
  CHECK(*bench.owner->failure() == "cannot add 192.0.2.11/24 on eth0: No space left on device");
  CHECK(bench.node.wire.announced.size() == 1);
  bench.owner->release();
  CHECK_FALSE(bench.node.kernel.has(kVip));
}

TEST_CASE("AddressOwner: a vanished interface is a failure, not a crash") {
  Bench bench;
  bench.node.kernel.real_.clear();
  bench.node.kernel.catch_up();
  bench.claim();
  CHECK(bench.owner->failure() == "cannot add 192.0.2.10/24 on eth0: No such device");
}

TEST_CASE("AddressOwner: what is deleted in a loop is put back, at most once in 10 ms") {
  Bench bench;
  bench.claim();
  bench.run_for(seconds(1));
  bench.node.wire.announced.clear();
  for (int i = 0; i < 1000; ++i) {
    bench.node.kernel.real()->addresses.erase({kVip, 24});
    bench.node.kernel.catch_up();
    bench.owner->reconcile(bench.world.now);
    bench.run_for(milliseconds(1));
  }
  bench.run_for(milliseconds(50));
  CHECK(bench.node.kernel.has(kVip));
  CHECK(bench.node.wire.announced.size() <= 105);
  CHECK(bench.node.wire.announced.size() >= 50);
}

TEST_CASE("AddressOwner: an address of somebody else stays on release, unless we had to add it in the meantime") {
  Bench bench;
  bench.node.kernel.real()->addresses[{kVip, 24}] = {};
  bench.node.kernel.catch_up();
  bench.claim();
  CHECK(bench.owner->entries().front().foreign);
  SECTION("stays") {
    bench.owner->release();
    CHECK(bench.node.kernel.has(kVip));
  }
  SECTION("was taken away and put back by us") {
    bench.node.kernel.real()->addresses.erase({kVip, 24});
    bench.node.kernel.catch_up();
    bench.run_for(milliseconds(20));
    bench.owner->reconcile(bench.world.now);
    CHECK(bench.node.kernel.has(kVip));
    bench.owner->release();
    CHECK_FALSE(bench.node.kernel.has(kVip));
  }
}
