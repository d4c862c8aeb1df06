// hooks.before_active and hooks.before_release, in virtual time: what is waited for, for how long, and what makes the
// question void. And flap_limit.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

constexpr const char* kPromote = "/etc/vipd/hooks/promote";
constexpr const char* kDrain = "/etc/vipd/hooks/drain";
constexpr Duration kWork = milliseconds(300);  ///< how long each of them runs, if a test does not say another

void with_hooks(InstanceConfig& config) {
  config.hooks.before_active = {kPromote};
  config.hooks.before_release = {kDrain};
  config.hooks.any = {"/any"};
}

void work_for(Node& node, Duration duration) {
  node.runner->duration = [duration] { return duration; };
}

/// Two nodes, 254 and 253, started ten seconds ago.
std::pair<Node&, Node&> settled_pair(World& world, const std::function<void(InstanceConfig&)>& adjust = with_hooks) {
  for (const std::uint8_t priority : {std::uint8_t{254}, std::uint8_t{253}}) {
    Node& node = world.add_node(priority, adjust);
    node.start();
    work_for(node, kWork);
  }
  world.run_for(seconds(10));
  return {*world.nodes[0], *world.nodes[1]};
}

std::ptrdiff_t calls(const Node& node, const std::string& program) {
  return std::ranges::count_if(node.runner->started, [&](const Command& one) { return one.arguments[0] == program; });
}

/// Runs until `what` holds, for `bound` at most; how long that took.
Duration time_until(World& world, Duration bound, const std::function<bool()>& what) {
  const TimePoint begin = world.now;
  while (!what() && world.now < begin + bound) world.run_for(milliseconds(1));
  CHECK(what());
  return world.now - begin;
}

}  // namespace

TEST_CASE("before_active: the hook has ended before the address is there, and costs its own time and no more") {
  World world(seed_from_environment(61));
  auto [first, second] = settled_pair(world);
  CHECK(first.active());
  CHECK(calls(first, kPromote) == 1);
  CHECK(calls(second, kPromote) == 0);
  first.power_off();
  time_until(world, seconds(5), [&] { return calls(second, kPromote) == 1; });
  CHECK_FALSE(second.kernel.has(kVip));
  CHECK(second.router().shown() == ShownState::backup);
  CHECK(second.router().reason().find("; waits for hooks.before_active, 2s at most") != std::string::npos);
  const Command& asked = second.runner->started.back();
  CHECK(std::ranges::count(asked.environment, "VIPD_STATE=before_active") == 1);
  CHECK(std::ranges::count(asked.environment, "VIPD_OLD_STATE=backup") == 1);
  CHECK(asked.timeout == seconds(2));
  const Duration took = time_until(world, seconds(5), [&] { return second.active(); });
  CHECK(took <= kWork + milliseconds(2));
  CHECK(took >= kWork - milliseconds(2));
  CHECK(second.kernel.has(kVip));
}

TEST_CASE("before_active: who does not answer or fails is not waited for, or keeps the node in fault") {
  World world(seed_from_environment(62));
  const bool resigns = GENERATE(false, true);
  const bool hangs = GENERATE(false, true);
  CAPTURE(resigns, hangs);
  auto [first, second] = settled_pair(world, [&](InstanceConfig& config) {
    with_hooks(config);
    if (resigns) config.hooks.before_active_failure = HookFailure::resign;
  });
  second.runner->outcome = [&](const Command& command) {
    return Outcome{.exit_status = command.arguments[0] == kPromote && !hangs ? 3 : 0};
  };
  second.runner->duration = [&] { return hangs ? Duration(seconds(20)) : kWork; };
  first.power_off();
  const auto moved = [&] { return second.router().shown() != ShownState::backup; };
  const Duration down = active_down_interval(253, kInterval);
  CHECK(time_until(world, seconds(10), moved) <= down + (hangs ? Duration(seconds(2)) : kWork) + kSlack);
  CHECK(second.active() == !resigns);
  CHECK(second.kernel.has(kVip) == !resigns);
  if (!resigns) return;
  CHECK(second.router().shown() == ShownState::fault);
  CHECK(second.router().reason() ==
        (hangs ? "hooks.before_active: did not end in time" : "hooks.before_active: exit status 3 after 0ms"));
  second.runner->outcome = [](const Command&) { return Outcome{}; };
  work_for(second, kWork);
  world.run_for(seconds(30) + down + kWork + kSlack + (hangs ? seconds(20) : seconds(0)));
  CHECK(second.active());
}

