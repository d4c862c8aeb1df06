// Prepare: a router with work to do before a takeover tells its peers so if no router is Active.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

constexpr Duration kDown = Duration(3'609'375us);  ///< Active_Down_Interval of priority 100

Election::Settings asking(std::uint8_t priority = 100) {
  Election::Settings settings = Trace::standard();
  settings.priority = priority;
  settings.asks_first = true;
  return settings;
}

/// A router that is ready since it heard no advert.
Trace ready(const Election::Settings& settings = asking()) {
  Trace router = Trace::backup(settings);
  router.step(router.due(), DeadlinePassed{});
  return router;
}

Trace preparing(const Election::Settings& settings = asking()) {
  Trace router = ready(settings);
  router.step(kDown, Prepare{});
  return router;
}

/// Ready since the router 2, of `priority`, has resigned after 1 s.
Trace succeeding(std::uint8_t priority, bool preempt) {
  Election::Settings settings = asking();
  settings.preempt = preempt;
  Trace router = Trace::backup(settings);
  router.step(1s, heard(2, priority));
  router.step(1s, heard(2, kResignPriority));
  router.step(router.due(), DeadlinePassed{});
  return router;
}

}  // namespace

TEST_CASE("prepare: a router whose wait is over is ready, and Active by TakeOver alone") {
  Trace router = ready();
  CHECK(router.election().ready());
  CHECK_FALSE(router.election().preparing());
  CHECK(router.due() == kNeverDue);
  CHECK(router.step(4s, TakeOver{}) == "claim, advert 100, backup to active");
  CHECK(router.due() == 5s);
}

TEST_CASE("prepare: where nobody is Active adverts are sent from then on, at the interval, until the takeover") {
  Trace router = ready();
  CHECK(router.step(kDown, Prepare{}) == "advert 100");
  CHECK(router.election().preparing());
  CHECK(router.due() == kDown + 1s);
  CHECK(router.step(kDown + 1s, DeadlinePassed{}) == "advert 100");
  CHECK(router.due() == kDown + 2s);
  CHECK(router.step(6s, TakeOver{}) == "claim, advert 100, backup to active");
  CHECK(router.due() == 7s);
}

TEST_CASE("prepare: who is not ready, or waits for a word no more, does not") {
  for (Trace router : {Trace(asking()), Trace::backup(asking()), Trace::backup()})
    CHECK(router.step(1s, Prepare{}) == "nothing");
  Trace active = ready();
  active.step(4s, TakeOver{});
  CHECK(active.step(4s, Prepare{}) == "nothing");
}

TEST_CASE("prepare: an Active router that is preempted or goes hears nothing before the takeover") {
  Trace preempting = Trace::backup(asking());
  preempting.step(1s, heard(2, 50));
  preempting.step(preempting.due(), DeadlinePassed{});
  CHECK(preempting.step(4s, Prepare{}) == "nothing");
  CHECK(preempting.step(4s, heard(2, 50)) == "nothing");
  CHECK(preempting.election().ready());
  CHECK(succeeding(200, true).step(2s, Prepare{}) == "nothing");
}

TEST_CASE("prepare: stop and fault take back what was said, and only that") {
  CHECK(preparing().step(4s, Stop{}) == "advert 0, backup to initialize");
  CHECK(preparing().step(4s, Fail{}) == "advert 0, backup to initialize");
  CHECK(ready().step(4s, Stop{}) == "backup to initialize");
  CHECK(ready().step(4s, Fail{}) == "backup to initialize");
}

TEST_CASE("prepare: an advert that is obeyed ends it, a lower one does not") {
  Trace router = preparing();
  CHECK(router.step(4s, heard(2, 99)) == "nothing");
  CHECK(router.election().preparing());
  CHECK(router.step(4s, heard(2, 101)) == "nothing");
  CHECK_FALSE(router.election().ready());
  CHECK(router.due() == 4s + kDown);
}

TEST_CASE("prepare: a resignation that is said again, or goes on as the last resort, changes nothing") {
  const bool preempt = GENERATE(true, false);
  Trace router = succeeding(200, preempt);
  REQUIRE(router.election().ready());
  router.step(2s, Prepare{});
  router.step(2s, heard(2, kResignPriority));
  router.step(2s, heard(2, 1));
  CHECK(router.election().ready());
  router.step(2s, heard(2, 200));  // the other router is fit again
  CHECK_FALSE(router.election().ready());
}

TEST_CASE("prepare: an unfit router obeys whoever resigns, as always") {
  Election::Settings settings = asking(1);
  settings.fit = false;
  Trace router = ready(settings);
  REQUIRE(router.election().ready());
  router.step(5s, heard(2, kResignPriority));
  CHECK_FALSE(router.election().ready());
}

TEST_CASE("prepare: a shorter interval after a reload counts for the next advert already") {
  Election::Settings slow = asking();
  slow.interval = 10s;
  Trace router = Trace::backup(slow);
  const Duration down = router.due();
  router.step(down, DeadlinePassed{});
  router.step(down, Prepare{});
  CHECK(router.due() == down + 10s);
  router.step(down + 2s, Reconfigure{asking()});
  CHECK(router.due() == down + 3s);
}
