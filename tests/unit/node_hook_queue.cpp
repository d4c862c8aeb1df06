#include "vipd/node/hook_queue.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/sim/world.hpp"

using namespace vipd;
using namespace vipd::sim;
using namespace vipd::test;

namespace {

HookEvent event(HookState state) {
  return {
      .state = state, .old_state = "backup", .reason = "because", .priority = 254, .peer = "192.0.2.2", .sequence = 7};
}

HookSettings any_hook() {
  HookSettings hooks;
  hooks.any = {"/any"};
  return hooks;
}

SharedHooks shared_any_hook() { return std::make_shared<HookSettings>(any_hook()); }

struct Bench {
  explicit Bench(const HookSettings& hooks) : world(1), runner(world), node(runner) {
    queue.emplace(node, hook_subject(web_instance(254)), std::make_shared<HookSettings>(hooks));
  }
  std::vector<std::vector<std::string>> called() const {
    std::vector<std::vector<std::string>> result;
    for (const auto& command : runner.started) result.push_back(command.arguments);
    return result;
  }
  World world;
  SimRunner runner;
  NodeHooks node;
  std::optional<HookQueue> queue;
};

}  // namespace

TEST_CASE("HookQueue: the hook of the state, then hooks.any with keepalived's arguments") {
  Bench bench({.active = {"/a", "up"}, .backup = {"/b"}, .fault = {"/f"}, .stop = {"/s"}, .any = {"/any", "x"}});
  bench.world.add_node(1);  // gives the world a clock
  for (const auto state : {HookState::active, HookState::backup, HookState::fault, HookState::stop}) {
    bench.queue->push(event(state));
    bench.world.run_for(seconds(1));
  }
  const std::vector<std::vector<std::string>> expected = {
      {"/a", "up"}, {"/any", "x", "INSTANCE", "web", "MASTER", "254"},
      {"/b"},       {"/any", "x", "INSTANCE", "web", "BACKUP", "254"},
      {"/f"},       {"/any", "x", "INSTANCE", "web", "FAULT", "254"},
      {"/s"},       {"/any", "x", "INSTANCE", "web", "STOP", "254"}};
  CHECK(bench.called() == expected);
  CHECK(bench.runner.most_at_once == 1);
  CHECK(bench.queue->idle());
}

TEST_CASE("HookQueue: a sync group is told as GROUP and by VIPD_GROUP") {
  World world(1);
  SimRunner runner(world);
  NodeHooks node(runner);
  HookQueue queue(node, {.group = true, .name = "edge", .interface = "", .addresses = "192.0.2.10/24"},
                  shared_any_hook());
  HookEvent active = event(HookState::active);
  active.priority = 0;
  queue.push(active);
  REQUIRE(runner.started.size() == 1);
  CHECK(runner.started[0].arguments == std::vector<std::string>{"/any", "GROUP", "edge", "MASTER", "0"});
  CHECK(runner.started[0].environment.front() == "VIPD_GROUP=edge");
}

TEST_CASE("HookQueue: the environment says what happened") {
  Bench bench(any_hook());
  bench.queue->push(event(HookState::active));
  const auto& environment = bench.runner.started.front().environment;
  for (const char* expected :
       {"VIPD_INSTANCE=web", "VIPD_STATE=active", "VIPD_OLD_STATE=backup", "VIPD_REASON=because", "VIPD_PRIORITY=254",
        "VIPD_ADDRESSES=192.0.2.10/24", "VIPD_INTERFACE=eth0", "VIPD_PEER=192.0.2.2", "VIPD_SEQUENCE=7"}) {
    INFO(expected);
    CHECK(std::ranges::find(environment, expected) != environment.end());
  }
}

TEST_CASE("HookQueue: more addresses than execve takes are cut after a whole one, and all are counted (F28)") {
  World world(1);
  SimRunner runner(world);
  NodeHooks node(runner);
  world.add_node(1);
  const auto addresses = [](int count) {
    std::string list;
    for (int i = 0; i < count; ++i)
      list +=
          (i > 0 ? " " : "") + std::string("2001:db8:1111:2222:3333:4444:5555:") + std::to_string(1000 + i) + "/128";
    return list;
  };
  const std::string all = addresses(8000);
  HookQueue(node, {.group = false, .name = "web", .interface = "eth0", .addresses = all}, shared_any_hook())
      .push(event(HookState::active));
  const auto& environment = runner.started.at(0).environment;
  const auto list =
      std::ranges::find_if(environment, [](const auto& each) { return each.starts_with("VIPD_ADDRESSES="); });
  const std::string told = list->substr(std::string("VIPD_ADDRESSES=").size());
  CHECK(told.size() <= kMostAddressOctets);
  CHECK(told.size() > kMostAddressOctets - 100);
  CHECK(all.starts_with(told + " "));
  CHECK(std::ranges::find(environment, "VIPD_ADDRESSES_COUNT=8000") != environment.end());
}

TEST_CASE("HookQueue: without hooks nothing runs and the queue is idle") {
  Bench bench({});
  bench.queue->push(event(HookState::active));
  CHECK(bench.runner.started.empty());
  CHECK(bench.queue->idle());
}

