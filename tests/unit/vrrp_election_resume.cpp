// Resume: a new process goes on as Active where the previous run ended.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

TEST_CASE("resume: Active at once, without a change of state, and with an advert that is due") {
  Trace router;
  CHECK(router.step(10s, Resume{at(12s)}) == "nothing");
  CHECK(router.state() == State::active);
  CHECK(router.due() == 10s);
  CHECK(router.step(10s, DeadlinePassed{}) == "advert 100");
  CHECK(router.due() == 11s);
  CHECK(router.election().believed_until() == at(13s));
}

TEST_CASE("resume: one that comes too late has stalled, as if it had been the same process") {
  Trace router;
  router.step(10s, Resume{at(12s)});
  CHECK_FALSE(router.election().stalled(at(12s - 1ns)));
  CHECK(router.election().stalled(at(12s)));
  CHECK(router.step(12s, Stalled{}) == "release, advert 0, active to backup");
}

TEST_CASE("resume: a fault that is found then releases and resigns") {
  Trace router;
  router.step(10s, Resume{at(12s)});
  CHECK(router.step(10s, Fail{}) == "release, advert 0, active to initialize");
}

TEST_CASE("F24 resume: a Backup goes on with its wait, whoever asks for one more process") {
  Trace router;
  CHECK(router.step(10s, Start{.wait_ends = at(10s + 100ms)}) == "initialize to backup");
  CHECK(router.due() == 10s + 100ms);
  CHECK(router.election().kept_wait(at(10s + 50ms)) == Start{.wait_ends = at(10s + 100ms)});
  CHECK(router.step(10s + 100ms, DeadlinePassed{}) == "claim, advert 100, backup to active");
  CHECK(router.election().kept_wait(at(11s)) == Start{});
}

TEST_CASE("F24 resume: a wait that is over ends at once, and none is longer than one that begins now") {
  Trace late;
  late.step(10s, Start{.wait_ends = at(9s)});
  CHECK(late.due() == 10s);
  Trace endless;
  endless.step(10s, Start{.wait_ends = at(3600s)});
  CHECK(endless.due() == 10s + active_down_interval(100, endless.election().settings().max_adopted_interval));
}

TEST_CASE("F24 resume: an advert of the Active router begins the wait anew, as it does in one process") {
  Trace router;
  router.step(10s, Start{.wait_ends = at(10s + 100ms)});
  router.step(10s + 50ms, Heard{.source = *IpAddress::parse("192.0.2.9"), .priority = 200, .interval = 1s});
  CHECK(router.due() == 10s + 50ms + active_down_interval(100, 1s));
}

TEST_CASE("F24 resume: a standing that changes does not begin the wait anew") {
  Trace router;
  router.step(10s, Start{.wait_ends = at(10s + 100ms)});
  router.step(10s + 20ms, SetStanding{.priority = 90});
  CHECK(router.due() <= 10s + 200ms);
}

TEST_CASE("resume: only from Initialize") {
  Trace backup = Trace::backup();
  CHECK(backup.step(1s, Resume{at(12s)}) == "nothing");
  CHECK(backup.state() == State::backup);
}
