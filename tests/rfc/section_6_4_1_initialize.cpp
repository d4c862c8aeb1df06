// RFC 9568 6.4.1: Initialize.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

Election::Settings owner() {
  Election::Settings settings = Trace::standard();
  settings.priority = kOwnerPriority;
  return settings;
}

}  // namespace

TEST_CASE("C01 RFC 9568 6.4.1: an owner that starts claims then speaks and is Active at once", "[C01+]") {
  Trace router(owner());
  CHECK(router.step(0s, Start{}) == "claim, advert 255, initialize to active");
  CHECK(router.due() == 1s);
  CHECK(router.reason().why == Why::owner);
}

TEST_CASE("C01 RFC 9568 6.4.1: priority 254 is no owner", "[C01-]") {
  Election::Settings settings = owner();
  settings.priority = 254;
  Trace router(settings);
  CHECK(router.step(0s, Start{}) == "initialize to backup");
}

TEST_CASE("C04 RFC 9568 6.4.1: any other router listens for its own Active_Down_Interval first", "[C04+][C04-]") {
  Trace router;
  CHECK(router.step(5s, Start{}) == "initialize to backup");
  CHECK(router.due() == 5s + 3'609'375us);
  CHECK(router.election().adopted_interval() == 1s);
  CHECK(router.reason().why == Why::started);
  CHECK(router.step(router.due() - 1ns, DeadlinePassed{}) == "nothing");
  CHECK(router.step(router.due(), DeadlinePassed{}) == "claim, advert 100, backup to active");
}

TEST_CASE("C04 RFC 9568 6.4.1: an interval adopted in an earlier life is forgotten at the start", "[C04-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 200, 40s));
  router.step(2s, Fail{});
  router.step(3s, Start{});
  CHECK(router.election().adopted_interval() == 1s);
  CHECK(router.due() == 3s + 3'609'375us);
}

TEST_CASE("C32 RFC 9568 6.4.1: adverts heard in Initialize are ignored", "[C32-]") {
  Trace router;
  const Snapshot before = Snapshot::of(router.election());
  for (const int priority : {0, 1, 100, 255})
    CHECK(router.step(1s, heard(9, static_cast<std::uint8_t>(priority), 40s)) == "nothing");
  CHECK(Snapshot::of(router.election()) == before);
  CHECK(router.due() == kNeverDue);
}

TEST_CASE("C32 RFC 9568 6.4.1: what was heard before a fault does not count after it", "[C32-]") {
  Trace router = Trace::backup();
  router.step(1s, heard(2, 0));  // a Backup would take over after the skew time alone
  CHECK(router.step(1'100ms, Fail{}) == "backup to initialize");
  CHECK_FALSE(router.election().active_peer().has_value());
  CHECK(router.step(2s, Start{}) == "initialize to backup");
  CHECK(router.due() == 2s + 3'609'375us);
  router.step(router.due(), DeadlinePassed{});
  CHECK(router.reason().why == Why::silence);
  CHECK_FALSE(router.reason().peer.has_value());
}

}  // namespace vipd::testing