TEST_CASE("HookQueue: is not idle until the last program has ended, and remembers how") {
  Bench bench(any_hook());
  bench.world.add_node(1);
  bench.queue->push(event(HookState::active));
  bench.queue->push(event(HookState::stop));
  CHECK(bench.queue->waiting() == 1);
  REQUIRE(bench.queue->running() != nullptr);
  CHECK(*bench.queue->running() == "/any");
  bench.world.run_for(seconds(1));
  CHECK(bench.queue->idle());
  REQUIRE(bench.queue->last());
  CHECK(bench.queue->last()->command == "/any");
  CHECK(bench.queue->last()->outcome.ok());
}

TEST_CASE("HookQueue: what is superseded while it waits is counted, not told; the last one is told") {
  HookSettings hooks = any_hook();
  hooks.active = {"/up"};
  Bench bench(hooks);
  bench.world.add_node(1);
  bench.queue->push(event(HookState::active));  // its two programs run at once, to their end
  bench.queue->push(event(HookState::backup));  // superseded
  bench.queue->push(event(HookState::active));  // superseded, with two programs
  CHECK(bench.queue->waiting() == 3);
  bench.queue->push(event(HookState::fault));
  CHECK(bench.queue->waiting() == 2);
  CHECK(bench.queue->coalesced() == 2);
  bench.world.run_for(seconds(1));
  const std::vector<std::vector<std::string>> expected = {
      {"/up"}, {"/any", "INSTANCE", "web", "MASTER", "254"}, {"/any", "INSTANCE", "web", "FAULT", "254"}};
  CHECK(bench.called() == expected);
  CHECK(bench.runner.most_at_once == 1);
  CHECK(bench.queue->idle());
}

TEST_CASE("HookQueue: a transition that no hook asks for supersedes nothing") {
  Bench bench({.active = {"/up"}, .backup = {}, .fault = {"/repair"}, .stop = {}, .any = {}});
  bench.world.add_node(1);
  for (const auto state : {HookState::active, HookState::fault, HookState::backup}) bench.queue->push(event(state));
  bench.world.run_for(seconds(1));
  CHECK(bench.called() == std::vector<std::vector<std::string>>{{"/up"}, {"/repair"}});
  CHECK(bench.queue->coalesced() == 0);
}

TEST_CASE("HookQueue: the programs of hooks.d come last, in order, for whoever has no hooks of its own, too") {
  Bench bench(GENERATE(any_hook(), HookSettings{}));
  bench.world.add_node(1);
  Config config;
  config.hooks_d = {"/d/1", "/d/2"};
  bench.node.configure(config);
  bench.queue->push(event(HookState::active));
  bench.world.run_for(seconds(1));
  auto called = bench.called();
  if (called.size() == 3) called.erase(called.begin());
  const std::vector<std::vector<std::string>> expected = {{"/d/1", "INSTANCE", "web", "MASTER", "254"},
                                                          {"/d/2", "INSTANCE", "web", "MASTER", "254"}};
  CHECK(called == expected);
}

TEST_CASE("HookQueue: the FIFO is told of each transition at once, superseded ones included") {
  const TemporaryDirectory directory;
  Config config;
  config.notify_fifo = directory.path() + "/fifo";
  Bench bench(any_hook());
  bench.node.configure(config);
  bench.node.configure(config);  // the same FIFO stays open
  for (const auto state : {HookState::active, HookState::fault, HookState::backup, HookState::stop})
    bench.queue->push(event(state));
  const Fd fd(::open(config.notify_fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string text(1000, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(fd.get(), text.data(), text.size()), 0)));
  CHECK(text ==
        "INSTANCE \"web\" MASTER 254\nINSTANCE \"web\" FAULT 254\nINSTANCE \"web\" BACKUP 254\nINSTANCE \"web\" STOP "
        "254\n");
  CHECK(bench.runner.started.size() == 1);
}

TEST_CASE("HookQueue: what an earlier vipd began to tell is told first and said to be; that it was Active is not") {
  const HookState state = GENERATE(HookState::active, HookState::backup, HookState::fault, HookState::stop);
  SimStore store;
  World world(1);
  world.add_node(1);
  const HookSubject subject{.group = false, .name = "web", .interface = "eth0", .addresses = ""};
  const auto said_again = [](const Command& command) {
    return std::ranges::count(command.environment, "VIPD_AGAIN=1") == 1;
  };
  std::vector<std::string> begun;
  {  // the previous run
    SimRunner killed(world);
    NodeHooks node(killed, HookJournal(store, "journal"));
    HookQueue queue(node, subject, shared_any_hook());
    queue.push(event(state));
    REQUIRE(killed.started.size() == 1);
    CHECK_FALSE(said_again(killed.started[0]));
    begun = killed.started[0].arguments;
  }
  SimRunner runner(world);
  NodeHooks node(runner, HookJournal(store, "journal"));
  HookQueue queue(node, subject, shared_any_hook());
  queue.push(event(HookState::backup));
  world.run_for(seconds(1));
  const bool again = state != HookState::active;
  REQUIRE(runner.started.size() == (again ? 2 : 1));
  CHECK(said_again(runner.started[0]) == again);
  if (again) CHECK(runner.started[0].arguments == begun);
  CHECK(runner.started.back().arguments == std::vector<std::string>{"/any", "INSTANCE", "web", "BACKUP", "254"});
  SimRunner third(world);
  NodeHooks after(third, HookJournal(store, "journal"));
  CHECK(HookQueue(after, subject, shared_any_hook()).idle());
}

