// RFC 9568 6.4.2: Backup.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

Election::Settings without_preempt() {
  Election::Settings settings = Trace::standard();
  settings.preempt = false;
  return settings;
}

}  // namespace

TEST_CASE("C08 RFC 9568 6.4.2: a Backup that stops says nothing and waits for nothing", "[C08+][C08-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200));
  CHECK(router.step(2s, Stop{}) == "backup to initialize");
  CHECK(router.due() == kNeverDue);
  CHECK(router.reason().why == Why::stopped);
  CHECK(router.step(100s, DeadlinePassed{}) == "nothing");
}

TEST_CASE("C08 RFC 9568 6.4.2: a Backup that fails says nothing either", "[C08-][C32+]") {
  Trace router = Trace::backup();
  CHECK(router.step(2s, Fail{}) == "backup to initialize");
  CHECK(router.reason().why == Why::fault);
}

TEST_CASE("C09 RFC 9568 6.4.2: silence makes a Backup Active", "[C09+][C09-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200));
  CHECK(router.step(4'609'374'999ns, DeadlinePassed{}) == "nothing");
  CHECK(router.step(4'609'375us, DeadlinePassed{}) == "claim, advert 100, backup to active");
  CHECK(router.due() == 5'609'375us);
  CHECK(router.reason() == Reason{Why::silence, Peer{heard(2, 200).source, 200}, 100, 3'609'375us});
}

TEST_CASE("C09 RFC 9568 6.4.2: an advert of an equal or higher priority puts the takeover off", "[C09-]") {
  Trace router = Trace::backup();
  CHECK(router.step(3'609'374us, heard(2, 100)) == "nothing");
  CHECK(router.step(3'609'375us, DeadlinePassed{}) == "nothing");
  CHECK(router.due() == 7'218'749us);
}

TEST_CASE("C09 RFC 9568 6.4.2: the wait counts from when the advert arrived", "[C09+]") {
  Trace router = Trace::backup();
  router.step(1s, Heard{.source = heard(2, 200).source, .priority = 200, .interval = 1s, .age = 300us});
  CHECK(router.due() == 4'609'375us - 300us);
  router.step(2s, Heard{.source = heard(2, 200).source, .priority = 0, .interval = 1s, .age = 999ms});
  CHECK(router.due() == 1'001ms + 609'375us);
  CHECK(router.step(2s, DeadlinePassed{}) == "claim, advert 100, backup to active");
  CHECK(router.reason().waited == 999ms);
}

TEST_CASE("C09 of a Backup that has not read for an interval, no old advert ends the wait", "[C09-]") {
  Trace router = Trace::backup();
  router.step(9s, Heard{.source = heard(2, 200).source, .priority = 200, .interval = 1s, .age = 8s});
  CHECK(router.due() == 9s + 3'609'375us);
  router.step(10s, Heard{.source = heard(2, 200).source, .priority = 0, .interval = 1s, .age = 1s});
  CHECK(router.due() == 10s + 609'375us);
}

TEST_CASE("C10 RFC 9568 6.4.2: priority 0 leaves a Backup its skew time", "[C10+]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200));
  CHECK(router.step(1'500ms, heard(2, 0)) == "nothing");
  CHECK(router.due() == 1'500ms + 609'375us);
  CHECK(router.step(router.due() - 1ns, DeadlinePassed{}) == "nothing");
  CHECK(router.step(router.due(), DeadlinePassed{}) == "claim, advert 100, backup to active");
  CHECK(router.reason().why == Why::peer_resigned);
  CHECK(router.reason().peer->address.to_string() == "192.0.2.2");
}

TEST_CASE("C10 RFC 9568 6.4.2: the skew time is that of the interval adopted", "[C10+][C10-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200, 2s));
  router.step(1'500ms, heard(2, 0, 100ms));
  CHECK(router.election().adopted_interval() == 2s);
  CHECK(router.due() == 1'500ms + 1'218'750us);
}

TEST_CASE("C10 RFC 9568 6.4.2: another router that speaks up after a priority 0 is waited for again", "[C10-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 0));
  router.step(1'100ms, heard(3, 150));
  CHECK(router.due() == 1'100ms + 3'609'375us);
  router.step(router.due(), DeadlinePassed{});
  CHECK(router.reason().why == Why::silence);
}

TEST_CASE("C10 after a priority 0 an advert of lower priority does not put the takeover off", "[C10+]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200));
  router.step(1'500ms, heard(2, 0));
  router.step(1'600ms, heard(3, 50));
  CHECK(router.due() == 1'500ms + 609'375us);
  router.step(router.due(), DeadlinePassed{});
  // The reason names the router that has resigned.
  if (router.reason().why == Why::peer_resigned) CHECK(router.reason().peer->address.to_string() == "192.0.2.2");
}

TEST_CASE("C11 RFC 9568 6.4.2: an advert of higher priority is obeyed and its interval adopted", "[C11+]") {
  Trace router = Trace::backup();
  CHECK(router.step(1s, heard(2, 200, 2s)) == "nothing");
  CHECK(router.election().adopted_interval() == 2s);
  CHECK(router.due() == 1s + 7'218'750us);
  CHECK(router.election().active_peer() == Peer{heard(2, 200).source, 200});
}

TEST_CASE("C11 RFC 9568 6.4.2: a Backup of 10 cs does not time out behind an Active router of 100 cs", "[C11-]") {
  Election::Settings settings = Trace::standard();
  settings.interval = 100ms;
  Trace router = Trace::backup(settings);
  router.step(100ms, heard(2, 200));
  for (Duration now = 1'100ms; now < 10s; now += 1s) {
    CHECK(router.step(now - 1ms, DeadlinePassed{}) == "nothing");
    CHECK(router.step(now, heard(2, 200)) == "nothing");
  }
  CHECK(router.state() == State::backup);
}

TEST_CASE("C11 RFC 9568 6.4.2: with preempt off a lower priority is obeyed in the same way", "[C11+]") {
  Trace router = Trace::backup(without_preempt());
  CHECK(router.step(1s, heard(2, 50, 2s)) == "nothing");
  CHECK(router.election().adopted_interval() == 2s);
  CHECK(router.due() == 1s + 7'218'750us);
}

TEST_CASE("C11 the adopted interval ends when we are Active ourselves", "[C11-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200, 2s));
  router.step(router.due(), DeadlinePassed{});
  const Duration takeover = 8'218'750us;
  CHECK(router.due() == takeover + 1s);
  CHECK(router.election().adopted_interval() == 1s);
  CHECK_FALSE(router.election().active_peer().has_value());
}

TEST_CASE("C12 RFC 9568 6.4.2: with preempt on a lower priority neither puts off nor is adopted", "[C12+]") {
  Trace router = Trace::backup();
  const Duration due = router.due();
  CHECK(router.step(1s, heard(2, 99, 40s)) == "nothing");
  CHECK(router.due() == due);
  CHECK(router.election().adopted_interval() == 1s);
  CHECK(router.step(due, DeadlinePassed{}) == "claim, advert 100, backup to active");
}

TEST_CASE("C12 RFC 9568 6.4.2: a priority that is not lower is never discarded", "[C12-]") {
  for (const int priority : {100, 101, 254, 255}) {
    Trace router = Trace::backup();
    router.step(1s, heard(2, static_cast<std::uint8_t>(priority)));
    CHECK(router.due() == 1s + 3'609'375us);
  }
}

TEST_CASE("C13 RFC 9568 6.4.2: a Backup obeys its own priority from a lesser and from a greater address",
          "[C13+][C13-]") {
  for (const int host : {1, 9}) {
    for (const bool preempt : {true, false}) {
      Trace router = Trace::backup(preempt ? Trace::standard() : without_preempt());
      CHECK(router.step(1s, heard(host, 100, 2s)) == "nothing");
      CHECK(router.due() == 1s + 7'218'750us);
    }
  }
}

TEST_CASE("C12 a new priority counts from the moment at which the wait began") {
  Trace router = Trace::backup();
  CHECK(router.step(1s, SetStanding{254}) == "nothing");
  CHECK(router.due() == 3'007'812'500ns);
  router.step(2s, heard(2, 0));
  router.step(2'001ms, SetStanding{100});
  CHECK(router.due() == 2s + 609'375us);
}

}  // namespace vipd::testing
