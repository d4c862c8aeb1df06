// The election of a router in a sync group: it is ready before it takes over, and gives up with the other members.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

const Peer kWinner{*IpAddress::parse("198.51.100.2"), 200};

Election::Settings grouped(std::uint8_t priority = 100) {
  Election::Settings settings = Trace::standard();
  settings.priority = priority;
  settings.grouped = true;
  return settings;
}

Trace ready(Election::Settings settings = grouped()) {
  Trace router = Trace::backup(settings);
  router.step(router.due(), DeadlinePassed{});
  return router;
}

Trace active(Election::Settings settings = grouped()) {
  Trace router = ready(settings);
  router.step(4s, TakeOver{});
  return router;
}

/// Checks that the event causes no action and leaves no trace.
void check_ignored(Trace router, Duration when, const Event& event) {
  const Snapshot before = Snapshot::of(router.election());
  CHECK(router.step(when, event) == "nothing");
  CHECK(Snapshot::of(router.election()) == before);
}

}  // namespace

TEST_CASE("group: a router whose wait is over is ready and waits for the others, without a deadline") {
  Trace router = Trace::backup(grouped());
  CHECK_FALSE(router.election().ready());
  CHECK(router.step(active_down_interval(100, 1s), DeadlinePassed{}) == "nothing");
  CHECK(router.election().ready());
  CHECK(router.state() == State::backup);
  CHECK(router.due() == kNeverDue);
  check_ignored(router, 10s, DeadlinePassed{});
  check_ignored(router, 10s, Start{});
}

TEST_CASE("group: TakeOver makes a router Active that is ready, for the reason it was ready for") {
  Trace router = ready();
  CHECK(router.step(10s, TakeOver{}) == "claim, advert 100, backup to active");
  CHECK(to_string(router.reason()) == "no advert from anybody for 3.609s");
  CHECK(router.due() == 11s);
  CHECK_FALSE(router.election().ready());
}

TEST_CASE("group: TakeOver is ignored by a router that is not ready") {
  check_ignored(Trace(grouped()), 1s, TakeOver{});
  check_ignored(Trace::backup(grouped()), 1s, TakeOver{});
  check_ignored(Trace::backup(), 4s, TakeOver{});
  check_ignored(active(), 5s, TakeOver{});
  Trace resigning = active();
  resigning.step(5s, Stop{});
  check_ignored(resigning, 5s, TakeOver{});
}

TEST_CASE("group: GiveUp releases first, resigns then, and listens as after any defeat") {
  Trace router = active();
  CHECK(router.step(5s, GiveUp{kWinner}) == "release, advert 0, active to backup");
  CHECK(router.reason() == Reason{Why::group, kWinner, 100});
  CHECK(router.due() == 5s + active_down_interval(100, 1s));
  CHECK_FALSE(router.election().ready());
}

TEST_CASE("group: GiveUp is ignored by a router that is not Active, or has resigned already") {
  check_ignored(Trace(grouped()), 1s, GiveUp{kWinner});
  check_ignored(Trace::backup(grouped()), 1s, GiveUp{kWinner});
  check_ignored(ready(), 4s, GiveUp{kWinner});
  Trace resigning = active();
  resigning.step(5s, Stop{});
  check_ignored(resigning, 5s, GiveUp{kWinner});
}

TEST_CASE("group: an advert that is obeyed ends being ready") {
  Election::Settings humble = grouped();
  humble.preempt = false;
  const auto [settings, priority] =
      GENERATE_COPY(std::pair{grouped(), 101}, std::pair{grouped(), 100}, std::pair{humble, 1});
  Trace router = ready(settings);
  CHECK(router.step(5s, heard(2, static_cast<std::uint8_t>(priority))) == "nothing");
  CHECK_FALSE(router.election().ready());
  CHECK(router.due() == 5s + active_down_interval(100, 1s));
}

TEST_CASE("group: a resignation begins the wait of Skew_Time anew, also for who was ready (RFC 9568 6.4.2)") {
  Trace router = ready();
  router.step(5s, heard(2, kResignPriority));
  CHECK_FALSE(router.election().ready());
  REQUIRE(router.due() == 5s + skew_time(100, 1s));
  router.step(router.due(), DeadlinePassed{});
  router.step(7s, TakeOver{});
  CHECK(router.reason().why == Why::peer_resigned);
}

TEST_CASE("group: a lower advert is discarded by who is ready, with and without preempt_delay") {
  Election::Settings settings = grouped();
  settings.preempt_delay = GENERATE(0s, 60s);
  Trace router = ready(settings);
  CHECK(router.step(5s, heard(2, 99)) == "nothing");
  CHECK(router.election().ready());
  CHECK(router.due() == kNeverDue);
}