TEST_CASE("HookQueue: that it is Active is told again by a vipd that goes on with that") {
  World world(1);
  SimStore store;
  const HookSubject subject{.group = false, .name = "web", .interface = "eth0", .addresses = ""};
  {
    SimRunner killed(world);
    NodeHooks node(killed, HookJournal(store, "journal"));
    HookQueue(node, subject, shared_any_hook()).push(event(HookState::active));
  }
  SimRunner runner(world);
  NodeHooks node(runner, HookJournal(store, "journal"));
  const HookQueue queue(node, subject, shared_any_hook(), true);
  REQUIRE(runner.started.size() == 1);
  CHECK(runner.started[0].arguments == std::vector<std::string>{"/any", "INSTANCE", "web", "MASTER", "254"});
}

TEST_CASE("HookQueue: reassert is told last and once, and not when we are no longer Active") {
  HookSettings hooks = any_hook();
  hooks.reassert = {"/cloud", "reassert"};
  Bench bench(hooks);
  bench.world.add_node(1);
  bench.queue->push(event(HookState::backup));
  bench.queue->reassert(event(HookState::active), true);
  bench.queue->reassert(event(HookState::active), true);
  bench.queue->push(event(HookState::active));
  CHECK(bench.queue->waiting() == 2);
  bench.world.run_for(seconds(1));
  const std::vector<std::vector<std::string>> expected = {{"/any", "INSTANCE", "web", "BACKUP", "254"},
                                                          {"/any", "INSTANCE", "web", "MASTER", "254"},
                                                          {"/cloud", "reassert"}};
  CHECK(bench.called() == expected);
  const auto& environment = bench.runner.started.back().environment;
  CHECK(std::ranges::count(environment, "VIPD_STATE=active") == 1);
  bench.runner.started.clear();
  bench.queue->push(event(HookState::active));
  bench.queue->reassert(event(HookState::active), false);
  bench.queue->push(event(HookState::fault));
  bench.world.run_for(seconds(1));
  CHECK(bench.called().size() == 2);
  CHECK(bench.called().back().at(3) == "FAULT");
}

TEST_CASE("HookQueue: a question is asked after all that is to be told, and has one answer") {
  HookSettings hooks = any_hook();
  hooks.before_active = {"/promote", "now"};
  Bench bench(hooks);
  bench.world.add_node(1);
  bench.runner.outcome = [](const Command& command) {
    return Outcome{.exit_status = command.arguments[0] == "/promote" ? 3 : 0};
  };
  bench.queue->push(event(HookState::backup));
  bench.queue->ask(event(HookState::before_active), seconds(2));
  CHECK(bench.queue->waiting() == 1);
  CHECK(bench.queue->answer() == nullptr);
  bench.world.run_for(seconds(1));
  REQUIRE(bench.queue->answer() != nullptr);
  CHECK(bench.queue->answer()->exit_status == 3);
  CHECK(bench.queue->waiting() == 0);
  REQUIRE(bench.called().size() == 2);
  const Command& asked = bench.runner.started.back();
  CHECK(asked.arguments == std::vector<std::string>{"/promote", "now"});
  CHECK(asked.timeout == seconds(2));
  CHECK(std::ranges::count(asked.environment, "VIPD_STATE=before_active") == 1);
  CHECK(bench.queue->withdraw_question());
  CHECK(bench.queue->answer() == nullptr);
}

TEST_CASE("HookQueue: a question that is withdrawn is not asked any more, and a late answer is nobody's") {
  HookSettings hooks = any_hook();
  hooks.before_active = {"/promote"};
  hooks.before_release = {"/drain"};
  Bench bench(hooks);
  bench.world.add_node(1);
  bench.queue->push(event(HookState::backup));
  bench.queue->ask(event(HookState::before_active), seconds(2));
  CHECK_FALSE(bench.queue->withdraw_question());
  bench.world.run_for(seconds(1));
  CHECK(bench.called().size() == 1);

  bench.queue->ask(event(HookState::before_active), seconds(2));
  CHECK(bench.queue->withdraw_question());  // its hook runs
  bench.runner.outcome = [](const Command& command) {
    return Outcome{.exit_status = command.arguments[0] == "/promote" ? 1 : 2};
  };
  bench.queue->ask(event(HookState::before_release), seconds(2));
  bench.world.run_for(seconds(1));
  REQUIRE(bench.queue->answer() != nullptr);
  CHECK(bench.queue->answer()->exit_status == 2);
  CHECK(bench.runner.most_at_once == 1);
}
