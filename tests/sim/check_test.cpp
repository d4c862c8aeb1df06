// Checks, in virtual time: programs that answer after a while, the Supervisor that asks them, and who has the address.
#include <algorithm>
#include <set>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

CheckConfig app_check() {
  CheckConfig check;
  check.name = "app";
  check.kind = CommandCheck{{"/usr/bin/app"}};
  check.rules.interval = milliseconds(500);
  check.rules.timeout = milliseconds(400);
  return check;
}

Config config_with(std::uint8_t priority, const std::vector<CheckConfig>& checks, bool preempt = true) {
  Config config;
  config.instances.push_back(web_instance(priority));
  config.instances[0].preempt = preempt;
  config.checks = checks;
  for (const CheckConfig& check : checks) config.instances[0].checks.push_back(check.name);
  return config;
}

/// A node whose service can be killed: its check and nothing else depends on it.
struct Service {
  explicit Service(World& world, const Config& config) : node(world.add_node(config)) { start(); }
  void start() {
    node.start();
    node.runner->outcome = [this](const Command& command) {
      return Outcome{.exit_status = command.label.starts_with("check ") && !works ? 1 : 0};
    };
    node.runner->duration = [] { return Duration(milliseconds(10)); };
  }
  Node& node;
  bool works = true;
};

}  // namespace

