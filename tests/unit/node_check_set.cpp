// CheckSet: due checks are started, their results are taken, and a reload keeps known states.
#include <algorithm>

#include "support/catch.hpp"
#include "support/election_trace.hpp"
#include "vipd/node/check_set.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

class ListRunner final : public Runner {
 public:
  void run(const Command& command, Done done) override {
    commands.push_back(command);
    waiting.push_back(std::move(done));
  }
  /// Answers the first waiting command.
  void answer(const Outcome& outcome) {
    const Done done = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done(outcome);
  }

  std::vector<Command> commands;
  std::vector<Done> waiting;
};

CheckConfig config(const std::string& name) {
  CheckConfig check;
  check.name = name;
  check.kind = CommandCheck{{"/usr/bin/" + name, "x"}};
  check.rules.rise = check.rules.fall = 1;
  return check;
}

std::string unfit(const CheckSet& checks) {
  const std::vector<std::string> names = {"app"};
  return checks.health_of(names).unfit.value_or("fit");
}

/// A set of one check, started at 0 s.
struct One {
  explicit One(CheckConfig check = config("app")) : checks(view, runner) {
    checks.configure({check}, [](const auto&) { return false; }, at(0s));
    checks.on_deadline(at(0s));
  }
  /// Ends the present run with this outcome, which is taken at once.
  void answer(const Outcome& outcome, Duration when) {
    runner.answer(outcome);
    checks.on_deadline(at(when));
  }

  NetworkView view;
  ListRunner runner;
  CheckSet checks;
};

}  // namespace

TEST_CASE("CheckSet: runs the command quietly, with its timeout and nothing of ours but the name") {
  One one;
  REQUIRE(one.runner.commands.size() == 1);
  const Command& command = one.runner.commands.front();
  CHECK(command.arguments == std::vector<std::string>{"/usr/bin/app", "x"});
  CHECK(command.environment == std::vector<std::string>{"VIPD_CHECK=app"});
  CHECK(command.timeout == 1s);
  CHECK(command.quiet);
  CHECK(command.label == "check app");
}

TEST_CASE("CheckSet: a result is taken at a deadline that is due at once, and the next run at its time") {
  One one;
  CHECK(one.checks.deadline() > at(4s));  // when the check would be stale
  CHECK(unfit(one.checks) == "check app has no result yet");
  one.runner.answer({});
  CHECK(one.checks.deadline() <= at(0s));
  CHECK(unfit(one.checks) == "check app has no result yet");
  one.checks.on_deadline(at(20ms));
  CHECK(unfit(one.checks) == "fit");
  CHECK(one.checks.deadline() == at(1s));
  one.checks.on_deadline(at(1s));
  CHECK(one.runner.commands.size() == 2);
}

TEST_CASE("CheckSet: each way to fail, in words") {
  const auto words = [](const Outcome& outcome) {
    One one;
    one.answer(outcome, 20ms);
    return unfit(one.checks);
  };
  CHECK(words({.exit_status = 3}) == "check app failed: exit status 3");
  CHECK(words({.exit_status = 1, .output = {"first", "refused"}}) == "check app failed: exit status 1: refused");
  CHECK(words({.signal = 9}) == "check app failed: killed by signal 9");
  CHECK(words({.signal = 15, .timed_out = true}) == "check app failed: no result within 1s");
  CHECK(words({.error = "cannot run /x"}) == "check app failed: cannot run /x");
  CHECK(words({.output = {"all is well"}}) == "fit");
}

