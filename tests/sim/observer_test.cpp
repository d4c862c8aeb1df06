// The observer of the nodes sees each step.
#include <string>
#include <vector>

#include "sim.hpp"
#include "support/catch.hpp"

namespace vipd::sim {

TEST_CASE("sim: an observer sees each step of each router: the event, the modes around it and the actions") {
  World world(1);
  std::vector<std::string> changes;
  std::size_t heard = 0, claims = 0;
  world.on_step = [&](const VirtualRouter& router, const ElectionStep& step) {
    heard += std::holds_alternative<Heard>(step.event);
    for (const Action& action : step.actions) claims += std::holds_alternative<Claim>(action);
    if (step.before != step.after)
      changes.push_back(std::to_string(router.config().priority) + ": " + std::string(to_string(step.before)) + " -> " +
                        std::string(to_string(step.after)));
    CHECK(router.election().mode() == step.after);
  };
  auto [first, second] = settled_pair(world, 200, 100);
  CHECK(claims == 1);
  CHECK(heard > 5);
  first.stop();
  world.run_for(seconds(5));
  CHECK(changes == std::vector<std::string>{"200: initialize -> backup", "100: initialize -> backup",
                                            "200: backup -> active", "200: active -> resigning",
                                            "100: backup -> active", "200: resigning -> initialize"});
  CHECK(second.active());
}

TEST_CASE("sim: an observer sees that a new process goes on where the one before left off") {
  World world(1);
  auto [first, second] = settled_pair(world, 200, 100);
  std::size_t resumed = 0;
  world.on_step = [&](const VirtualRouter&, const ElectionStep& step) {
    if (!std::holds_alternative<Resume>(step.event)) return;
    ++resumed;
    CHECK(step.before == Mode::initialize);
    CHECK(step.after == Mode::active);
  };
  first.kill();
  first.start();
  world.run_for(seconds(1));
  CHECK(resumed == 1);
  CHECK_FALSE(second.active());
}

}  // namespace vipd::sim