TEST_CASE("before_active: a peer that comes back in the meantime keeps the address, and the hook hears of it") {
  World world(seed_from_environment(63));
  auto [first, second] = settled_pair(world);
  work_for(second, seconds(1) + milliseconds(900));
  const auto before = second.router().counters().transitions;
  world.connect(0, 1, false);
  time_until(world, seconds(5), [&] { return calls(second, kPromote) == 1; });
  world.connect(0, 1, true);
  world.run_for(seconds(1) + kSlack);
  CHECK(second.router().reason() == "was about to take over, but heard 192.0.2.1 (priority 254)");
  world.run_for(seconds(10));
  CHECK(first.active());
  CHECK(second.router().shown() == ShownState::backup);
  CHECK(second.router().counters().transitions == before);
  const Command& last = second.runner->started.back();
  CHECK(last.arguments == std::vector<std::string>{"/any", "INSTANCE", "web", "BACKUP", "253"});
  CHECK(calls(second, kPromote) == 1);
}

TEST_CASE("before_active: a stop, a fault and a reload in the meantime are not held up") {
  World world(seed_from_environment(64));
  auto [first, second] = settled_pair(world);
  work_for(second, seconds(1));
  first.power_off();
  time_until(world, seconds(5), [&] { return calls(second, kPromote) == 1; });
  SECTION("stop") {
    second.stop();
    CHECK(second.router().shown() == ShownState::initialize);
    world.run_for(seconds(1) + milliseconds(500));  // the first one has not been waited for
    CHECK(second.runner->started.back().arguments[3] == "STOP");
  }
  SECTION("fault") {
    second.kernel.real()->running = false;
    second.kernel.changed();
    world.run_for(milliseconds(1));
    CHECK(second.router().shown() == ShownState::fault);
  }
  SECTION("a reload without the hook") {
    Config config = second.config;
    config.instances[0].hooks.before_active.clear();
    second.apply(config);
    world.run_for(milliseconds(1));
    CHECK(second.active());
  }
  world.run_for(seconds(5));
  CHECK(second.kernel.has(kVip) == second.active());
}

TEST_CASE("before_active: of two that start together one is asked; it is heard before it has the address") {
  World world(seed_from_environment(69));
  auto [first, second] = settled_pair(world);
  CHECK(calls(first, kPromote) == 1);
  CHECK(calls(second, kPromote) == 0);
  CHECK(second.router().peers().peers().size() == 1);
  work_for(second, milliseconds(1500));
  first.power_off();
  time_until(world, seconds(5), [&] { return calls(second, kPromote) == 1; });
  first.start();  // and hears that somebody is there
  CHECK(time_until(world, seconds(5), [&] { return second.active(); }) <= milliseconds(1502));
  CHECK(calls(first, kPromote) == 0);
}

TEST_CASE("before_active: a node in fault takes back what it has said while it was asked") {
  World world(seed_from_environment(70));
  auto [first, second] = settled_pair(world, [](InstanceConfig& config) {
    with_hooks(config);
    config.hooks.before_active_failure = HookFailure::resign;
  });
  Node& third = world.add_node(100, with_hooks);
  third.start();
  work_for(third, kWork);
  world.run_for(seconds(5));
  second.runner->outcome = [](const Command&) { return Outcome{.exit_status = 1}; };
  first.power_off();
  time_until(world, seconds(5), [&] { return second.router().shown() == ShownState::fault; });
  CHECK(world.adverts.back().priority == 0);
  CHECK(time_until(world, seconds(5), [&] { return third.active(); }) <= skew_time(100, kInterval) + kWork + kSlack);
}

TEST_CASE("before_active: who wants to go keeps the addresses until the hook has ended, whatever preempt says") {
  World world(seed_from_environment(71));
  const bool preempt = GENERATE(true, false);
  CAPTURE(preempt);
  auto [first, second] = settled_pair(world, [&](InstanceConfig& config) {
    config.preempt = preempt;
    config.checks = {"service"};
    config.hooks.before_active = {kPromote};
    config.hooks.before_active_timeout = seconds(10);
  });
  work_for(second, seconds(6));
  bool hole = false;
  world.after_each = [&] { hole = hole || world.holders() == 0; };
  SECTION("unfit") {
    first.supervisor->routers().front()->set_health({.fault = {}, .unfit = "service: exit status 1", .weight = 0},
                                                    world.now);
    CHECK(time_until(world, seconds(10), [&] { return second.active(); }) <=
          seconds(6) + skew_time(253, kInterval) + kSlack);
    CHECK(calls(second, kPromote) == 1);
    world.run_for(seconds(2));
    CHECK_FALSE(first.active());
  }
  SECTION("stopped, and the hook takes less than two intervals") {
    work_for(second, milliseconds(1900));
    first.stop();
    world.run_for(seconds(4));
    CHECK(second.active());
    CHECK(calls(second, kPromote) == 1);
  }
  CHECK_FALSE(hole);
}

