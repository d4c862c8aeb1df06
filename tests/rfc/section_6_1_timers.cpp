// RFC 9568 6.1: Skew_Time, Active_Down_Interval and Preempt_Mode.
#include <string>

#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

struct TimerRow {
  int priority;
  Centiseconds interval;
  Duration skew, down;
};

constexpr TimerRow kTimers[] = {
    {100, Centiseconds(100), 609'375'000ns, 3'609'375'000ns},
    {254, Centiseconds(100), 7'812'500ns, 3'007'812'500ns},
    {1, Centiseconds(100), 996'093'750ns, 3'996'093'750ns},
    {255, Centiseconds(100), 3'906'250ns, 3'003'906'250ns},
    {100, Centiseconds(1), 6'093'750ns, 36'093'750ns},
    {1, Centiseconds(4095), 40'790'039'062ns, 163'640'039'062ns},
    {200, Centiseconds(50), 109'375'000ns, 1'609'375'000ns},
};

Election::Settings without_preempt(std::uint8_t priority = 100) {
  Election::Settings settings = Trace::standard();
  settings.priority = priority;
  settings.preempt = false;
  return settings;
}

}  // namespace

TEST_CASE("C05 RFC 9568 6.1: skew time and Active_Down_Interval to the nanosecond", "[C05+]") {
  for (const TimerRow& row : kTimers) {
    INFO("priority " << row.priority << " interval " << row.interval.count() << " cs");
    const auto priority = static_cast<std::uint8_t>(row.priority);
    CHECK(skew_time(priority, row.interval) == row.skew);
    CHECK(active_down_interval(priority, row.interval) == row.down);
  }
}

TEST_CASE("C05 RFC 9568 6.1: at the shortest interval each priority still has a skew time of its own", "[C05-]") {
  for (int priority = 1; priority < 255; ++priority) {
    INFO("priority " << priority);
    const auto lower = static_cast<std::uint8_t>(priority);
    const auto higher = static_cast<std::uint8_t>(priority + 1);
    CHECK(skew_time(lower, 10ms) - skew_time(higher, 10ms) >= 39'062ns);
  }
  CHECK(skew_time(255, 10ms) > 0ns);
}

TEST_CASE("C05 RFC 9568 6.1: a Backup's deadline is that of the table", "[C05+]") {
  for (const TimerRow& row : kTimers) {
    if (row.priority == kOwnerPriority) continue;
    Election::Settings settings = Trace::standard();
    settings.priority = static_cast<std::uint8_t>(row.priority);
    settings.interval = row.interval;
    CHECK(Trace::backup(settings).due() == row.down);
  }
}

TEST_CASE("B04 RFC 9568 6.1: the priority is 100 and preemption on if nothing is said", "[B04+]") {
  const Election::Settings settings;
  CHECK(settings.priority == 100);
  CHECK(settings.interval == 1s);
  CHECK(settings.preempt);
}

TEST_CASE("C14 RFC 9568 6.1: with preempt off a live Active router of lower priority is left alone", "[C14-]") {
  Trace router = Trace::backup(without_preempt());
  for (Duration now = 1s; now < 20s; now += 1s) {
    CHECK(router.step(now, heard(2, 1)) == "nothing");
    CHECK(router.due() == now + 3'609'375us);
    CHECK(router.step(now + 999ms, DeadlinePassed{}) == "nothing");
  }
  CHECK(router.state() == State::backup);
}

TEST_CASE("C14 RFC 9568 6.1: with preempt off silence is still the end of waiting", "[C14+]") {
  Trace router = Trace::backup(without_preempt());
  router.step(1s, heard(2, 1));
  CHECK(router.step(4'609'375us, DeadlinePassed{}) == "claim, advert 100, backup to active");
  CHECK(router.reason().why == Why::silence);
  CHECK(router.reason().waited == 3'609'375us);
}

TEST_CASE("C14 RFC 9568 6.1: with preempt on a lower priority is preempted once", "[C12+]") {
  Trace router = Trace::backup();
  for (const Duration now : {1s, 2s, 3s}) CHECK(router.step(now, heard(2, 99)) == "nothing");
  CHECK(router.step(3'609'375us, DeadlinePassed{}) == "claim, advert 100, backup to active");
  CHECK(router.reason().why == Why::preempted);
  CHECK(router.reason().peer == Peer{heard(2, 99).source, 99});
}

TEST_CASE("C14 RFC 9568 6.1: an owner that became Backup preempts even with preempt off", "[C14+]") {
  Trace router = Trace::active(without_preempt(kOwnerPriority));
  // Another owner, with a greater address.
  CHECK(router.step(500ms, heard(9, kOwnerPriority)) == "release, advert 255, active to backup");
  const Duration due = router.due();
  CHECK(router.step(1s, heard(2, 254)) == "nothing");
  CHECK(router.due() == due);
  CHECK(router.step(due, DeadlinePassed{}) == "claim, advert 255, backup to active");
}

}  // namespace vipd::testing