TEST_CASE("group: preempt_delay is waited for once, then the router stays ready though the lower one speaks on") {
  Election::Settings settings = grouped();
  settings.preempt_delay = 10s;
  Trace router = Trace::backup(settings);
  Duration now = 1s;
  for (; now < 11s; now += 1s) router.step(now, heard(2, 99));
  CHECK_FALSE(router.election().ready());
  router.step(now, DeadlinePassed{});
  CHECK(router.election().ready());
  router.step(now + 1s, heard(2, 99));
  CHECK(router.election().ready());
}

TEST_CASE("group: the owner is ready at once instead of Active at once") {
  Election::Settings settings = grouped(kOwnerPriority);
  settings.startup_delay = 60s;
  Trace router(settings);
  CHECK(router.step(0s, Start{}) == "initialize to backup");
  CHECK(router.election().ready());
  CHECK(router.step(0s, TakeOver{}) == "claim, advert 255, backup to active");
  CHECK(router.reason().why == Why::owner);
}

TEST_CASE("group: a member that stops keeps its addresses for as long as the slowest member does") {
  SECTION("another member is slower") {
    Trace router = active();
    CHECK(router.step(4s, Stop{.interval = 2s, .skew = 1'500ms}) == "advert 0");
    CHECK(router.due() == 6s);
    CHECK(router.step(6s, DeadlinePassed{}) == "advert 0");
    CHECK(router.due() == 7'500ms);
    CHECK(router.step(7'500ms, DeadlinePassed{}) == "release, active to initialize");
  }
  SECTION("this one is the slowest") {
    Trace router = active();
    router.step(4s, Stop{.interval = 100ms, .skew = 100ms});
    CHECK(router.due() == 5s);
    router.step(5s, DeadlinePassed{});
    CHECK(router.due() == 5s + skew_time(1, 1s));
  }
  SECTION("a peer that takes over ends the wait at once") {
    Trace router = active();
    router.step(4s, Stop{.interval = 2s, .skew = 2s});
    CHECK(router.step(4'100ms, heard(2, 90)) == "release, active to initialize");
  }
}

TEST_CASE("group: Stop and Fail end being ready") {
  for (const Event& event : {Event(Stop{}), Event(Fail{})}) {
    Trace router = ready();
    CHECK(router.step(5s, event) == "backup to initialize");
    CHECK_FALSE(router.election().ready());
  }
}

TEST_CASE("group: a change of the priority leaves who is ready ready, and shortens the wait of who is not") {
  check_ignored(ready(), 5s, SetStanding{100});
  Trace router = ready();
  router.step(5s, SetStanding{1});
  CHECK(router.election().ready());
  CHECK(router.due() == kNeverDue);
  Trace waiting = Trace::backup(grouped());
  waiting.step(1s, SetStanding{254});
  CHECK(waiting.due() == active_down_interval(254, 1s));
}

TEST_CASE("group: who has lost a tie waits up to an interval more, each by its own clock") {
  const auto wait_after = [](Duration lost_at, const Event& event) {
    Trace router = active();
    router.step(lost_at, event);
    REQUIRE(router.state() == State::backup);
    return router.due() - lost_at - active_down_interval(100, 1s);
  };
  const Event tie = GENERATE(Event(heard(6, 100)), Event(GiveUp{Peer{kWinner.address, 100}}));
  const Duration one = wait_after(5s, tie), other = wait_after(5s + 300us, tie);
  CHECK(one >= 0s);
  CHECK(one < 1s);
  CHECK(other < 1s);
  CHECK(one != other);
  Trace router = active();
  router.step(5s, tie);
  const Duration due = router.due();
  router.step(5s + 1ms, heard(6, kResignPriority));  // the other router gave up, too: that hurries nobody
  CHECK(router.due() == due);
  router.step(10s, heard(6, 100));
  CHECK(router.due() == 10s + active_down_interval(100, 1s));
  CHECK(wait_after(5s, heard(6, 101)) == 0s);
  CHECK(wait_after(5s, GiveUp{kWinner}) == 0s);
}

TEST_CASE("group: who has left it waits no longer for having lost a tie in it") {
  Trace router = active();
  router.step(5s, heard(6, 100));
  Election::Settings alone = grouped();
  alone.grouped = false;
  router.step(6s, Reconfigure{alone});
  router.step(6s, heard(6, kResignPriority));
  CHECK(router.due() == 6s + skew_time(100, 1s));
}