TEST_CASE("before_release: adverts and address go on until the hook has ended, and the stop leaves no hole") {
  World world(seed_from_environment(65));
  const bool hangs = GENERATE(false, true);
  auto [first, second] = settled_pair(world, [](InstanceConfig& config) {
    with_hooks(config);
    config.hooks.before_active.clear();
    config.hooks.before_release_timeout = seconds(5);
  });
  work_for(first, hangs ? Duration(seconds(60)) : seconds(4));
  bool hole = false;
  world.after_each = [&] { hole = hole || world.holders() == 0; };
  first.stop();
  CHECK(calls(first, kDrain) == 1);
  world.run_for(seconds(4) - milliseconds(10));
  CHECK(first.active());
  CHECK(first.router().stopping());
  CHECK(first.router().reason() == "stopped; waits for hooks.before_release, 5s at most");
  CHECK(std::ranges::count(first.runner->started.back().environment, "VIPD_STATE=before_release") == 1);
  CHECK(time_until(world, seconds(5), [&] { return second.active(); }) <=
        (hangs ? seconds(1) : seconds(0)) + skew_time(253, kInterval) + kSlack);
  world.run_for(seconds(2));
  CHECK_FALSE(hole);
  CHECK_FALSE(first.kernel.has(kVip));
  CHECK(second.active());
}

TEST_CASE("before_release: nobody waits for it in a fault, nor as Backup") {
  World world(seed_from_environment(66));
  auto [first, second] = settled_pair(world);
  work_for(first, seconds(2));
  second.stop();
  CHECK(calls(second, kDrain) == 0);
  world.run_for(seconds(1));
  CHECK_FALSE(second.alive());
  first.stop();
  REQUIRE(calls(first, kDrain) == 1);
  world.run_for(milliseconds(500));
  REQUIRE(first.active());
  first.kernel.real()->running = false;
  first.kernel.changed();
  world.run_for(milliseconds(1));
  CHECK(first.router().shown() == ShownState::fault);
  CHECK_FALSE(first.kernel.has(kVip));
  world.run_for(seconds(6));
  CHECK_FALSE(first.alive());
}

TEST_CASE("before hooks of a sync group: all are asked at once, and all move together after the longest") {
  World world(seed_from_environment(67));
  const auto config_of = [](std::uint8_t priority) {
    Config config;
    SyncGroupConfig group{.name = "edge", .instances = {"lan", "wan"}, .hooks = {}};
    for (const char* name : {"lan", "wan"}) {
      InstanceConfig instance = web_instance(priority);
      const bool wan = std::string(name) == "wan";
      instance.name = name;
      instance.interface = wan ? "eth1" : "eth0";
      instance.addresses[0].prefix.address = *IpAddress::parse(wan ? "198.51.100.10" : "192.0.2.10");
      instance.sync_group = "edge";
      instance.hooks.before_active = {wan ? "/long" : kPromote};
      if (wan) instance.hooks.before_release = {kDrain};
      config.instances.push_back(instance);
    }
    config.sync_groups = {group};
    return config;
  };
  for (const std::uint8_t priority : {std::uint8_t{254}, std::uint8_t{253}}) world.add_node(config_of(priority));
  for (const auto& node : world.nodes) {
    node->start();
    node->runner->duration = [&node] {
      return node->runner->started.back().arguments[0] == "/long" ? Duration(seconds(1)) : kWork;
    };
  }
  Node &first = *world.nodes[0], &second = *world.nodes[1];
  const IpAddress wan_vip = *IpAddress::parse("198.51.100.10");
  bool split = false;
  world.after_each = [&] {
    for (const auto& node : world.nodes)
      if (node->alive()) split = split || node->kernel.has(kVip) != node->kernel.has(wan_vip);
  };
  world.run_for(seconds(10));
  REQUIRE(first.supervisor->groups().front()->shown() == ShownState::active);
  CHECK_FALSE(split);
  CHECK(calls(second, kPromote) == 0);
  SECTION("takeover") {
    world.connect(0, 1, false, "eth0");
    world.run_for(seconds(10));
    CHECK(calls(second, kPromote) == 0);  // in one network it still hears the Active router
    world.connect(0, 1, true, "eth0");
    world.run_for(seconds(2));
    first.power_off();
    time_until(world, seconds(5), [&] { return calls(second, kPromote) == 1; });
    CHECK(calls(second, "/long") == 1);
    world.run_for(seconds(1) - kSlack);
    CHECK_FALSE(second.kernel.has(kVip));
    world.run_for(2 * kSlack);
    CHECK(second.supervisor->groups().front()->shown() == ShownState::active);
    CHECK_FALSE(split);
  }
  SECTION("stop") {
    first.stop();
    world.run_for(kWork - milliseconds(2));
    CHECK(std::ranges::count(world.adverts, 0, &SentAdvert::priority) == 0);  // the other one waits, too
    CHECK(first.kernel.has(kVip));
    CHECK(first.kernel.has(wan_vip));
    world.run_for(seconds(1) + skew_time(253, kInterval) + kSlack);
    CHECK(second.kernel.has(kVip));
    CHECK(second.kernel.has(wan_vip));
    CHECK_FALSE(first.kernel.has(kVip));
    CHECK_FALSE(first.kernel.has(wan_vip));
    world.run_for(seconds(1));
    CHECK_FALSE(first.alive());
  }
}