TEST_CASE("sim check: a service that dies moves the address after fall runs and the skew, and its return does not") {
  World world(seed_from_environment(1));
  const auto other = static_cast<std::uint8_t>(GENERATE(253, 100));
  Service first(world, config_with(254, {app_check()}, false)), second(world, config_with(other, {app_check()}, false));
  world.run_for(milliseconds(10'300));
  REQUIRE(first.node.active());
  first.works = false;
  const TimePoint died = world.now;
  while (!second.node.kernel.has(kVip) && world.now - died < seconds(20)) world.run_for(milliseconds(1));
  CHECK(world.now - died <= 2 * milliseconds(500) + milliseconds(15) + skew_time(other, kInterval) + milliseconds(2));
  world.run_for(seconds(1));
  CHECK_FALSE(first.node.kernel.has(kVip));
  CHECK(first.node.router().reason().ends_with("; unfit: check app failed: exit status 1"));
  first.works = true;
  const auto before = transitions(world);
  world.run_for(seconds(600));
  CHECK(second.node.active());
  CHECK(first.node.router().standing().fit());
  CHECK(transitions(world) == before);
  CHECK(first.node.router().reason().find("unfit") == std::string::npos);
}

TEST_CASE("sim check: the reason that is shown says why a router is unfit now, and nothing of it once it is fit") {
  World world(seed_from_environment(6));
  CheckConfig disk = app_check();
  disk.name = "disk";
  std::set<std::string> broken;
  Service first(world, config_with(254, {app_check()}, false)), second(world, config_with(253, {app_check(), disk}));
  second.node.runner->outcome = [&](const Command& command) {
    return Outcome{.exit_status = broken.contains(command.label) ? 1 : 0};
  };
  const auto reason = [&] { return second.node.router().reason(); };
  const std::string started = "started, listening with priority 1";
  CHECK(reason() == started + "; unfit: check app has no result yet");
  world.run_for(seconds(5));
  CHECK(reason() == started);
  broken = {"check app"};
  world.run_for(seconds(5));
  CHECK(reason() == started + "; unfit: check app failed: exit status 1");
  broken = {"check disk"};
  world.run_for(seconds(5));
  CHECK(reason() == started + "; unfit: check disk failed: exit status 1");
  broken = {};
  world.run_for(seconds(5));
  CHECK(reason() == started);
}

TEST_CASE("sim check: a lone node is fit long before it becomes Active, and says nothing of having been unfit") {
  World world(seed_from_environment(2));
  Service lone(world, config_with(254, {app_check()}));
  CHECK_FALSE(lone.node.router().standing().fit());
  world.run_for(milliseconds(50));
  CHECK(lone.node.router().standing().fit());
  world.run_for(active_down_interval(254, kInterval));
  CHECK(lone.node.active());
  std::vector<std::string> said;
  for (const auto& event : lone.node.supervisor->events().transitions()) said.push_back(event.reason);
  CHECK(said.size() == 3);
  CHECK(said.at(1) == "fit");
}

TEST_CASE("sim check: a lone node whose service is dead is Active all the same") {
  World world(seed_from_environment(3));
  Service lone(world, config_with(254, {app_check()}));
  lone.works = false;
  world.run_for(active_down_interval(1, kInterval) + milliseconds(20));
  CHECK(lone.node.active());
  CHECK(lone.node.router().standing().effective_priority() == 1);
}

TEST_CASE("sim check: on_fail = fault takes both out when both are dead, and brings the first back") {
  World world(seed_from_environment(4));
  CheckConfig check = app_check();
  check.rules.on_fail.effect = OnFail::Effect::fault;
  Service first(world, config_with(254, {check})), second(world, config_with(253, {check}));
  world.run_for(milliseconds(10'300));
  first.works = second.works = false;
  world.run_for(seconds(5));
  CHECK(world.holders() == 0);
  CHECK(first.node.router().shown() == ShownState::fault);
  CHECK(first.node.router().reason() == "check app failed: exit status 1");
  second.works = true;
  world.run_for(seconds(6));
  CHECK(second.node.active());
}

TEST_CASE("sim check: a weight moves the address in the election's own time, and back") {
  World world(seed_from_environment(5));
  CheckConfig check = app_check();
  check.rules.on_fail = {OnFail::Effect::weight, -20};
  Service first(world, config_with(110, {check})), second(world, config_with(100, {check}));
  world.run_for(milliseconds(10'300));
  REQUIRE(first.node.active());
  first.works = false;
  world.run_for(seconds(6));
  CHECK(second.node.active());
  CHECK(first.node.router().standing().effective_priority() == 90);
  first.works = true;
  world.run_for(seconds(6));
  CHECK(first.node.active());
}

TEST_CASE("sim check: a runner that answers no more changes nothing but the age of the verdict") {
  World world(seed_from_environment(6));
  Service first(world, config_with(254, {app_check()})), second(world, config_with(253, {app_check()}));
  world.run_for(milliseconds(10'300));
  const auto before = transitions(world);
  first.node.runner->duration = [] { return Duration(std::chrono::hours(24)); };
  world.run_for(seconds(3));
  CHECK(first.node.supervisor->checks().find("app")->is_stale(world.now));
  CHECK(first.node.router().standing().fit());
  CHECK(transitions(world) == before);
}

TEST_CASE("sim check: reloads that bring, change and drop checks move nothing until a result does") {
  World world(seed_from_environment(7));
  Service first(world, config_with(254, {})), second(world, config_with(253, {}));
  world.run_for(milliseconds(10'300));
  const auto before = transitions(world);
  const std::size_t adverts = world.adverts.size();
  first.node.apply(config_with(254, {app_check()}));
  CHECK(first.node.router().standing().fit());
  world.run_for(seconds(2));
  CheckConfig changed = app_check();
  changed.kind = CommandCheck{{"/usr/bin/another"}};
  first.node.apply(config_with(254, {changed}));
  CHECK(first.node.router().standing().fit());
  world.run_for(seconds(2));
  CHECK(transitions(world) == before);
  CHECK(std::ranges::all_of(world.adverts.begin() + static_cast<std::ptrdiff_t>(adverts), world.adverts.end(),
                            [](const SentAdvert& advert) { return advert.priority == 254; }));
  first.works = false;
  world.run_for(seconds(3));
  CHECK(second.node.active());
  first.node.apply(config_with(254, {}));
  CHECK(first.node.router().standing().fit());
  world.run_for(seconds(6));
  CHECK(first.node.active());
}

TEST_CASE("sim check: one check for two instances is run once, and both hear of it") {
  World world(seed_from_environment(8));
  Config config = config_with(254, {app_check()});
  InstanceConfig other = config.instances[0];
  other.name = "other";
  other.vrid = 52;
  other.addresses.front().prefix.address = *IpAddress::parse("192.0.2.11");
  config.instances.push_back(other);
  Service lone(world, config);
  world.run_for(seconds(10));
  const auto runs = std::ranges::count(lone.node.runner->started, "check app", &Command::label);
  CHECK(runs >= 20);
  CHECK(runs <= 21);
  lone.works = false;
  world.run_for(seconds(2));
  for (const auto& router : lone.node.supervisor->routers()) CHECK(router->standing().effective_priority() == 1);
}
