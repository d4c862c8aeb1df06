// The modes of an Election: the events that lead from one to another, and that no mode leaves anything behind.
#include <initializer_list>
#include <string>

#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

Mode mode(const Trace& router) { return router.election().mode(); }

Election::Settings asking() {
  Election::Settings settings = Trace::standard();
  settings.asks_first = true;
  return settings;
}

Trace preparing() {
  Trace router = Trace::backup(asking());
  router.step(router.due(), DeadlinePassed{});
  router.step(4s, Prepare{});
  return router;
}

Trace yielding() {
  Trace router = Trace::active();
  router.step(500ms, SetStanding{1, false});
  return router;
}

Trace resigning() {
  Trace router = Trace::active();
  router.step(500ms, Stop{});
  return router;
}

/// Checks that two routers behave alike after the same events from 10 s on.
void check_same_life(Trace one, Trace other) {
  for (Trace* router : {&one, &other}) {
    router->step(10s, Start{});
    router->step(11s, heard(2, 50));
    router->step(router->due(), DeadlinePassed{});
    router->step(20s, heard(2, 50));
  }
  CHECK(Snapshot::of(one.election()) == Snapshot::of(other.election()));
  CHECK(one.reason() == other.reason());
}

}  // namespace

TEST_CASE("modes: each has a name, and a state of the RFC") {
  const auto text = [](Mode each) {
    return std::string(to_string(each)) + " " + std::string(to_string(state_of(each))) + ", ";
  };
  std::string all;
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(Mode::resigning); ++i) all += text(static_cast<Mode>(i));
  CHECK(all ==
        "initialize initialize, backup backup, ready backup, preparing backup, active active, yielding active, "
        "resigning active, ");
}

TEST_CASE("modes: a life leads through all of them") {
  Trace router{asking()};
  CHECK(mode(router) == Mode::initialize);
  router.step(0s, Start{});
  CHECK(mode(router) == Mode::backup);
  router.step(router.due(), DeadlinePassed{});
  CHECK(mode(router) == Mode::ready);
  router.step(4s, Prepare{});
  CHECK(mode(router) == Mode::preparing);
  router.step(5s, TakeOver{});
  CHECK(mode(router) == Mode::active);
  router.step(5s, SetStanding{1, false});
  CHECK(mode(router) == Mode::yielding);
  router.step(router.due(), DeadlinePassed{});
  CHECK(mode(router) == Mode::active);
  router.step(7s, Stop{});
  CHECK(mode(router) == Mode::resigning);
  router.step(7s, heard(2, 50));
  CHECK(mode(router) == Mode::initialize);
}

TEST_CASE("modes: a router that lost is a Backup, whatever it was in when it was Active") {
  for (Trace router : {Trace::active(), yielding()}) {
    router.step(600ms, heard(2, 200));
    CHECK(mode(router) == Mode::backup);
    CHECK(router.election().has_lost());
  }
}

TEST_CASE("modes: a Backup that is ready no more waits again") {
  for (const Event& event : std::initializer_list<Event>{heard(2, 200), Reconfigure{Trace::standard()}}) {
    Trace router = preparing();
    router.step(4s, event);
    CHECK(mode(router) == Mode::backup);
    CHECK_FALSE(router.election().why_ready());
  }
}

TEST_CASE("modes: what a router was in before a stop or a fault counts for nothing after it") {
  Trace waited = Trace::backup();
  waited.step(1s, heard(2, 200, 2s));
  for (const Trace& before : {waited, preparing(), yielding()}) {
    Trace router = before;
    router.step(6s, Fail{});
    router.step(6s, SetStanding{100});
    router.step(6s, Reconfigure{Trace::standard()});
    check_same_life(router, Trace());
  }
  Trace stopped = resigning();
  stopped.step(600ms, heard(2, 200));
  check_same_life(stopped, Trace());
}

TEST_CASE("modes: a tie that a sync group lost counts for nothing once its member was Active again") {
  Election::Settings settings = Trace::standard();
  settings.grouped = true;
  settings.preempt_delay = 1s;
  Trace router = Trace::backup(settings);
  router.step(router.due(), DeadlinePassed{});
  router.step(4s, TakeOver{});
  router.step(5s, heard(9, 100, 9s));  // a tie
  const Duration apart = router.due();
  router.step(5'100ms, heard(9, kResignPriority));
  router.step(5'200ms, heard(2, 50));  // may be preempted after 1 s
  router.step(router.due(), DeadlinePassed{});
  router.step(6'200ms, TakeOver{});
  REQUIRE(mode(router) == Mode::active);
  router.step(7s, heard(9, 200));
  REQUIRE(apart > 30s);
  CHECK(router.due() == 7s + active_down_interval(100, 1s));
}
