// Checks in virtual time: programs that answer after a while, the Supervisor, and the holder of the address.
#include <algorithm>

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

/// A node whose service can be killed: only its check depends on it.
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
