// What goes beyond the RFC in time: preempt_delay, startup_delay, the cap on adopted intervals.
#include "support/catch.hpp"
#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/election.hpp"

using namespace vipd;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const IpAddress kPeer = *IpAddress::parse("192.0.2.2");
constexpr TimePoint kStart{seconds(1000)};

Election::Settings settings(std::uint8_t priority) {
  return {.priority = priority, .primary = *IpAddress::parse("192.0.2.1")};
}

Heard advert(std::uint8_t priority, Duration interval = seconds(1)) {
  return {.source = kPeer, .priority = priority, .interval = interval};
}

const StateChanged* change_in(const Actions& actions) {
  for (const auto& action : actions)
    if (const auto* change = std::get_if<StateChanged>(&action)) return change;
  return nullptr;
}

/// A peer that speaks every second until `until`; returns the time at which the election became Active, or kNever.
TimePoint active_at(Election& election, std::uint8_t peer_priority, TimePoint until, TimePoint give_up) {
  TimePoint now = kStart, next_advert = kStart + milliseconds(100);
  while (now < give_up) {
    const bool speaks = next_advert <= until && next_advert < election.deadline();
    now = speaks ? next_advert : election.deadline();
    if (speaks) {
      election.step(advert(peer_priority), now);
      next_advert += seconds(1);
    } else if (change_in(election.step(DeadlinePassed{}, now)) != nullptr) {
      return now;
    }
  }
  return kNever;
}

}  // namespace

TEST_CASE("preempt_delay: a lower Active router is left alone for so long, then taken over from at once (C22)") {
  Election::Settings wanted = settings(254);
  wanted.preempt_delay = minutes(5);
  Election election(wanted);
  election.step(Start{}, kStart);
  CHECK(active_at(election, 100, kNever, kStart + minutes(10)) == kStart + milliseconds(100) + minutes(5));
}

TEST_CASE("preempt_delay: does not hold when the lower Active router falls silent") {
  Election::Settings wanted = settings(254);
  wanted.preempt_delay = minutes(5);
  Election election(wanted);
  election.step(Start{}, kStart);
  const TimePoint last = kStart + milliseconds(10'100);
  CHECK(active_at(election, 100, last, kStart + minutes(10)) == last + active_down_interval(254, seconds(1)));
}

TEST_CASE("preempt_delay: is no delay when nobody is there") {
  Election::Settings wanted = settings(254);
  wanted.preempt_delay = minutes(5);
  Election election(wanted);
  election.step(Start{}, kStart);
  CHECK(election.deadline() == kStart + active_down_interval(254, seconds(1)));
}

TEST_CASE("preempt_delay: an equal or higher advert, or a resignation, ends it") {
  Election::Settings wanted = settings(200);
  wanted.preempt_delay = minutes(5);
  Election election(wanted);
  election.step(Start{}, kStart);
  election.step(advert(100), kStart + seconds(1));
  election.step(advert(250), kStart + seconds(2));
  election.step(advert(100), kStart + seconds(3));
  for (int i = 4; i < 302; ++i) CHECK(change_in(election.step(advert(100), kStart + seconds(i))) == nullptr);
  CHECK(election.deadline() == kStart + seconds(3) + minutes(5));
  election.step(advert(kResignPriority), kStart + seconds(302));
  CHECK(election.deadline() == kStart + seconds(302) + skew_time(200, seconds(1)));
}

TEST_CASE("startup_delay: listens at least so long, once") {
  Election::Settings wanted = settings(254);
  wanted.startup_delay = seconds(30);
  Election election(wanted);
  election.step(Start{}, kStart);
  CHECK(election.deadline() == kStart + seconds(30));
  CHECK(election.step(DeadlinePassed{}, kStart + seconds(29)).size() == 0);
  SECTION("nobody") { CHECK(change_in(election.step(DeadlinePassed{}, kStart + seconds(30))) != nullptr); }
  SECTION("once an Active router was heard, its silence counts as ever") {
    election.step(advert(255), kStart + seconds(5));
    CHECK(election.deadline() == kStart + seconds(5) + active_down_interval(254, seconds(1)));
  }
}

TEST_CASE("max_adopted_interval: one forged advert does not silence a pair") {
  Election election(settings(100));
  election.step(Start{}, kStart);
  election.step(advert(255, milliseconds(40'950)), kStart);
  CHECK(election.adopted_interval() == seconds(10));
  CHECK(election.deadline() == kStart + active_down_interval(100, seconds(10)));
}

TEST_CASE("max_adopted_interval: what is below it is adopted as it is") {
  Election election(settings(100));
  election.step(Start{}, kStart);
  election.step(advert(255, milliseconds(9'990)), kStart);
  CHECK(election.adopted_interval() == milliseconds(9'990));
}

TEST_CASE("why a node took over: silence is silence, also of a lower router that was heard a while ago") {
  Election election(settings(254));
  election.step(Start{}, kStart);
  SECTION("it still speaks") {
    election.step(advert(100), kStart + milliseconds(2'900));
    const Actions actions = election.step(DeadlinePassed{}, election.deadline());
    REQUIRE(change_in(actions) != nullptr);
    CHECK(change_in(actions)->reason.why == Why::preempted);
  }
  SECTION("it spoke once, just after the start") {
    election.step(advert(100), kStart);
    const Actions actions = election.step(DeadlinePassed{}, election.deadline());
    REQUIRE(change_in(actions) != nullptr);
    CHECK(change_in(actions)->reason.why == Why::silence);
    CHECK(to_string(change_in(actions)->reason) == "no advert from 192.0.2.2 (priority 100) for 3.008s");
  }
}
