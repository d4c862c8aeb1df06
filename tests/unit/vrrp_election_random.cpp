// Random events: whatever comes in whatever order, some things never happen. The seed is printed; VIPD_SEED sets it.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

std::uint64_t seed() {
  const char* given = std::getenv("VIPD_SEED");
  const std::uint64_t seed = given ? std::stoull(given) : std::random_device{}();
  std::cout << "random events of an Election: VIPD_SEED=" << seed << "\n";
  return seed;
}

constexpr Duration kLongestInterval = Centiseconds(4095);

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
  const int own = election.settings().priority;  // half of them near ours, so that ties and near misses are common
  const std::uint8_t priority =
      dice.coin() ? dice.octet(0, 255) : dice.octet(std::max(own - 1, 0), std::min(own + 1, 255));
  return heard(dice.roll(1, 5), priority, Centiseconds(dice.roll(1, dice.coin() ? 4095 : 100)));
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

/// Often the very moment of the deadline, else a little or much later, never earlier.
TimePoint random_moment(Dice& dice, TimePoint now, const Election& election) {
  const TimePoint due = election.deadline();
  if (dice.coin() && due != kNever && due > now) return due - std::chrono::nanoseconds(dice.roll(0, 1));
  return now + std::chrono::microseconds(dice.coin() ? dice.roll(0, 1000) : dice.roll(0, 2'000'000));
}

/// What a step came from and led to.
struct Step {
  Snapshot before, after;
  Actions actions;
  TimePoint now;

  template <typename T>
  int count() const {
    int count = 0;
    for (const Action& action : actions) count += std::holds_alternative<T>(action);
    return count;
  }
  bool entered(State state) const { return before.state != state && after.state == state; }
  bool left(State state) const { return before.state == state && after.state != state; }
};

void check_state(const Step& step) {
  const Snapshot& after = step.after;
  REQUIRE((after.deadline == kNever) == (after.state == State::initialize || (after.ready && !after.preparing)));
  if (after.preparing) REQUIRE(after.ready);
  if (after.ready) REQUIRE(((after.grouped || after.asks_first) && after.state == State::backup));
  if (after.resigning) REQUIRE(after.state == State::active);
  if (after.state != State::backup) REQUIRE_FALSE(after.active_peer.has_value());
  if (after.state == State::backup && !after.ready)
    REQUIRE(after.deadline - step.now <=
            active_down_interval(after.priority, after.grouped ? kLongestInterval : after.adopted) +
                (after.grouped ? kLongestInterval : Duration::zero()));
  const Duration gap = after.offering ? after.interval * 3 / 2 : after.interval;
  if (after.state == State::active && !after.resigning) REQUIRE(after.deadline - step.now <= gap);
  if (after.offering) REQUIRE((after.state == State::active && !after.fit));
}

void check_changes(const Step& step) {
  REQUIRE(step.count<StateChanged>() == (step.before.state != step.after.state));
  REQUIRE(step.count<Claim>() == step.entered(State::active));
  REQUIRE(step.count<Release>() == step.left(State::active));
  for (const Action& action : step.actions) {
    const auto* change = std::get_if<StateChanged>(&action);
    if (!change) continue;
    REQUIRE(change->from == step.before.state);
    REQUIRE(change->to == step.after.state);
    REQUIRE_FALSE(to_string(change->reason).empty());
  }
}

/// One advert at most: our priority from a router that is Active or prepares for it, 0 from one that leaves, is about
/// to, or is unfit.
void check_adverts(const Step& step) {
  REQUIRE(step.count<SendAdvert>() <= 1);
  for (const Action& action : step.actions) {
    const auto* advert = std::get_if<SendAdvert>(&action);
    if (!advert) continue;
    const bool gave_up = step.before.preparing && step.after.state == State::initialize;
    const bool leaving = step.left(State::active) || gave_up || step.after.resigning || step.after.offering;
    REQUIRE(advert->priority == (leaving ? kResignPriority : step.after.priority));
    REQUIRE((leaving || step.after.state == State::active || step.after.preparing));
  }
}

/// Claim before the advert that draws the traffic here, Release before the one that sends it away, the change last.
void check_order(const Step& step) {
  const std::string all = text(step.actions);
  const auto claim = all.find("claim"), release = all.find("release");
  if (claim != std::string::npos) REQUIRE(claim == 0);
  if (release != std::string::npos) REQUIRE(release == 0);
  if (step.count<StateChanged>() == 1) REQUIRE(std::holds_alternative<StateChanged>(*(step.actions.end() - 1)));
}

/// Nothing but what was set changes in the settings.
void check_settings(const Step& step, const Event& event) {
  const auto* priority = std::get_if<SetStanding>(&event);
  const auto* primary = std::get_if<SetPrimary>(&event);
  REQUIRE(step.after.priority == (priority ? priority->priority : step.before.priority));
  REQUIRE(step.after.fit == (priority ? priority->fit : step.before.fit));
  REQUIRE(step.after.primary == (primary ? primary->address : step.before.primary));
  REQUIRE(step.after.interval == step.before.interval);
  REQUIRE(step.after.preempt == step.before.preempt);
}

/// Returns how often it became Active, so that a walk that never left Initialize is not taken for a proof.
int run_walk(Dice& dice, int events) {
  Election election(random_settings(dice));
  TimePoint now{};
  int activations = 0;
  for (int i = 0; i < events; ++i) {
    now = random_moment(dice, now, election);
    const Event event = random_event(dice, election);
    const Snapshot before = Snapshot::of(election);
    const Actions actions = election.step(event, now);
    const Step step{before, Snapshot::of(election), actions, now};
    INFO("event " << i << " of kind " << event.index() << " gave " << text(actions));
    check_state(step);
    check_changes(step);
    check_adverts(step);
    check_order(step);
    check_settings(step, event);
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
