// An Active router whose process was stalled: how long its peers wait for it, and its first action.
#include "support/catch.hpp"
#include "support/election_trace.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

constexpr Duration kDown = Duration(3'609'375us);  ///< Active_Down_Interval of priority 100

/// An Active router whose last advert was sent at 4 s.
Trace active(Election::Settings settings = Trace::standard()) {
  Trace router = Trace::backup(settings);
  router.step(4s, DeadlinePassed{});
  return router;
}

bool stalled(const Trace& router, Duration when) { return router.election().stalled(at(when)); }

}  // namespace

TEST_CASE("stall: peers believe in an Active router for three intervals after its last advert (RFC 9568 6.1)") {
  Trace router = active();
  CHECK_FALSE(stalled(router, 7s - 1ns));
  CHECK(stalled(router, 7s));
  router.step(5s, DeadlinePassed{});
  CHECK_FALSE(stalled(router, 7s));
  router.step(5500ms, heard(2, 50));  // an answer is an advert, too
  CHECK_FALSE(stalled(router, 8499ms));
  CHECK(stalled(router, 8500ms));
}

TEST_CASE("stall: Stalled releases, resigns after that, and listens") {
  Trace router = active();
  CHECK(router.step(14s, Stalled{}) == "release, advert 0, active to backup");
  CHECK(router.reason().why == Why::stalled);
  CHECK(router.reason().waited == 10s);
  CHECK(router.due() == 14s + kDown);
  CHECK_FALSE(stalled(router, 30s));
}

TEST_CASE("stall: Stalled is ignored by who is believed, resigns, or is not Active") {
  CHECK(active().step(6s, Stalled{}) == "nothing");
  CHECK(Trace(Trace::standard()).step(60s, Stalled{}) == "nothing");
  CHECK(Trace::backup().step(60s, Stalled{}) == "nothing");
  Trace resigning = active();
  resigning.step(5s, Stop{});
  CHECK(resigning.step(60s, Stalled{}) == "nothing");
}

TEST_CASE("stall: a shorter interval counts from the next advert on, that says so") {
  Trace router = active();
  Election::Settings faster = Trace::standard();
  faster.interval = 10ms;
  router.step(4500ms, Reconfigure{faster});
  CHECK_FALSE(stalled(router, 5s));
  router.step(router.due(), DeadlinePassed{});
  CHECK(stalled(router, router.due() + 20ms));
}
