// An unfit router, the last resort of its group: each case in which it differs from a fit router.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

constexpr SetStanding kUnfit{1, false};
constexpr SetStanding kFit{100, true};

/// A fit Backup of priority 100 that heard the Active router (192.0.2.2) at 0 s.
Trace backup_of(std::uint8_t peer, bool preempt = true) {
  Election::Settings settings = Trace::standard();
  settings.preempt = preempt;
  Trace trace = Trace::backup(settings);
  trace.step(0s, heard(2, peer));
  return trace;
}

/// An Active router that is unfit since 500 ms.
Trace unfit_active() {
  Trace trace = Trace::active();
  trace.step(500ms, kUnfit);
  return trace;
}

}  // namespace

TEST_CASE("yield: an Active router that falls sick says priority 0 once and keeps the addresses") {
  Trace router = Trace::active();
  CHECK(router.step(500ms, kUnfit) == "advert 0");
  CHECK(router.state() == State::active);
  CHECK(router.due() == 2s);
  CHECK(router.step(1s, DeadlinePassed{}) == "nothing");
  CHECK(router.step(2s, DeadlinePassed{}) == "advert 1");
  CHECK(router.step(2'100ms, kUnfit) == "nothing");
}

TEST_CASE("yield: its silence after a priority 0 is longer than any Skew_Time of a peer") {
  for (const std::uint8_t version : {std::uint8_t{2}, std::uint8_t{3}}) {
    Election::Settings settings = Trace::standard();
    settings.version = version;
    Trace router = Trace::active(settings);
    router.step(500ms, kUnfit);
    CHECK(router.due() - 500ms > skew_time(1, 1s, version));
  }
}

TEST_CASE("yield: every fourth advert of a lone sick router is a priority 0") {
  Trace router = unfit_active();
  std::string said;
  for (int i = 0; i < 9; ++i) said += router.step(router.due(), DeadlinePassed{}) + "; ";
  CHECK(said == "advert 1; advert 1; advert 1; advert 0; advert 1; advert 1; advert 1; advert 0; advert 1; ");
  CHECK(router.state() == State::active);
}

TEST_CASE("yield: whoever takes over ends it, whatever its priority") {
  Trace router = unfit_active();
  CHECK(router.step(600ms, heard(2, 3)) == "release, advert 1, active to backup");
  CHECK(router.reason().why == Why::higher_priority);
  Trace tie = unfit_active();  // the other router may be fit with priority 1; its address is smaller
  CHECK(tie.step(600ms, heard(2, 1)) == "release, active to backup");
}

TEST_CASE("yield: outside of that silence a tie of two sick ones goes by the address") {
  Trace router = unfit_active();
  router.step(2s, DeadlinePassed{});
  CHECK(router.step(2'100ms, heard(2, 1)) == "advert 1");
  CHECK(router.step(2'200ms, heard(9, 1)) == "release, advert 1, active to backup");
}

TEST_CASE("yield: a priority 0 of another is not answered in that silence, and is after it") {
  Trace router = unfit_active();
  CHECK(router.step(600ms, heard(2, 0)) == "nothing");
  CHECK(router.due() == 2s);
  router.step(2s, DeadlinePassed{});
  CHECK(router.step(2'100ms, heard(2, 0)) == "advert 1");
}

TEST_CASE("yield: who is fit again goes on, with its own priority and without another priority 0") {
  Trace router = unfit_active();
  CHECK(router.step(700ms, kFit) == "nothing");
  CHECK(router.due() == 700ms);
  CHECK(router.step(700ms, DeadlinePassed{}) == "advert 100");
  CHECK(router.due() == 1'700ms);
  CHECK(router.step(800ms, heard(2, 99)) == "advert 100");
  for (int i = 0; i < 9; ++i) CHECK(router.step(router.due(), DeadlinePassed{}) == "advert 100");
}

TEST_CASE("yield: an Active router whose priority rises says so at once, one whose priority falls does not") {
  Trace router = unfit_active();
  router.step(2s, DeadlinePassed{});  // it sends priority 1 and waits
  CHECK(router.step(2'100ms, SetStanding{.priority = 50}) == "nothing");
  CHECK(router.due() == 2'100ms);
  CHECK(router.step(2'100ms, DeadlinePassed{}) == "advert 50");
  router.step(2'200ms, SetStanding{.priority = 40});
  CHECK(router.due() == 3'100ms);
  router.step(2'300ms, SetStanding{.priority = 41});
  CHECK(router.due() == 2'300ms);
}

TEST_CASE("yield: a fit Backup takes over after its Skew_Time, whatever preempt and the priorities say") {
  const bool preempt = GENERATE(true, false);
  Trace router = backup_of(254, preempt);
  router.step(1s, heard(2, 0));
  CHECK(router.due() == 1s + skew_time(100, 1s));
  CHECK(router.step(router.due(), DeadlinePassed{}) == "claim, advert 100, backup to active");
}

TEST_CASE("yield: a Backup that does not preempt and hears priority 1 takes over by the next priority 0") {
  Trace router = backup_of(1, false);
  router.step(1s, heard(2, 1));
  CHECK(router.due() == 1s + active_down_interval(100, 1s));
  router.step(2s, heard(2, 0));
  CHECK(router.due() == 2s + skew_time(100, 1s));
}

TEST_CASE("yield: a sick Backup does not take a priority 0 for a reason to hurry") {
  Trace router = backup_of(1);
  router.step(100ms, kUnfit);
  router.step(1s, heard(2, 0));
  CHECK(router.due() == 1s + active_down_interval(1, 1s));
}

TEST_CASE("yield: a Backup that falls sick while it waits for its Skew_Time waits on") {
  Trace router = backup_of(254);
  router.step(1s, heard(2, 0));
  router.step(1'100ms, kUnfit);
  CHECK(router.due() == 1s + active_down_interval(1, 1s));
}

TEST_CASE("yield: a Backup that falls sick preempts nobody, however long it has waited") {
  Trace router = backup_of(99);  // the advert is discarded, since it would be preempted
  router.step(1s, heard(2, 99));
  router.step(2s, heard(2, 99));
  router.step(2'500ms, kUnfit);
  CHECK(router.due() == 2s + active_down_interval(1, 1s));
}

TEST_CASE("yield: a lower priority obeys from when the Active router was last heard") {
  Trace router = backup_of(99);
  router.step(2s, heard(2, 99));
  router.step(2'500ms, SetStanding{50, true});
  CHECK(router.due() == 2s + active_down_interval(50, 1s));
}

TEST_CASE("yield: a sick one that nobody answers becomes Active, and says so with priority 1") {
  Trace router = Trace::backup();
  router.step(0s, kUnfit);
  CHECK(router.due() == active_down_interval(1, 1s));
  CHECK(router.step(router.due(), DeadlinePassed{}) == "claim, advert 1, backup to active");
  CHECK(router.step(router.due(), DeadlinePassed{}) == "advert 1");
}

TEST_CASE("yield: fit before the wait is over, it waits as it would have from the beginning") {
  Trace router = Trace::backup();
  router.step(0s, kUnfit);
  router.step(100ms, kFit);
  CHECK(router.due() == active_down_interval(100, 1s));
}

TEST_CASE("yield: a sick router is stopped and fails like any other") {
  Trace stopped = unfit_active();
  CHECK(stopped.step(600ms, Stop{}) == "advert 0");
  CHECK(stopped.step(700ms, heard(2, 100)) == "release, active to initialize");
  Trace failed = unfit_active();
  CHECK(failed.step(600ms, Fail{}) == "release, advert 0, active to initialize");
  CHECK_FALSE(failed.election().yielding());
}

TEST_CASE("yield: a resigning router that falls sick says no more than it has said") {
  Trace router = Trace::active();
  router.step(100ms, Stop{});
  CHECK(router.step(200ms, kUnfit) == "nothing");
}

TEST_CASE("yield: in a group a sick member is ready no more by a priority 0 or by preempting") {
  Election::Settings settings = Trace::standard();
  settings.grouped = true;
  Trace router = Trace::backup(settings);
  router.step(0s, heard(2, 254));
  router.step(1s, heard(2, 0));
  router.step(router.due(), DeadlinePassed{});
  REQUIRE(router.election().ready());
  router.step(2s, kUnfit);
  CHECK_FALSE(router.election().ready());
  CHECK(router.step(2s, TakeOver{}) == "nothing");
}
