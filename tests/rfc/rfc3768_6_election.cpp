// RFC 3768 6: the timers and states of VRRPv2, where they differ from VRRPv3.
#include <string>

#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

Election::Settings v2(Duration interval = 1s) {
  Election::Settings settings = Trace::standard();
  settings.version = 2;
  settings.interval = interval;
  return settings;
}

}  // namespace

TEST_CASE("RFC 3768 6.1: skew time is a part of a second, whatever the interval", "[C06+]") {
  struct Row {
    std::uint8_t priority;
    Duration interval, skew, down;
  };
  constexpr Row kRows[] = {{100, 1s, 609'375us, 3'609'375us},
                           {100, 10s, 609'375us, 30'609'375us},
                           {254, 255s, 7'812'500ns, 765'007'812'500ns},
                           {1, 3s, 996'093'750ns, 9'996'093'750ns},
                           {255, 1s, 3'906'250ns, 3'003'906'250ns}};
  for (const Row& row : kRows) {
    INFO("priority " << int{row.priority} << " interval " << row.interval.count() << " ns");
    CHECK(skew_time(row.priority, row.interval, 2) == row.skew);
    CHECK(active_down_interval(row.priority, row.interval, 2) == row.down);
  }
}

TEST_CASE("RFC 3768 6.1: VRRPv3 multiplies the interval in its place", "[C06-]") {
  CHECK(skew_time(100, 10s) == 6'093'750us);
  CHECK(skew_time(100, 10s) != skew_time(100, 10s, 2));
}

TEST_CASE("RFC 3768 6.4.2: a Backup waits for Master_Down_Interval and after a priority 0 for Skew_Time",
          "[C06+][D12+]") {
  Trace router = Trace::backup(v2(10s));
  CHECK(router.due() == 30'609'375us);
  router.step(5s, heard(2, 200, 10s));
  CHECK(router.due() == 35'609'375us);
  router.step(6s, heard(2, 0, 10s));
  CHECK(router.due() == 6'609'375us);
  CHECK(router.step(6'609'375us, DeadlinePassed{}) == "claim, advert 100, backup to active");
}

TEST_CASE("RFC 3768 6.4.2: a change of priority moves the deadline by the skew of a second", "[C06+]") {
  Trace router = Trace::backup(v2(10s));
  router.step(1s, SetStanding{200});
  CHECK(router.due() == 30s + skew_time(200, 1s));
}

TEST_CASE("RFC 3768 6.4.3: an Active router is silent about a losing advert", "[D12+][D12-]") {
  Trace router = Trace::active(v2());
  const Snapshot before = Snapshot::of(router.election());
  CHECK(router.step(500ms, heard(2, 99)) == "nothing");
  CHECK(router.step(500ms, heard(2, 100)) == "nothing");  // our address 192.0.2.5 is the greater
  CHECK(Snapshot::of(router.election()) == before);
  CHECK(Trace::active().step(500ms, heard(2, 99)) == "advert 100");  // VRRPv3 answers
}

TEST_CASE("RFC 3768 6.4.3: an Active router answers a priority 0 and yields to a winning advert", "[D12+]") {
  Trace router = Trace::active(v2());
  CHECK(router.step(500ms, heard(2, 0)) == "advert 100");
  CHECK(router.due() == 1500ms);
  CHECK(router.step(600ms, heard(9, 100)) == "release, advert 100, active to backup");
  CHECK(router.due() == 600ms + 3'609'375us);
}

TEST_CASE("RFC 3768 6.4.3: a stop waits one interval and the largest skew of a second", "[D12+]") {
  Trace router = Trace::active(v2(10s));
  CHECK(router.step(1s, Stop{}) == "advert 0");
  CHECK(router.step(11s, DeadlinePassed{}) == "advert 0");
  CHECK(router.due() == 11s + 996'093'750ns);
  CHECK(router.step(router.due(), DeadlinePassed{}) == "release, active to initialize");
}

TEST_CASE("RFC 3768 6.1: the defaults are an interval of one second, priority 100 and preemption", "[D16+]") {
  const Election::Settings settings;
  CHECK(settings.interval == 1s);
  CHECK(settings.priority == 100);
  CHECK(settings.preempt);
}

}  // namespace vipd::testing
