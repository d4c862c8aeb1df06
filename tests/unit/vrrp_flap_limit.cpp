#include "vipd/vrrp/flap_limit.hpp"

#include "support/catch.hpp"

using namespace vipd;
using namespace std::chrono_literals;

namespace {

TimePoint at(Duration since) { return TimePoint(1h) + since; }

}  // namespace

TEST_CASE("FlapLimit: more than so many times within the window, and then until it has been quiet for as long") {
  FlapLimit flaps;
  const auto quiet_at = [&] { return flaps.quiet_at(3, 10min); };
  CHECK(quiet_at() == TimePoint::min());
  for (const auto moment : {0min, 3min, 6min}) flaps.note(at(moment));
  CHECK(quiet_at() == TimePoint::min());
  flaps.note(at(10min));
  CHECK(quiet_at() == at(20min));
  flaps.note(at(14min));  // 3 to 14: not within ten minutes
  CHECK(quiet_at() == TimePoint::min());
  CHECK(flaps.quiet_at(4, 14min) == at(28min));
}

TEST_CASE("FlapLimit: zero is no limit, the largest is counted") {
  FlapLimit flaps;
  for (int i = 0; i < 1000; ++i) flaps.note(at(i * 1s));
  CHECK(flaps.quiet_at(0, 24h) == TimePoint::min());
  CHECK(flaps.quiet_at(FlapLimit::kLargest, 24h) == at(999s + 24h));
  CHECK(flaps.quiet_at(FlapLimit::kLargest, 99s) == TimePoint::min());
  CHECK(flaps.quiet_at(FlapLimit::kLargest, 100s) == at(1099s));
}
