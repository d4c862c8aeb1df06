// Setback: when a router that failed to be Active takes part again, and when it may preempt again.
#include "vipd/node/setback.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using vipd::FaultCause;
using vipd::Setback;
using vipd::TimePoint;
using Verdict = vipd::Setback::Verdict;

namespace {

constexpr Setback::Pace kPace{.interval = 1s, .pause = 4s, .preempting = 2s};
const TimePoint kStart(100s);

Setback::World world(std::uint64_t departures = 0) {
  vipd::Interface eth0;
  eth0.index = 2;
  eth0.name = "eth0";
  return {.surroundings = {eth0}, .departures = departures, .settled = false};
}

}  // namespace

TEST_CASE("Setback: a refused claim is tolerated after the pause, patient for 30 s, over after one more takeover") {
  Setback setback(FaultCause::claim, 1, world(), kStart);
  CHECK(setback.judge(kPace, world(), kStart + 4s - 1us) == Verdict::stays);
  CHECK(setback.judge(kPace, world(), kStart + 4s) == Verdict::tolerated);
  CHECK(setback.is_patient(kStart + 30s - 1us));
  CHECK_FALSE(setback.is_patient(kStart + 30s));
  CHECK(setback.judge(kPace, world(), kStart + 36s - 1us) == Verdict::tolerated);
  CHECK(setback.judge(kPace, world(), kStart + 36s) == Verdict::over);
}

TEST_CASE("Setback: news of the kernel ends it, but not within the first interval") {
  Setback setback(FaultCause::claim, 1, world(), kStart);
  Setback::World changed = world();
  changed.surroundings.front().up = true;
  CHECK(setback.judge(kPace, changed, kStart + 1s - 1us) == Verdict::stays);
  CHECK(setback.judge(kPace, changed, kStart + 1s) == Verdict::over);
}

TEST_CASE("Setback: news that were undone again are news") {
  Setback setback(FaultCause::claim, 1, world(), kStart);
  Setback::World changed = world();
  changed.surroundings.front().up = true;
  CHECK(setback.judge(kPace, changed, kStart + 100ms) == Verdict::stays);
  CHECK(setback.judge(kPace, world(), kStart + 200ms) == Verdict::stays);
  CHECK(setback.judge(kPace, world(), kStart + 1s) == Verdict::over);
}

TEST_CASE("Setback: each further try that fails while Active doubles the pause, up to 25 s") {
  const auto tolerated_after = [](unsigned tries) {
    for (auto after = 1s; after <= 30s; after += 1s)
      if (Setback(FaultCause::claim, tries, world(), kStart).judge(kPace, world(), kStart + after) != Verdict::stays)
        return after;
    return 0s;
  };
  CHECK(tolerated_after(1) == 4s);
  CHECK(tolerated_after(2) == 8s);
  CHECK(tolerated_after(3) == 16s);
  CHECK(tolerated_after(4) == 25s);
  CHECK(tolerated_after(9) == 25s);
}

TEST_CASE("Setback: on trial, it is over when all addresses are usable") {
  Setback setback(FaultCause::claim, 1, world(), kStart);
  setback.set_on_trial(true);
  CHECK(setback.judge(kPace, world(), kStart + 40s) == Verdict::stays);
  Setback::World settled = world();
  settled.settled = true;
  CHECK(setback.judge(kPace, settled, kStart + 40s) == Verdict::over);
}

TEST_CASE("Setback: adverts that cannot be sent are tried each interval, and the first that leaves ends it") {
  Setback setback(FaultCause::sending, 1, world(7), kStart);
  CHECK(setback.due(kPace, 7) == kStart + 1s);
  CHECK(setback.judge(kPace, world(7), kStart + 1s - 1us) == Verdict::stays);
  CHECK(setback.judge(kPace, world(7), kStart + 1s) == Verdict::speak);
  CHECK(setback.due(kPace, 7) == kStart + 2s);
  CHECK(setback.judge(kPace, world(7), kStart + 4s) == Verdict::tolerated_speak);
  CHECK(setback.is_patient(kStart + 60s));
  CHECK(setback.due(kPace, 8) == TimePoint());
  CHECK(setback.judge(kPace, world(8), kStart + 5s) == Verdict::over);
}
