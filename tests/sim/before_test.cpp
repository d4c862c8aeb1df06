// hooks.before_active and hooks.before_release in virtual time: how long the router waits, and what withdraws the
// question. Also flap_limit.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

constexpr const char* kPromote = "/etc/vipd/hooks/promote";
constexpr const char* kDrain = "/etc/vipd/hooks/drain";
constexpr Duration kWork = milliseconds(300);  ///< how long each hook runs, unless a test says otherwise

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

/// Runs until `what` holds, for `bound` at most. Returns how long that took.
Duration time_until(World& world, Duration bound, const std::function<bool()>& what) {
  const TimePoint begin = world.now;
  while (!what() && world.now < begin + bound) world.run_for(milliseconds(1));
  CHECK(what());
  return world.now - begin;
}

}  // namespace

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