TEST_CASE("CheckSet: what the runner lost is no result") {
  One one;
  one.answer({}, 20ms);
  one.checks.on_deadline(at(1s));
  one.answer({.error = "given up: vipd-runner died twice during this program", .lost = true}, 1'100ms);
  CHECK(unfit(one.checks) == "fit");
  CHECK(one.checks.find("app")->stale_reason(at(1'100ms)).starts_with("given up"));
  one.checks.on_deadline(at(2s));
  one.answer({}, 2'100ms);
  CHECK(one.checks.find("app")->stale_reason(at(2'100ms)).empty());
}

TEST_CASE("CheckSet: a weight is the last line of the output, and what is none is a failure") {
  CheckConfig load = config("app");
  load.rules.delivers_weight = true;
  const auto result = [&](std::vector<std::string> output) {
    One one(load);
    one.answer({.output = std::move(output)}, 20ms);
    const std::vector<std::string> names = {"app"};
    const Health health = one.checks.health_of(names);
    return health.unfit ? *health.unfit : std::to_string(health.weight);
  };
  CHECK(result({"-20"}) == "-20");
  CHECK(result({"load 3.5", " +7 \r"}) == "7");
  CHECK(result({"-100000"}) == "-253");
  CHECK(result({"0"}) == "0");
  CHECK(result({"1.5"}) == "check app failed: its last line is no number: \"1.5\"");
  CHECK(result({}) == "check app failed: its last line is no number: \"\"");
  CHECK(result({"99999999999999"}).starts_with("check app failed"));
}

TEST_CASE("CheckSet: a reload does not touch what is the same, a run that is under way included") {
  One one;
  one.answer({.exit_status = 1}, 20ms);
  one.checks.on_deadline(at(1s));
  one.checks.configure({config("other"), config("app")}, [](const auto&) { return true; }, at(1'100ms));
  CHECK(unfit(one.checks) == "check app failed: exit status 1");
  one.runner.answer({});
  one.checks.on_deadline(at(1'200ms));
  CHECK(unfit(one.checks) == "fit");
  CHECK(one.runner.commands.size() == 3);
}

TEST_CASE(
    "CheckSet: of a check that a reload changes the verdict stays until its next result, and the old run is void") {
  One one;
  one.answer({}, 20ms);
  one.checks.on_deadline(at(1s));
  CheckConfig changed = config("app");
  changed.kind = CommandCheck{{"/usr/bin/another"}};
  one.checks.configure({changed}, [](const auto&) { return true; }, at(1'100ms));
  one.runner.answer({.exit_status = 1});  // the result of the old command
  one.checks.on_deadline(at(1'100ms));
  CHECK(unfit(one.checks) == "fit");
  CHECK(one.runner.commands.back().arguments == std::vector<std::string>{"/usr/bin/another"});
  one.answer({.exit_status = 1}, 1'200ms);
  CHECK(unfit(one.checks) == "check app failed: exit status 1");
}

TEST_CASE("CheckSet: a check that a reload brings counts as passing until its first result") {
  One one(config("other"));
  one.checks.configure({config("app")}, [](const auto&) { return true; }, at(500ms));
  CHECK(unfit(one.checks) == "fit");
  one.checks.on_deadline(at(500ms));
  one.runner.answer({});  // the result of the removed check
  one.answer({.exit_status = 1}, 600ms);
  CHECK(unfit(one.checks) == "check app failed: exit status 1");
}

TEST_CASE("CheckSet: a built-in kind says what is wrong and not how its process ended") {
  CheckConfig tcp;
  tcp.name = "app";
  tcp.kind = TcpCheck{"x:1"};
  One one(tcp);
  CHECK(one.runner.commands.front().arguments == std::vector<std::string>{"probe:tcp", "x:1"});
  one.answer({.exit_status = 1, .output = {"cannot connect to x:1: Connection refused"}}, 20ms);
  CHECK(unfit(one.checks) == "check app failed: cannot connect to x:1: Connection refused");
}

TEST_CASE("CheckSet: an interface is looked at by itself, at its interval and at once when it changed") {
  CheckConfig link;
  link.name = "app";
  link.kind = InterfaceCheck{"eth1"};
  One one(link);
  CHECK(one.runner.commands.empty());
  const auto settle = [&](Duration now) {
    while (one.checks.deadline() <= at(now)) one.checks.on_deadline(at(now));
  };
  settle(0s);
  CHECK(unfit(one.checks) == "check app failed: interface eth1 is missing");
  CHECK(one.checks.deadline() == at(1s));
  one.view.by_index[3] = Interface{.index = 3, .name = "eth1", .mac = {}, .running = true, .addresses = {}};
  one.checks.network_changed({"eth0", ""}, at(100ms));
  CHECK(one.checks.deadline() == at(1s));
  one.checks.network_changed({"eth1"}, at(100ms));
  settle(100ms);
  CHECK(unfit(one.checks) == "check app failed: interface eth1 is missing");  // rise is 2
  settle(one.checks.deadline().time_since_epoch());
  CHECK(unfit(one.checks) == "fit");
  one.view.by_index[3].running = false;
  one.checks.network_changed({"eth1"}, at(2s));
  settle(2s);
  settle(one.checks.deadline().time_since_epoch());
  CHECK(unfit(one.checks) == "check app failed: interface eth1 is down");
}
