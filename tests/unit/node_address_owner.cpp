#include "vipd/node/address_owner.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>

#include "support/catch.hpp"
#include "vipd/sim/world.hpp"
#include "vipd/vrrp/announcement.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

const IpAddress kVip = *IpAddress::parse("192.0.2.10");

/// 10.0.0.1/16, 10.0.0.2/16, …
std::vector<VirtualAddress> many(int count) {
  std::vector<VirtualAddress> addresses;
  for (int i = 0; i < count; ++i) {
    const std::array<std::uint8_t, 4> octets{10, 0, static_cast<std::uint8_t>(i / 200),
                                             static_cast<std::uint8_t>(1 + i % 200)};
    addresses.push_back({{.prefix = {{Family::ipv4, octets}, 16}}});
  }
  return addresses;
}

/// A node without a running daemon: its kernel and wire serve the test's own AddressOwner.
struct Bench {
  explicit Bench(const std::function<void(InstanceConfig&)>& adjust = {})
      : world(1), node(world.add_node(254, adjust)) {
    node.kernel.catch_up();
    owner.emplace(node.kernel, node.wire, config);
  }
  void reconfigure(const std::function<void(InstanceConfig&)>& change) {
    InstanceConfig changed = *config;
    change(changed);
    config = std::make_shared<InstanceConfig>(std::move(changed));
    owner->reconfigure(world.now);
  }
  /// Lets time pass, and calls the owner as the daemon does.
  void run_for(Duration duration) {
    const TimePoint end = world.now + duration;
    while (owner->deadline() <= end) {
      world.run_for(std::max(Duration::zero(), owner->deadline() - world.now));
      owner->on_deadline(world.now);
    }
    world.run_for(end - world.now);
  }
  /// The times of announcements since the claim, rounded to milliseconds.
  std::vector<milliseconds> announced() const {
    std::vector<milliseconds> times;
    for (const auto& [time, frame] : node.wire.announced)
      times.push_back(std::chrono::round<milliseconds>(time - claimed));
    return times;
  }
  void claim() {
    claimed = world.now;
    owner->claim(world.now);
    if (!owner->failure()) owner->announce_claim(world.now);
  }

  World world;
  Node& node;
  SharedInstance config = std::make_shared<InstanceConfig>(node.config.instances.front());
  std::optional<AddressOwner> owner;
  TimePoint claimed{};
};

/// The processor time of this thread: wall-clock time would count other programs on a busy machine.
Duration processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

TEST_CASE("AddressOwner: what one more address costs grows with their number, not with its square") {
  const auto cost = [](int count) {
    Bench bench([&](InstanceConfig& instance) { instance.addresses = many(count); });
    bench.claim();
    bench.run_for(seconds(2));
    auto least = Duration::max();
    for (int more = 1; more <= 5; ++more) {
      const Duration began = processor_time();
      bench.reconfigure([&](InstanceConfig& instance) { instance.addresses = many(count + more); });
      least = std::min(least, processor_time() - began);
    }
    return least;
  };
  const Duration of_500 = cost(500), of_4000 = cost(4000);
  INFO(of_500.count() << " ns, " << of_4000.count() << " ns");
  REQUIRE(of_4000 < 24 * of_500);  // eight times as many entries: quadratic time would be 64 times
}

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
  CHECK(bench.node.wire.announced.empty());  // the other address would not stay, so it is not announced
  bench.owner->release();
  CHECK_FALSE(bench.node.kernel.has(kVip));
}

TEST_CASE("AddressOwner: what the kernel has no memory for once is added all the same, and removed in the end") {
  Bench bench([](InstanceConfig& instance) {
    instance.addresses.push_back({{.prefix = {*IpAddress::parse("192.0.2.11"), 24}}});
  });
  const int error = GENERATE(ENOBUFS, ENOMEM);
  const auto once = [error, said = std::set<IpAddress>()](const KernelObject& object) mutable {
    return said.insert(std::get<AddressObject>(object).prefix.address).second ? error : 0;
  };
  SECTION("it is not made") { bench.node.kernel.refuse = once; }
  SECTION("it is made, and the answer is lost") { bench.node.kernel.misreport = once; }
  bench.claim();
  CHECK_FALSE(bench.owner->failure());
  for (const auto& entry : bench.owner->entries()) CHECK((entry.owned && !entry.foreign));
  CHECK(bench.node.wire.announced.size() == 2);
  bench.run_for(seconds(1));
  bench.owner->release();
  CHECK_FALSE(bench.node.kernel.has(kVip));
}

