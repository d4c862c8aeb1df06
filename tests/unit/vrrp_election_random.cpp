// Random events in any order break no invariant. The seed is printed; VIPD_SEED sets it.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "support/catch.hpp"
#include "support/election_invariants.hpp"

namespace vipd::testing {
namespace {

std::uint64_t seed() {
  const char* given = std::getenv("VIPD_SEED");
  const std::uint64_t seed = given ? std::stoull(given) : std::random_device{}();
  std::cout << "random events of an Election: VIPD_SEED=" << seed << "\n";
  return seed;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  int roll(int least, int most) { return std::uniform_int_distribution(least, most)(engine_); }
  std::uint8_t octet(int least, int most) { return static_cast<std::uint8_t>(roll(least, most)); }
  bool coin() { return roll(0, 1) == 1; }

 private:
  std::mt19937_64 engine_;
};

Election::Settings random_settings(Dice& dice) {
  return {.priority = dice.octet(1, dice.coin() ? 255 : 3),
          .interval = Centiseconds(dice.roll(1, dice.coin() ? 4095 : 100)),
          .preempt = dice.coin(),
          .grouped = dice.coin(),
          .asks_first = dice.coin(),
          .primary = heard(dice.roll(1, 5), 0).source};
}

Heard random_advert(Dice& dice, const Election& election) {
  const int own = election.settings().priority;  // half of them near ours: ties and near misses are common
  const std::uint8_t priority =
      dice.coin() ? dice.octet(0, 255) : dice.octet(std::max(own - 1, 0), std::min(own + 1, 255));
  Heard advert = heard(dice.roll(1, 5), priority, Centiseconds(dice.roll(1, dice.coin() ? 4095 : 100)));
  if (dice.coin()) advert.age = std::chrono::microseconds(dice.roll(0, dice.coin() ? 1000 : 2'000'000));
  return advert;
}

Event random_event(Dice& dice, const Election& election) {
  switch (dice.roll(0, 21)) {
    case 0:
      return Stop{};
    case 1:
      return Fail{};
    case 2:
      return SetStanding{dice.octet(1, 255), true};
    case 3:
      return SetPrimary{heard(dice.roll(1, 5), 0).source};
    case 4:
    case 5:
      return Start{};
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return DeadlinePassed{};
    case 11:
    case 12:
      return TakeOver{};
    case 13:
      return dice.coin() ? Event(Prepare{}) : Event(Stalled{});
    case 16:
      return GiveUp{Peer{heard(dice.roll(1, 5), 0).source, dice.octet(1, 255)}};
    case 14:
    case 15:
      return SetStanding{1, false};
    default:
      return random_advert(dice, election);
  }
}

/// A random moment: often that of the deadline, otherwise a little or much later, never earlier.
TimePoint random_moment(Dice& dice, TimePoint now, const Election& election) {
  const TimePoint due = election.deadline();
  if (dice.coin() && due != kNever && due > now) return due - std::chrono::nanoseconds(dice.roll(0, 1));
  return now + std::chrono::microseconds(dice.coin() ? dice.roll(0, 1000) : dice.roll(0, 2'000'000));
}

constexpr Duration kLongestInterval = Centiseconds(4095);

/// The longest wait of a peer. A group that lost a tie waits a part of an interval more.
Duration longest_wait(const Snapshot& after) {
  if (after.grouped) return active_down_interval(after.priority, kLongestInterval) + kLongestInterval;
  return active_down_interval(after.priority, after.adopted);
}

/// Returns how often the router became Active: a walk that never left Initialize proves nothing.
int run_walk(Dice& dice, int events) {
  Election election(random_settings(dice));
  TimePoint now{};
  int activations = 0;
  for (int i = 0; i < events; ++i) {
    now = random_moment(dice, now, election);
    const Event event = random_event(dice, election);
    const Step step = Step::of(election, event, now);
    const char* broken = broken_invariant(step, election.settings(), longest_wait(step.after));
    INFO("event " << i << " of kind " << event.index() << " gave " << text(step.actions));
    REQUIRE(std::string(broken ? broken : "") == "");
    activations += step.entered(State::active);
  }
  return activations;
}

}  // namespace

TEST_CASE("Election: 100000 random events break no invariant", "[B04-][C08-]") {
  const std::uint64_t chosen = seed();
  INFO("VIPD_SEED=" << chosen);
  Dice dice(chosen);
  int activations = 0;
  for (int walk = 0; walk < 100; ++walk) activations += run_walk(dice, 1000);
  CHECK(activations > 1000);
}

}  // namespace vipd::testing
