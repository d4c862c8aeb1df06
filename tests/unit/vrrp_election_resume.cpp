// Resume: a new process goes on as Active where the one before left off.
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

TEST_CASE("resume: only from Initialize") {
  Trace backup = Trace::backup();
  CHECK(backup.step(1s, Resume{at(12s)}) == "nothing");
  CHECK(backup.state() == State::backup);
}