TEST_CASE("AddressOwner: a removal whose answer was lost is not tried again on what somebody else has added since") {
  Bench bench;
  bench.claim();
  bench.run_for(seconds(1));
  bench.node.kernel.misreport = [](const KernelObject&) { return ENOBUFS; };
  bench.owner->release();
  REQUIRE_FALSE(bench.node.kernel.has(kVip));
  CHECK_FALSE(bench.owner->clear());
  bench.node.kernel.misreport = [](const KernelObject&) { return 0; };
  bench.node.kernel.others_add("eth0", {kVip, 24});
  bench.node.kernel.catch_up();
  bench.run_for(milliseconds(50));
  CHECK(bench.node.kernel.has(kVip));
  CHECK(bench.owner->clear());
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

TEST_CASE("AddressOwner: an address of which the kernel's word is late has not vanished") {
  Bench bench;
  bench.node.kernel.slow = seconds(1);
  bench.claim();
  bench.run_for(milliseconds(500));
  REQUIRE_FALSE(bench.node.kernel.view().has(bench.owner->entries().front().object));
  CHECK(bench.announced().size() == 5);
  CHECK_FALSE(bench.owner->failure());
  CHECK(bench.owner->entries().front().owned);
}

TEST_CASE("AddressOwner: an address that somebody else has added in place of ours stays on release") {
  Bench bench;
  bench.claim();
  bench.run_for(seconds(1));
  REQUIRE(bench.owner->entries().front().owned);
  const IpPrefix prefix = std::get<AddressObject>(bench.owner->entries().front().object).prefix;
  bench.node.kernel.others_remove("eth0", prefix);
  bench.node.kernel.others_add("eth0", prefix);
  bench.node.kernel.catch_up();
  SECTION("the kernel's word comes with the release") {}
  SECTION("the kernel's word came before") {
    bench.owner->reconcile(bench.world.now);
    CHECK(bench.owner->entries().front().foreign);
  }
  bench.owner->release();
  CHECK(bench.node.kernel.has(prefix.address));
  CHECK(bench.owner->clear());
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

TEST_CASE("AddressOwner: with the virtual MAC the addresses live on its device, which is up while they are held",
          "[A08+][C07+]") {
  Bench bench([](InstanceConfig& instance) { instance.virtual_mac = true; });
  REQUIRE(bench.owner->prepare());
  const NetworkView& view = bench.node.kernel.view();
  REQUIRE(view.find("vrrp4.51.eth0") != nullptr);
  CHECK_FALSE(view.find("vrrp4.51.eth0")->up);
  bench.claim();
  bench.run_for(milliseconds(10));
  CHECK(view.find("vrrp4.51.eth0")->up);
  CHECK(view.find("vrrp4.51.eth0")->addresses.contains({kVip, 24}));
  CHECK_FALSE(view.find("eth0")->addresses.contains({kVip, 24}));
  const auto expected = gratuitous_arp({{0, 0, 0x5e, 0, 1, 51}}, kVip);
  CHECK(bench.node.wire.announced.front().second == std::vector<std::uint8_t>(expected.begin(), expected.end()));
  bench.owner->release();
  CHECK_FALSE(bench.node.kernel.has(kVip));
  CHECK_FALSE(view.find("vrrp4.51.eth0")->up);
  bench.owner->withdraw();
  CHECK(view.find("vrrp4.51.eth0") == nullptr);
}

TEST_CASE("AddressOwner: a removed device of the virtual MAC comes back with the addresses, up") {
  Bench bench([](InstanceConfig& instance) { instance.virtual_mac = true; });
  REQUIRE(bench.owner->prepare());
  bench.claim();
  bench.run_for(seconds(1));
  bench.node.kernel.remove_link(bench.node.kernel.view().find("vrrp4.51.eth0")->index);
  REQUIRE(bench.owner->prepare());
  bench.owner->reconcile(bench.world.now);
  CHECK(bench.node.kernel.has(kVip));
  CHECK(bench.node.kernel.view().find("vrrp4.51.eth0")->up);
  CHECK_FALSE(bench.owner->failure());
}

TEST_CASE("AddressOwner: a virtual MAC that cannot be raised is a failure; no address is added", "[C07-]") {
  Bench bench([](InstanceConfig& instance) { instance.virtual_mac = true; });
  REQUIRE(bench.owner->prepare());
  bench.node.kernel.read_only.insert("ipv4/conf/eth0/arp_announce");
  bench.claim();
  REQUIRE(bench.owner->failure());
  CHECK(bench.owner->failure()->find("arp_announce") != std::string::npos);
  CHECK_FALSE(bench.node.kernel.has(kVip));
  bench.owner->release();
  CHECK(bench.node.kernel.settings.at("ipv4/conf/eth0/arp_ignore") == 0);
  bench.node.kernel.read_only.clear();
  bench.claim();
  CHECK_FALSE(bench.owner->failure());
  CHECK(bench.node.kernel.has(kVip));
}

TEST_CASE("AddressOwner: accept = false refuses packets before the address is there and until it is gone",
          "[C23+][C25+]") {
  Bench bench([](InstanceConfig& instance) { instance.accept = false; });
  SimKernel& kernel = bench.node.kernel;
  REQUIRE(bench.owner->prepare());
  CHECK(kernel.refused.empty());
  bool refused_before = false;
  kernel.refuse = [&](const KernelObject&) {
    refused_before = kernel.refused.contains(kVip);
    return 0;
  };
  bench.claim();
  CHECK(refused_before);
  CHECK(kernel.refused == std::set<IpAddress>{kVip});
  bench.owner->release();
  CHECK(kernel.refused.empty());
}

TEST_CASE("AddressOwner: without nf_tables accept = false is never pretended", "[C23-]") {
  Bench bench([](InstanceConfig& instance) { instance.accept = false; });
  bench.node.kernel.can_refuse = false;
  CHECK_FALSE(bench.owner->prepare());
  bench.claim();
  CHECK(bench.owner->failure() == "no nf_tables");
  CHECK_FALSE(bench.node.kernel.has(kVip));
}

TEST_CASE("AddressOwner: the owner takes packets in whatever accept says", "[C23+]") {
  Bench bench([](InstanceConfig& instance) {
    instance.accept = false;
    instance.priority = kOwnerPriority;
  });
  bench.claim();
  CHECK(bench.node.kernel.has(kVip));
  CHECK(bench.node.kernel.refused.empty());
}

namespace {

const RouteObject kRoute{.to = {*IpAddress::parse("198.51.100.0"), 24}, .via = *IpAddress::parse("192.0.2.1")};
const RuleObject kRule{.from = IpPrefix{kVip, 32}, .table = 10, .priority = 100};

void with_routing(InstanceConfig& instance) {
  instance.routes = {VirtualRoute{kRoute}};
  instance.rules = {kRule};
}

/// Updates the view to the kernel's present state, and has the owner examine it.
void look(Bench& bench) {
  bench.node.kernel.catch_up();
  bench.run_for(milliseconds(20));
  bench.owner->reconcile(bench.world.now);
}

}  // namespace

TEST_CASE("AddressOwner: routes and rules come after the addresses, go before them, and are put back") {
  Bench bench(with_routing);
  SimKernel& kernel = bench.node.kernel;
  std::vector<std::size_t> order;
  kernel.refuse = [&](const KernelObject& object) {
    order.push_back(object.index());
    return 0;
  };
  bench.claim();
  CHECK(order == std::vector<std::size_t>{0, 1, 2});
  CHECK(kernel.real_routes_.size() == 1);
  CHECK(kernel.real_rules_.size() == 1);
  look(bench);
  for (const auto& entry : bench.owner->entries()) CHECK((entry.owned && bench.owner->present(entry)));

  kernel.real_routes_.clear();
  kernel.real_rules_.clear();
  look(bench);
  CHECK(kernel.real_routes_.size() == 1);
  CHECK(kernel.real_rules_.size() == 1);
  CHECK_FALSE(bench.owner->failure());

  look(bench);
  bench.owner->release();
  CHECK(kernel.real_routes_.empty());
  CHECK(kernel.real_rules_.empty());
  CHECK_FALSE(kernel.has(kVip));
}

TEST_CASE("AddressOwner: a refused route is a failure that names it, and nothing stays") {
  Bench bench(with_routing);
  bench.node.kernel.refuse = [](const KernelObject& object) { return object.index() == 1 ? ENETUNREACH : 0; };
  bench.claim();
  CHECK(bench.owner->failure() == "cannot add route 198.51.100.0/24 via 192.0.2.1 dev eth0: Network is unreachable");
  bench.owner->release();
  CHECK_FALSE(bench.node.kernel.has(kVip));
  CHECK(bench.node.kernel.real_rules_.empty());
}

TEST_CASE("AddressOwner: a route of somebody else is used and stays on release, until it vanishes") {
  Bench bench(with_routing);
  RouteObject there = kRoute;
  there.ifindex = 2;
  bench.node.kernel.foreign_routes_ = {as_told(there)};
  bench.claim();
  const auto& route = bench.owner->entries().at(1);
  CHECK((route.foreign && !route.owned && bench.owner->present(route)));
  look(bench);
  CHECK(route.foreign);
  SECTION("stays") {
    bench.owner->release();
    CHECK(bench.node.kernel.foreign_routes_.size() == 1);
  }
  SECTION("vanishes: ours takes its place") {
    bench.node.kernel.foreign_routes_.clear();
    look(bench);
    CHECK(bench.node.kernel.real_routes_.size() == 1);
    CHECK((route.owned && !route.foreign));
  }
}

TEST_CASE("AddressOwner: an address on another interface, which may be missing") {
  Bench bench([](InstanceConfig& instance) {
    instance.addresses.push_back({{.prefix = {*IpAddress::parse("203.0.113.10"), 24}, .interface = "eth1"}});
  });
  SimKernel& kernel = bench.node.kernel;
  std::erase_if(kernel.real_, [](const auto& each) { return each.second.name == "eth1"; });
  kernel.catch_up();
  SECTION("missing") {
    bench.claim();
    CHECK(bench.owner->failure() == "cannot add 203.0.113.10/24 on eth1: No such device");
    CHECK(bench.node.wire.announced.empty());  // the other address is not announced either
    bench.owner->release();
    CHECK(bench.owner->entries().back().error == ENODEV);
    bench.owner->forget_refusals();
    CHECK_FALSE(bench.owner->failure());
  }
  SECTION("there, and announced there") {
    kernel.real_[7] = {.index = 7, .name = "eth1", .mac = {{2, 0, 0, 0, 0, 9}}, .running = true, .addresses = {}};
    kernel.catch_up();
    bench.claim();
    CHECK_FALSE(bench.owner->failure());
    CHECK(kernel.real_[7].addresses.size() == 1);
    const auto expected = gratuitous_arp({{2, 0, 0, 0, 0, 9}}, *IpAddress::parse("203.0.113.10"));
    CHECK(std::ranges::equal(bench.node.wire.announced.back().second, expected));
    CHECK(bench.owner->is_concerned({"eth1"}));
    CHECK_FALSE(bench.owner->is_concerned({"eth2", ""}));
  }
}

TEST_CASE("AddressOwner: a length that was left out is that of the interface's own subnet") {
  const auto* const length = GENERATE("/24", "/32");
  Bench bench([&](InstanceConfig& instance) {
    const auto* const address = std::string_view(length) == "/24" ? "192.0.2.10" : "203.0.113.10";
    instance.addresses = {{{.prefix = {*IpAddress::parse(address), 0}}}};
  });
  bench.claim();
  CHECK(to_string(std::get<AddressObject>(bench.owner->entries().front().object)).ends_with(length));
}

TEST_CASE("AddressOwner: hundreds of addresses are announced in turns, each in every round", "[C02+]") {
  constexpr int kCount = 300;
  Bench bench([](InstanceConfig& instance) {
    instance.announce = {
        .gap = milliseconds(1), .count = 3, .again_after = Duration::zero(), .refresh = Duration::zero()};
    instance.addresses = many(kCount);
  });
  bench.claim();
  bench.run_for(seconds(1));
  std::map<milliseconds, int> each_turn;
  for (const milliseconds at : bench.announced()) ++each_turn[at];
  each_turn.erase(milliseconds(0));  // batches: adding takes no time here
  for (const auto& [at, frames] : each_turn) CHECK(frames <= 32);
  std::map<std::vector<std::uint8_t>, int> each_frame;
  for (const auto& [time, frame] : bench.node.wire.announced) ++each_frame[frame];
  CHECK(each_frame.size() == kCount);
  for (const auto& [frame, times] : each_frame) CHECK(times == 3);
  CHECK(bench.announced().back() <= milliseconds(50));
}

TEST_CASE("AddressOwner: hundreds of addresses are added in turns, and each is announced when it is there") {
  Bench bench([](InstanceConfig& instance) { instance.addresses = many(150); });
  std::vector<IpAddress> added;
  bench.node.kernel.refuse = [&](const KernelObject& object) {
    added.push_back(std::get<AddressObject>(object).prefix.address);
    return 0;
  };
  const auto announced = [&] { return bench.node.wire.announced.size(); };
  bench.claim();
  for (std::size_t turn = 1; turn <= 10; ++turn) {
    const std::size_t count = std::min<std::size_t>(16 * turn, 150);
    CHECK(added.size() == count);
    CHECK(announced() == count);
    CHECK(bench.owner->adding() == (count < 150));
    CHECK_FALSE(bench.owner->failure());
    bench.world.run_for(milliseconds(0));
    if (bench.owner->adding()) bench.owner->on_deadline(bench.world.now);
  }
  CHECK(std::ranges::is_sorted(added));
  bench.run_for(milliseconds(19));
  CHECK(announced() == 150);
  bench.run_for(milliseconds(200));
  CHECK(announced() == 5 * 150);
  CHECK(added.size() == 150);
}

TEST_CASE("AddressOwner: an address that is refused in a later turn is a failure, and the release ends all turns") {
  Bench bench([](InstanceConfig& instance) { instance.addresses = many(200); });
  int count = 0;
  bench.node.kernel.refuse = [&](const KernelObject&) { return ++count == 70 ? ENOSPC : 0; };
  bench.claim();
  for (int turn = 2; turn <= 4; ++turn) bench.owner->on_deadline(bench.world.now);
  CHECK_FALSE(bench.owner->failure());
  bench.owner->on_deadline(bench.world.now);
  CHECK(bench.owner->failure());
  bench.owner->release();
  CHECK_FALSE(bench.owner->adding());
  bench.run_for(Duration::zero());
  CHECK(bench.owner->deadline() == kNever);
  bench.world.run_for(seconds(1));
  CHECK(bench.node.kernel.real()->addresses.size() == 2);  // the node's own addresses
  CHECK(count == 80);
}

TEST_CASE("AddressOwner: of hundreds, a reload adds, announces and removes what has changed") {
  Bench bench([](InstanceConfig& instance) { instance.addresses = many(200); });
  const VirtualAddress last = many(201).back();
  bench.claim();
  bench.run_for(seconds(10));
  const std::size_t before = bench.node.wire.announced.size();
  bench.reconfigure([&](InstanceConfig& instance) {
    auto& addresses = instance.addresses;
    addresses.erase(addresses.begin() + 100);
    std::ranges::rotate(addresses, addresses.begin() + 50);
    addresses.push_back(last);
  });
  CHECK(bench.node.kernel.has(last.prefix.address));
  CHECK_FALSE(bench.owner->adding());
  bench.run_for(seconds(1));
  CHECK(bench.node.wire.announced.size() == before + 5);
  CHECK(bench.node.kernel.real()->addresses.size() == 2 + 200);
}

TEST_CASE("AddressOwner: a delay before the first announcement, the gap, and both forms") {
  Bench bench([](InstanceConfig& instance) {
    instance.announce = {.form = AnnounceForm::both,
                         .delay = milliseconds(100),
                         .gap = milliseconds(7),
                         .count = 2,
                         .again_after = Duration::zero(),
                         .refresh = Duration::zero()};
  });
  bench.claim();
  CHECK(bench.announced().empty());
  bench.run_for(seconds(1));
  using std::vector;
  CHECK(bench.announced() == vector{milliseconds(100), milliseconds(100), milliseconds(107), milliseconds(107)});
  CHECK(bench.node.wire.announced[0].second[21] == 1);
  CHECK(bench.node.wire.announced[1].second[21] == 2);
}

TEST_CASE("AddressOwner: announces at once when another node was Active too, and again; once a second under a flood") {
  Bench bench([](InstanceConfig& instance) {
    instance.announce = {.count = 1, .again_after = Duration::zero(), .refresh = Duration::zero()};
  });
  bench.owner->contested(milliseconds(100), bench.world.now);
  CHECK(bench.owner->deadline() == kNever);  // the owner holds nothing
  bench.claim();
  SECTION("one advert") {
    bench.run_for(milliseconds(500));
    bench.owner->contested(milliseconds(100), bench.world.now);
    bench.run_for(seconds(10));
    CHECK(bench.announced() == std::vector{milliseconds(0), milliseconds(500), milliseconds(1500)});
  }
  SECTION("a flood") {
    for (int i = 0; i < 500; ++i) {
      bench.owner->contested(milliseconds(100), bench.world.now);
      bench.run_for(milliseconds(10));
    }
    const auto announced = bench.announced();
    CHECK(announced.size() >= 6);
    CHECK(announced.size() <= 7);
    for (std::size_t i = 2; i < announced.size(); ++i) CHECK(announced[i] - announced[i - 1] >= seconds(1));
  }
  SECTION("a delay of the first announcement holds for it as well") {
    bench.reconfigure([](InstanceConfig& instance) { instance.announce.delay = milliseconds(50); });
    bench.owner->contested(milliseconds(100), bench.world.now);
    CHECK(bench.announced().size() == 1);
    bench.run_for(milliseconds(900));
    CHECK(bench.announced() == std::vector{milliseconds(0), milliseconds(50)});
  }
}

namespace {

/// Changes the configuration while its objects are held. Returns the objects that were added then.
std::vector<std::string> reconfigure(Bench& bench, const std::function<void(InstanceConfig&)>& change) {
  std::vector<std::string> added;
  bench.node.kernel.refuse = [&](const KernelObject& object) {
    added.push_back(describe(object));
    return 0;
  };
  bench.reconfigure(change);
  bench.node.kernel.catch_up();
  bench.run_for(seconds(1));
  bench.node.kernel.refuse = [](const KernelObject&) { return 0; };
  return added;
}

/// Settings with a single burst of announcements after a takeover.
void with_one_burst(InstanceConfig& instance) {
  with_routing(instance);
  instance.announce = {.count = 2, .again_after = Duration::zero(), .refresh = Duration::zero()};
}

}  // namespace

TEST_CASE("AddressOwner: a changed configuration adds and announces what is new, and nothing else") {
  Bench bench(with_one_burst);
  bench.claim();
  look(bench);
  bench.run_for(seconds(10));
  bench.node.wire.announced.clear();
  SimKernel& kernel = bench.node.kernel;
  SECTION("nothing") {
    CHECK(reconfigure(bench, [](InstanceConfig&) {}).empty());
  }
  SECTION("an address: with a burst of its own") {
    const auto added = reconfigure(bench, [](InstanceConfig& instance) {
      instance.addresses.insert(instance.addresses.begin(), {{.prefix = {*IpAddress::parse("192.0.2.11"), 24}}});
    });
    CHECK(added == std::vector<std::string>{"192.0.2.11/24 on eth0"});
    const auto expected = gratuitous_arp(kernel.real()->mac, *IpAddress::parse("192.0.2.11"));
    REQUIRE(bench.node.wire.announced.size() == 2);
    for (const auto& [time, frame] : bench.node.wire.announced) CHECK(std::ranges::equal(frame, expected));
    CHECK(bench.announced() == std::vector{milliseconds(10'020), milliseconds(10'040)});
    bench.owner->release();
    CHECK_FALSE(kernel.has(*IpAddress::parse("192.0.2.11")));
  }
  SECTION("a route, and one that goes") {
    const auto added = reconfigure(bench, [](InstanceConfig& instance) {
      instance.routes = {VirtualRoute{{.to = {*IpAddress::parse("10.0.0.0"), 8}, .type = RouteType::blackhole}}};
    });
    CHECK(added == std::vector<std::string>{"route blackhole 10.0.0.0/8"});
    CHECK(bench.node.wire.announced.empty());
    REQUIRE(kernel.real_routes_.size() == 1);
    CHECK(kernel.real_routes_.begin()->type == RouteType::blackhole);
  }
  SECTION("what leaves the machine as it is") {
    const auto added = reconfigure(bench, [](InstanceConfig& instance) {
      instance.addresses[0].interface = "eth0";  // the interface on which it is anyway
      instance.addresses[0].advertised = false;
      instance.routes[0].interface = "eth0";
    });
    CHECK(added.empty());
    CHECK(kernel.has(kVip));
  }
  SECTION("the settings of announcements") {
    CHECK(reconfigure(bench, [](auto& instance) { instance.announce.refresh = seconds(5); }).empty());
    CHECK(bench.node.wire.announced.empty());
    bench.run_for(seconds(12));
    CHECK(bench.announced().size() == 2);
  }
}

TEST_CASE("AddressOwner: a length that was found at the claim stays while the address is held") {
  Bench bench([](InstanceConfig& instance) {
    with_one_burst(instance);
    instance.addresses = {{{.prefix = {kVip, 0}}}};
  });
  bench.claim();
  look(bench);
  auto& addresses = bench.node.kernel.real()->addresses;
  std::erase_if(addresses, [](const auto& each) { return each.second.tag != kKernelTag; });
  bench.node.kernel.catch_up();
  REQUIRE(addresses.contains({kVip, 24}));
  CHECK(reconfigure(bench, [](InstanceConfig& instance) { instance.announce.gap = milliseconds(5); }).empty());
  CHECK(addresses.contains({kVip, 24}));
  CHECK(reconfigure(bench, [](InstanceConfig& instance) { instance.addresses[0].prefix.length = 25; }) ==
        std::vector<std::string>{"192.0.2.10/25 on eth0",  // the last address: the kernel has removed the route with it
                                 "route 198.51.100.0/24 via 192.0.2.1 dev eth0"});
  CHECK_FALSE(addresses.contains({kVip, 24}));
}

TEST_CASE("AddressOwner: an address that something else gives to the node is neither added nor announced") {
  Bench bench([](InstanceConfig& config) { config.addresses[0].assigned = false; });
  bench.claim();
  bench.run_for(seconds(10));
  CHECK_FALSE(bench.node.kernel.has(kVip));
  CHECK(bench.announced().empty());
  CHECK(bench.owner->entries().empty());
  CHECK_FALSE(bench.owner->failure());
}

namespace {

/// A claim on a machine on which 16 objects take 2.5 ms: all 300 are announced after 45 ms.
void claim_slowly(Bench& bench) {
  bench.claim();
  while (bench.owner->adding()) {
    bench.world.run_for(microseconds(2500));
    bench.owner->on_deadline(bench.world.now);
  }
}

/// Holds everything for a while, so the view knows it.
void hold(Bench& bench) {
  claim_slowly(bench);
  bench.run_for(seconds(10));
  bench.node.kernel.catch_up();
}

Bench bench_of(int count) {
  return Bench([count](InstanceConfig& instance) {
    with_routing(instance);
    instance.addresses = many(count);
  });
}

std::size_t held(Bench& bench) { return bench.node.kernel.real()->addresses.size() - 2; }  // the node has two

}  // namespace

TEST_CASE(
    "AddressOwner: what a peer takes over goes in order, at a quarter of the speed of our own claim, if the peer is "
    "not heard (F12)") {
  Bench bench = bench_of(300);
  hold(bench);
  std::vector<std::pair<Duration, KernelObject>> gone;
  const TimePoint since = bench.world.now;
  bench.node.kernel.keep = [&](const KernelObject& object) {
    gone.emplace_back(bench.world.now - since, object);
    return 0;
  };
  bench.owner->let_go(bench.world.now);
  CHECK_FALSE(bench.owner->holding());
  CHECK_FALSE(bench.owner->clear());
  CHECK(gone.empty());
  bench.run_for(seconds(1));
  REQUIRE(gone.size() == 302);
  const auto wanted = objects_of(*bench.config, bench.node.kernel.view());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO(i);
    const auto is_it = [&](const auto& each) { return each.second == wanted[i]; };
    const auto it = std::ranges::find_if(gone, is_it);
    REQUIRE(it != gone.end());
    CHECK(it->first >= microseconds(180'000) * (i + 1) / 302 - microseconds(1));
    CHECK(it->first <= microseconds(180'000) * (i + 16) / 302 + microseconds(1));
  }
  CHECK(std::holds_alternative<RouteObject>(gone[300].second));
  CHECK(std::holds_alternative<RuleObject>(gone[301].second));
  CHECK(held(bench) == 0);
  CHECK(bench.owner->clear());
  CHECK(bench.owner->deadline() == kNever);
}

TEST_CASE("AddressOwner: thousands go in turns after a fault as well, without a pause and in order (F12)") {
  Bench bench = bench_of(3000);
  hold(bench);
  std::vector<KernelObject> gone;
  bench.node.kernel.keep = [&](const KernelObject& object) { return gone.push_back(object), 0; };
  bench.owner->release();
  CHECK_FALSE(bench.owner->holding());
  CHECK_FALSE(bench.owner->clear());
  while (!bench.owner->clear()) {
    const std::size_t before = gone.size();
    REQUIRE(bench.owner->deadline() <= bench.world.now);
    bench.owner->on_deadline(bench.world.now);
    REQUIRE(gone.size() > before);
    REQUIRE(gone.size() <= before + 16);
  }
  CHECK(gone == objects_of(*bench.config, bench.node.kernel.view()));
  CHECK(held(bench) == 0);
  CHECK(bench.owner->deadline() == kNever);
}

TEST_CASE("AddressOwner: few objects go at once when a peer takes over, and so do those with a virtual MAC") {
  Bench bench([](InstanceConfig& instance) { instance.addresses = many(64); });
  hold(bench);
  bench.owner->let_go(bench.world.now);
  CHECK(held(bench) == 0);
  CHECK(bench.owner->clear());
  Bench other([](InstanceConfig& instance) {
    instance.addresses = many(300);
    instance.virtual_mac = true;
  });
  REQUIRE(other.owner->prepare());
  other.claim();
  other.run_for(seconds(1));
  other.owner->let_go(other.world.now);
  CHECK(other.owner->clear());
  CHECK_FALSE(other.node.kernel.real("vrrp4.51.eth0")->up);
}

TEST_CASE("AddressOwner: all are gone after five seconds, however slow our own claim was") {
  Bench bench([](InstanceConfig& instance) {
    instance.addresses = many(300);
    instance.announce.delay = seconds(20);  // part of the claim: clients use the old holder until then
  });
  bench.claim();
  bench.run_for(seconds(30));
  bench.node.kernel.catch_up();
  bench.owner->let_go(bench.world.now);
  bench.run_for(milliseconds(4990));
  CHECK(held(bench) > 0);
  bench.run_for(milliseconds(10));
  CHECK(held(bench) == 0);
}

TEST_CASE("AddressOwner: an address goes when the peer has announced it, or one behind it (F12)") {
  Bench bench = bench_of(300);
  hold(bench);
  const auto address = [](std::size_t nth) { return many(300)[nth].prefix.address; };
  bench.owner->let_go(bench.world.now);
  CHECK(bench.owner->deadline() > bench.world.now);
  bench.owner->note_taken(address(99), bench.world.now);
  bench.run_for(Duration::zero());
  CHECK(held(bench) <= 200);
  CHECK(held(bench) > 200 - 16);
  const std::size_t left = held(bench);
  SECTION("a busy peer has time") {
    bench.run_for(milliseconds(199));
    CHECK(held(bench) == left);
    bench.owner->note_taken(address(150), bench.world.now);
    bench.run_for(milliseconds(199));
    CHECK(held(bench) > 150 - 16);
    CHECK(held(bench) <= 150);
  }
  SECTION("a peer that says no more is not waited for") {
    bench.run_for(milliseconds(400));
    CHECK(held(bench) == 0);
    CHECK(bench.owner->clear());
  }
  SECTION("a second announcement of an earlier one is no news") {
    bench.owner->note_taken(address(5), bench.world.now);
    bench.run_for(Duration::zero());
    CHECK(held(bench) == left);
  }
  SECTION("whatever is announced, all are gone after five seconds") {
    for (std::size_t nth = 101; nth < 150 && bench.owner->letting_go(); ++nth) {
      bench.owner->note_taken(address(nth), bench.world.now);
      bench.run_for(milliseconds(150));
    }
    CHECK(held(bench) == 0);
  }
}

TEST_CASE("AddressOwner: a peer that adds its addresses in another order is not followed (F12)") {
  Bench bench = bench_of(3000);
  hold(bench);
  bench.owner->let_go(bench.world.now);
  bench.owner->note_taken(many(3000).back().prefix.address, bench.world.now);
  bench.run_for(Duration::zero());
  CHECK(held(bench) == 3000);
}

TEST_CASE("AddressOwner: while it lets go, nothing is put back, announced or taken for a stray") {
  Bench bench = bench_of(300);
  hold(bench);
  bench.owner->let_go(bench.world.now);
  bench.run_for(milliseconds(15));
  REQUIRE(held(bench) < 300);
  bench.node.wire.announced.clear();
  bench.owner->contested(milliseconds(1), bench.world.now);
  SimKernel& kernel = bench.node.kernel;
  int added = 0;
  kernel.refuse = [&](const KernelObject&) { return ++added, 0; };
  const IpAddress last = many(300).back().prefix.address;
  std::erase_if(kernel.real()->addresses, [&](const auto& each) { return each.first.address == last; });
  kernel.catch_up();
  const std::size_t before = held(bench);
  bench.owner->reconcile(bench.world.now);
  CHECK(held(bench) == before);
  bench.run_for(seconds(2));
  CHECK(added == 0);
  CHECK(bench.node.wire.announced.empty());
  CHECK(held(bench) == 0);
  CHECK(bench.owner->clear());
}

TEST_CASE("AddressOwner: a claim while it lets go takes back what is gone, and the rest never leaves") {
  Bench bench = bench_of(300);
  hold(bench);
  bench.owner->let_go(bench.world.now);
  bench.run_for(milliseconds(15));
  const std::size_t left = held(bench);
  REQUIRE(left < 300);
  int removed = 0;
  bench.node.kernel.keep = [&](const KernelObject&) { return ++removed, 0; };
  bench.node.wire.announced.clear();
  bench.claim();
  CHECK(bench.owner->holding());
  CHECK(held(bench) >= left);
  bench.run_for(seconds(10));
  CHECK(removed == 0);
  CHECK(held(bench) == 300);
  CHECK_FALSE(bench.owner->failure());
  for (const auto& entry : bench.owner->entries()) CHECK((entry.owned && !entry.foreign));
  CHECK(bench.node.wire.announced.size() >= 300 * 5U);
}

TEST_CASE("AddressOwner: a fault while it lets go takes the rest at once, a reload what it no longer names") {
  Bench bench([](InstanceConfig& instance) {
    instance.addresses = many(300);
    instance.accept = false;
  });
  SimKernel& kernel = bench.node.kernel;
  REQUIRE(bench.owner->prepare());
  hold(bench);
  CHECK_FALSE(bench.owner->failure());
  REQUIRE(held(bench) == 300);
  bench.owner->let_go(bench.world.now);
  CHECK(bench.owner->letting_go());
  bench.run_for(milliseconds(15));
  CHECK(bench.owner->letting_go());
  CHECK(held(bench) == 300 - 16);
  REQUIRE(bench.owner->prepare());  // as the router does before it examines the interface
  CHECK(kernel.refused.size() == 300);
  SECTION("fault") {
    bench.owner->release();
    CHECK(bench.owner->deadline() <= bench.world.now);
    bench.run_for(Duration::zero());
    CHECK(held(bench) == 0);
    CHECK(bench.owner->clear());
  }
  SECTION("reload") {
    bench.reconfigure([](InstanceConfig& instance) { instance.addresses = many(299); });
    CHECK_FALSE(kernel.has(many(300).back().prefix.address));
    CHECK(kernel.has(many(299).back().prefix.address));
    CHECK(kernel.refused.size() == 299);
    bench.run_for(seconds(1));
    CHECK(held(bench) == 0);
  }
  CHECK(kernel.refused.empty());
}

TEST_CASE("AddressOwner: each of many addresses is announced for the first time before any is for the second") {
  Bench bench([](InstanceConfig& instance) { instance.addresses = many(3000); });
  claim_slowly(bench);
  bench.run_for(seconds(1));
  std::set<std::vector<std::uint8_t>> different;
  const auto& announced = bench.node.wire.announced;
  for (std::size_t i = 0; i < 3000; ++i) different.insert(announced[i].second);
  CHECK(different.size() == 3000);
}

namespace {

const IpAddress kVip6 = *IpAddress::parse("2001:db8::10");

/// A node whose kernel runs duplicate address detection. The advert interval is a second.
struct Detecting : Bench {
  Detecting()
      : Bench([](InstanceConfig& instance) { instance.addresses = {{{.prefix = {kVip6, 64}, .nodad = false}}}; }) {
    node.kernel.refuse = [this](const KernelObject&) {
      added.push_back(world.now);
      return 0;
    };
  }
  /// Lets time pass; the owner examines the kernel at each change, as in the daemon.
  void live(Duration duration) {
    for (const TimePoint end = world.now + duration; world.now < end;) {
      run_for(milliseconds(10));
      owner->reconcile(world.now);
    }
  }
  bool present() const { return owner->present(owner->entries().front()); }

  std::vector<TimePoint> added;
};

}  // namespace

TEST_CASE("AddressOwner: F22: an address is present and announced when duplicate detection has ended, not before") {
  Detecting bench;
  bench.claim();
  bench.live(milliseconds(250));
  CHECK_FALSE(bench.present());
  CHECK(bench.announced().empty());
  CHECK(bench.owner->trouble(bench.owner->entries().front()) == "duplicate address detection goes on");
  bench.live(milliseconds(750));
  CHECK(bench.present());
  CHECK_FALSE(bench.owner->trouble(bench.owner->entries().front()));
  CHECK(bench.announced().size() == 5);
  CHECK(bench.announced().front() >= milliseconds(300));
  CHECK(bench.announced().front() <= milliseconds(330));
  CHECK(bench.added.size() == 1);
}

TEST_CASE("AddressOwner: F22: what the old holder has not let go yet is asked for again, once an advert interval") {
  Detecting bench;
  bench.node.kernel.held_elsewhere = {kVip6};
  bench.claim();
  bench.live(milliseconds(2500));
  CHECK_FALSE(bench.present());
  CHECK_FALSE(bench.owner->failure());
  CHECK(bench.announced().empty());
  CHECK(bench.added.size() >= 3);
  for (std::size_t i = 2; i < bench.added.size(); ++i) CHECK(bench.added[i] - bench.added[i - 1] >= seconds(1));
  bench.node.kernel.held_elsewhere.clear();
  bench.live(seconds(2));
  CHECK(bench.present());
  CHECK_FALSE(bench.owner->failure());
  CHECK(bench.announced().size() == 5);
  CHECK(bench.owner->entries().front().owned);
  bench.owner->release();
  CHECK_FALSE(bench.node.kernel.has(kVip6));
}

TEST_CASE(
    "AddressOwner: F22: what another host keeps is a failure that names it, four advert intervals after the claim") {
  Detecting bench;
  bench.node.kernel.held_elsewhere = {kVip6};
  const bool foreign = GENERATE(false, true);
  if (foreign) {
    bench.node.kernel.real()->addresses[{kVip6, 64}] = {.usable = false, .duplicate = true};
    bench.node.kernel.catch_up();
  }
  bench.claim();
  bench.live(milliseconds(3900));
  CHECK_FALSE(bench.owner->failure());
  bench.live(milliseconds(2000));
  CHECK(bench.owner->failure() == "2001:db8::10/64 is used by another host (duplicate address detection)");
  CHECK_FALSE(bench.present());
  CHECK(bench.announced().empty());
  bench.owner->release();
  CHECK(bench.node.kernel.has(kVip6) == foreign);
  bench.node.kernel.held_elsewhere.clear();
  if (foreign) return;
  bench.claim();
  bench.live(seconds(1));
  CHECK(bench.present());
}

TEST_CASE("AddressOwner: F22: one that is put back is announced when it is usable again") {
  Detecting bench;
  bench.claim();
  bench.live(seconds(1));
  bench.node.kernel.others_remove("eth0", {kVip6, 64});
  const std::size_t before = bench.announced().size();
  bench.live(milliseconds(200));
  CHECK_FALSE(bench.present());
  CHECK(bench.announced().size() == before);
  bench.live(seconds(1));
  CHECK(bench.present());
  CHECK(bench.announced().size() >= before + 5);
}

TEST_CASE("AddressOwner: F22: an address on a device that is down is not present") {
  Bench bench;
  bench.claim();
  bench.run_for(milliseconds(10));
  CHECK(bench.owner->present(bench.owner->entries().front()));
  bench.node.kernel.real()->up = false;
  bench.node.kernel.catch_up();
  CHECK_FALSE(bench.owner->present(bench.owner->entries().front()));
  CHECK(bench.owner->trouble(bench.owner->entries().front()) == "its interface is down");
}

TEST_CASE("AddressOwner: F5: an address without a length on a user's macvlan has that of the macvlan's own subnet") {
  Bench bench;
  SimKernel& kernel = bench.node.kernel;
  kernel.add_macvlan(kernel.real()->index, "sub0", {{2, 0, 0, 0, 0, 9}}, "");  // eth0 has 192.0.2.1/24
  kernel.others_add("sub0", {*IpAddress::parse("192.0.2.7"), 28});
  kernel.catch_up();
  const bool virtual_mac = GENERATE(false, true);
  bench.reconfigure([&](InstanceConfig& instance) {
    instance.interface = "sub0";
    instance.addresses = {{{.prefix = {kVip, 0}}}};
    instance.virtual_mac = virtual_mac;
  });
  AddressOwner owner(kernel, bench.node.wire, bench.config);
  REQUIRE(owner.prepare());
  owner.claim(bench.world.now);
  REQUIRE_FALSE(owner.failure());
  const auto& held = std::get<AddressObject>(owner.entries().front().object);
  CHECK(held.prefix.length == 28);
  CHECK(held.prefix_route == !virtual_mac);
}
