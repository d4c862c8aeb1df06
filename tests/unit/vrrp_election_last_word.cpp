// The last word: the last advert of a router that yields to a contender. Only the winner learns from it.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

constexpr SetStanding kUnfit{1, false};

Election::Settings with(std::uint8_t priority, bool preempt = true, std::uint8_t version = 3) {
  Election::Settings settings = Trace::standard();
  settings.priority = priority;
  settings.preempt = preempt;
  settings.version = version;
  return settings;
}

/// A Backup that heard the Active router 192.0.2.9 of priority 254 at 10 s.
Trace third(const Election::Settings& settings) {
  Trace router = Trace::backup(settings);
  for (int i = 0; i <= 10; ++i) router.step(i * 1s, heard(9, 254));
  return router;
}

}  // namespace

TEST_CASE("last word: an Active router that yields says its own priority once more, after the release") {
  const std::uint8_t version = GENERATE(std::uint8_t{2}, std::uint8_t{3});
  const bool grouped = GENERATE(false, true);
  Election::Settings settings = with(100, true, version);
  Trace router = Trace::active(settings);
  settings.grouped = grouped;
  router.step(100ms, Reconfigure{settings});
  CHECK(router.step(500ms, heard(2, 101)) == "release, advert 100, active to backup");
  CHECK(router.step(600ms, heard(2, 101)) == "nothing");
}

TEST_CASE("last word: the winner stays Active by it and answers") {
  Trace winner = Trace::active(with(101));
  CHECK(winner.step(500ms, heard(9, 100)) == "advert 101");
  Trace by_address = Trace::active();
  CHECK(by_address.step(500ms, heard(2, 100)) == "advert 100");
  Trace version2 = Trace::active(with(101, true, 2));
  CHECK(version2.step(500ms, heard(9, 100)) == "nothing");
  CHECK(version2.state() == State::active);
}

TEST_CASE("last word: a router that would win does not say it") {
  Trace yielding = Trace::active();  // 192.0.2.5
  yielding.step(500ms, kUnfit);
  SECTION("to another sick router of a lower address, which would yield to it") {
    CHECK(yielding.step(600ms, heard(2, 1)) == "release, active to backup");
  }
  SECTION("to one of a greater address it says it") {
    CHECK(yielding.step(600ms, heard(9, 1)) == "release, advert 1, active to backup");
  }
  SECTION("to a fit one as well") {
    CHECK(yielding.step(600ms, heard(2, 50)) == "release, advert 1, active to backup");
  }
}

TEST_CASE("last word: it is no claim of being alive") {
  Trace router = Trace::active();
  const TimePoint believed = router.election().believed_until();
  router.step(500ms, heard(2, 101));
  CHECK(router.election().believed_until() == believed);
}

TEST_CASE("last word: a third router waits on, whatever its priority and preempt") {
  const bool preempt = GENERATE(true, false);
  for (const std::uint8_t priority : {std::uint8_t{50}, std::uint8_t{100}, std::uint8_t{200}}) {
    Trace router = third(with(priority, preempt));
    const Duration before = router.due();
    CHECK(router.step(10'500ms, heard(2, 100)) == "nothing");
    CHECK(router.due() >= before);
    CHECK(router.step(11s, heard(9, 254)) == "nothing");
    CHECK(router.due() == 11s + active_down_interval(priority, 1s));
  }
}

TEST_CASE("last word: a preempt_delay that is shorter than the interval does not end while another one is obeyed") {
  Election::Settings settings = with(200);
  settings.preempt_delay = 300ms;
  Trace router = third(settings);
  router.step(10'100ms, heard(2, 100));
  CHECK(router.due() == 10s + active_down_interval(200, 1s));
  router.step(11s, heard(9, 254));
  CHECK(router.due() == 11s + active_down_interval(200, 1s));
}

TEST_CASE("last word: a router that prepares, and does not preempt, is not held up by the one that has yielded to it") {
  Election::Settings settings = with(100, false);
  settings.asks_first = true;
  Trace router = Trace::backup(settings);
  router.step(router.due(), DeadlinePassed{});
  const Duration spoke = active_down_interval(100, 1s);
  CHECK(router.step(spoke, Prepare{}) == "advert 100");
  SECTION("the last word follows its own advert") {
    CHECK(router.step(spoke + 5ms, heard(2, 50)) == "nothing");
    CHECK(router.election().ready());
  }
  SECTION("another one that speaks at its own time is Active, and is obeyed") {
    CHECK(router.step(spoke + 500ms, heard(2, 50)) == "nothing");
    CHECK_FALSE(router.election().ready());
  }
  SECTION("a higher one is obeyed at any time") {
    CHECK(router.step(spoke + 5ms, heard(2, 101)) == "nothing");
    CHECK_FALSE(router.election().ready());
  }
}

TEST_CASE("stall: the priority 0 of a router that woke up makes no third router take over from the Active one") {
  const bool preempt = GENERATE(true, false);
  Trace router = third(with(100, preempt));
  const Duration before = router.due();
  SECTION("while the Active router is heard") {
    CHECK(router.step(10'999ms, heard(2, kResignPriority)) == "nothing");
    CHECK(router.due() == before);
  }
  SECTION("but the Active router's own counts") {
    router.step(10'999ms, heard(9, kResignPriority));
    CHECK(router.due() == 10'999ms + skew_time(100, 1s));
  }
  SECTION("and so does another one's, once the Active router has missed an advert or has resigned") {
    router.step(11'500ms, heard(2, kResignPriority));
    CHECK(router.due() == 11'500ms + skew_time(100, 1s));
  }
}

TEST_CASE("stall: a lower router that speaks does not make the Active one's priority 0 count for nothing") {
  Trace router = third(with(100));
  router.step(10'100ms, heard(2, 1));  // a router that would be preempted is not obeyed
  router.step(10'200ms, heard(9, kResignPriority));
  CHECK(router.due() == 10'200ms + skew_time(100, 1s));
}

TEST_CASE("resolution_time: a router listens for so long after a start and after a stall, unless it hears somebody") {
  Election::Settings settings = with(254);
  settings.interval = 100ms;
  settings.resolution_time = 1'350ms;
  Trace router = Trace::backup(settings);
  CHECK(router.due() == 1'350ms);
  SECTION("a longer startup_delay counts") {
    settings.startup_delay = 5s;
    CHECK(Trace::backup(settings).due() == 5s);
  }
  SECTION("an Active router that is heard is waited for as ever") {
    router.step(1s, heard(2, 255, 100ms));
    CHECK(router.due() == 1s + active_down_interval(254, 100ms));
  }
  SECTION("after a stall; and not after a lost election") {
    router.step(router.due(), DeadlinePassed{});
    REQUIRE(router.state() == State::active);
    SECTION("stall") {
      CHECK(router.step(10s, Stalled{}) == "release, advert 0, active to backup");
      CHECK(router.due() == 10s + 1'350ms);
    }
    SECTION("lost") {
      router.step(1'400ms, heard(2, 255, 100ms));
      CHECK(router.due() == 1'400ms + active_down_interval(254, 100ms));
    }
  }
}