TEST_CASE("before hooks that take any time and fail at random, through cuts, kills and stops: one holder in the end") {
  const std::uint64_t first_seed = seed_from_environment(7000);
  for (std::uint64_t seed = first_seed; seed < first_seed + 200; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (const std::uint8_t priority : {std::uint8_t{254}, std::uint8_t{200}, std::uint8_t{100}}) {
      Node& node = world.add_node(priority, with_hooks);
      node.start();
    }
    const auto nasty = [&](Node& node) {
      node.runner->duration = [&world] { return world.between({}, world.random() % 4 == 0 ? seconds(9) : seconds(1)); };
      node.runner->outcome = [&world](const Command&) { return Outcome{.exit_status = world.random() % 4 == 0}; };
    };
    for (const auto& node : world.nodes) nasty(*node);
    for (int fault = 0; fault < 30; ++fault) {
      Node& node = *world.nodes[world.random() % 3];
      const std::size_t other = (node.index + 1) % 3;
      switch (world.random() % 4) {
        case 0:
          node.alive() ? node.power_off() : node.start();
          break;
        case 1:
          if (node.alive()) node.stop();
          break;
        case 2:
          world.connect(node.index, other, false);
          break;
        default:
          world.connect(node.index, other, true);
      }
      if (node.alive()) nasty(node);
      world.run_for(world.between({}, seconds(4)));
    }
    for (std::size_t i = 0; i < 3; ++i) world.connect(i, (i + 1) % 3, true);
    world.run_for(seconds(12));
    for (const auto& node : world.nodes)
      if (!node->alive()) node->start();
    world.run_for(seconds(12));
    CHECK(world.holders() == 1);
    CHECK(world.nodes[0]->active());
    for (const auto& node : world.nodes) CHECK(node->runner->most_at_once <= 1);
  }
}

TEST_CASE("flap_limit: who became Active too often leaves a fit node alone, says so, and preempts again when quiet") {
  World world(seed_from_environment(68));
  auto [first, second] = settled_pair(world, [](InstanceConfig& config) {
    config.flap_limit = 3;
    config.flap_window = std::chrono::minutes(10);
  });
  const auto flap = [&] {
    first.kernel.real()->running = false;
    first.kernel.changed();
    world.run_for(seconds(5));
    first.kernel.real()->running = true;
    first.kernel.changed();
    world.run_for(seconds(10));
  };
  for (int i = 0; i < 3; ++i) flap();  // has been Active four times now, with the first one
  CHECK(first.active());
  REQUIRE(first.router().flaps_until() != kNever);
  CHECK(first.supervisor->events().transitions().back().reason ==
        "became Active more than 3 times within 10min: leaves a fit Active router alone until it has been quiet");
  flap();
  CHECK_FALSE(first.active());
  CHECK(second.active());
  for (int i = 0; i < 5; ++i) flap();
  CHECK(second.active());

  SECTION("it is the only one left") {
    second.power_off();
    world.run_for(seconds(5));
    CHECK(first.active());
  }
  SECTION("quiet for long enough") {
    world.run_for(std::chrono::minutes(7));
    CHECK(second.active());
    world.run_for(std::chrono::minutes(3));
    CHECK(first.active());
    const auto& events = first.supervisor->events().transitions();
    CHECK(std::ranges::count(events, "has been quiet, preempts again", &Transition::reason) == 1);
  }
  SECTION("a reload without the limit") {
    Config config = first.config;
    config.instances[0].flap_limit = 0;
    first.apply(config);
    CHECK(first.router().flaps_until() == kNever);
    world.run_for(seconds(5));
    CHECK(first.active());
  }
}
