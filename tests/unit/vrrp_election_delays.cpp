// Times beyond the RFC: preempt_delay, startup_delay, the cap on adopted intervals.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;
using std::chrono_literals::operator""min;

namespace {

Election::Settings with_priority(std::uint8_t priority) {
  Election::Settings settings = Trace::standard();
  settings.priority = priority;
  return settings;
}

Election::Settings with_preempt_delay(std::uint8_t priority) {
  Election::Settings settings = with_priority(priority);
  settings.preempt_delay = 5min;
  return settings;
}

/// When the router becomes Active, or kNeverDue. A peer of priority 100 sends each second from 0.1 s until `until`.
Duration active_at(Trace& router, Duration until) {
  Duration next_advert = 100ms;
  while (router.due() < 10min) {
    if (next_advert <= until && next_advert < router.due()) {
      router.step(next_advert, heard(2, 100));
      next_advert += 1s;
      continue;
    }
    const Duration now = router.due();
    router.step(now, DeadlinePassed{});
    if (router.state() == State::active) return now;
  }
  return kNeverDue;
}

}  // namespace

TEST_CASE("preempt_delay: a lower Active router is left alone for so long, then taken over from at once (C22)",
          "[C22+]") {
  Trace router = Trace::backup(with_preempt_delay(254));
  CHECK(active_at(router, 10min) == 100ms + 5min);
}

TEST_CASE("preempt_delay: does not hold when the lower Active router falls silent", "[C22-]") {
  Trace router = Trace::backup(with_preempt_delay(254));
  CHECK(active_at(router, 10'100ms) == 10'100ms + active_down_interval(254, 1s));
}

TEST_CASE("preempt_delay: is no delay when nobody is there", "[C22-]") {
  CHECK(Trace::backup(with_preempt_delay(254)).due() == active_down_interval(254, 1s));
}

TEST_CASE("preempt_delay: an equal or higher advert, or a resignation, ends it", "[C22+]") {
  Trace router = Trace::backup(with_preempt_delay(200));
  router.step(1s, heard(2, 100));
  router.step(2s, heard(2, 250));
  router.step(3s, heard(2, 100));
  for (int i = 4; i < 302; ++i) CHECK(router.step(std::chrono::seconds(i), heard(2, 100)) == "nothing");
  CHECK(router.due() == 3s + 5min);
  router.step(302s, heard(2, kResignPriority));
  CHECK(router.due() == 302s + skew_time(200, 1s));
}

TEST_CASE("startup_delay: listens at least so long, once") {
  Election::Settings settings = with_priority(254);
  settings.startup_delay = 30s;
  Trace router = Trace::backup(settings);
  CHECK(router.due() == 30s);
  SECTION("nobody") {
    CHECK(router.step(29s, DeadlinePassed{}) == "nothing");
    CHECK(router.step(30s, DeadlinePassed{}) == "claim, advert 254, backup to active");
  }
  SECTION("once an Active router was heard, its silence counts as ever") {
    router.step(5s, heard(2, 255));
    CHECK(router.due() == 5s + active_down_interval(254, 1s));
  }
}

TEST_CASE("max_adopted_interval: one forged advert does not silence a pair") {
  Trace router = Trace::backup();
  router.step(0s, heard(2, 255, 40'950ms));
  CHECK(router.election().adopted_interval() == 10s);
  CHECK(router.due() == active_down_interval(100, 10s));
}

TEST_CASE("max_adopted_interval: what is below it is adopted as it is") {
  Trace router = Trace::backup();
  router.step(0s, heard(2, 255, 9'990ms));
  CHECK(router.election().adopted_interval() == 9'990ms);
}

TEST_CASE("why a node took over: silence is silence, also of a lower router that was heard a while ago") {
  Trace router = Trace::backup(with_priority(254));
  SECTION("it still speaks") {
    router.step(2'900ms, heard(2, 100));
    REQUIRE(router.step(router.due(), DeadlinePassed{}) == "claim, advert 254, backup to active");
    CHECK(router.reason().why == Why::preempted);
  }
  SECTION("it spoke once, just after the start") {
    router.step(0s, heard(2, 100));
    REQUIRE(router.step(router.due(), DeadlinePassed{}) == "claim, advert 254, backup to active");
    CHECK(router.reason().why == Why::silence);
    CHECK(to_string(router.reason()) == "no advert from 192.0.2.2 (priority 100) for 3.008s");
  }
}
