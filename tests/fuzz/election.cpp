// Any events at any times: an Election breaks none of its invariants. Time jumps to deadlines, so few octets lead far.
// With VIPD_TRACE in the environment each step is printed.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/bytes.hpp"
#include "support/election_invariants.hpp"
#include "vipd/base/assert.hpp"

using namespace vipd;
using namespace vipd::testing;
using fuzz::Bytes;

namespace {

IpAddress address(std::uint8_t host) {
  const std::uint8_t octets[] = {192, 0, 2, static_cast<std::uint8_t>(1 + host % 5)};
  return {Family::ipv4, octets};
}

Duration interval(Bytes& bytes, int version) {
  if (version == 2) return std::chrono::seconds(bytes.number(1, 255));
  return Centiseconds(bytes.coin() ? bytes.number(1, 4095) : 100);
}

constexpr Duration kLongestInterval = std::chrono::seconds(255), kLongestDelay = std::chrono::milliseconds(65'535);
/// The longest wait; the settings may have been different when a wait began.
const Duration kLongestWait = active_down_interval(1, kLongestInterval) + kLongestInterval + 2 * kLongestDelay;

/// Settings that the configuration allows.
Election::Settings settings(Bytes& bytes) {
  Election::Settings chosen;
  const unsigned choice = bytes.octet();
  chosen.version = (choice & 1) != 0 ? 2 : 3;
  chosen.preempt = (choice & 2) != 0;
  chosen.grouped = (choice & 4) != 0;
  chosen.asks_first = (choice & 8) != 0;
  if ((choice & 16) != 0) chosen.preempt_delay = std::chrono::milliseconds(bytes.word());
  if ((choice & 32) != 0) chosen.startup_delay = std::chrono::milliseconds(bytes.word());
  chosen.priority = static_cast<std::uint8_t>(bytes.number(1, 255));
  chosen.interval = interval(bytes, chosen.version);
  chosen.max_adopted_interval = std::max<Duration>(chosen.interval, std::chrono::seconds(10));
  chosen.primary = address(bytes.octet());
  return chosen;
}

/// A priority. Half of them are near ours, so ties and near misses are common.
std::uint8_t priority(Bytes& bytes, const Election& election) {
  const int octet = bytes.octet(), own = election.settings().priority;
  if (octet % 8 == 7) return bytes.octet();
  return static_cast<std::uint8_t>(octet % 8 == 0 ? 0 : std::clamp(own + octet % 8 - 3, 0, 255));
}

Event event(Bytes& bytes, const Election& election, TimePoint now) {
  const unsigned choice = bytes.octet();
  switch (choice % 16) {
    case 0:
      return Stop{};
    case 1:
      return Fail{};
    case 2:
      return SetStanding{static_cast<std::uint8_t>(bytes.number(1, 255)), true};
    case 3:
      return SetStanding{1, false};
    case 4:
      return SetPrimary{address(bytes.octet())};
    case 5:
      return Reconfigure{settings(bytes)};
    case 6:
      return Stalled{};
    case 7:
      return Prepare{};
    case 8:
      return TakeOver{};
    case 9:
      return GiveUp{bytes.coin() ? std::optional(Peer{address(bytes.octet()), priority(bytes, election)})
                                 : std::nullopt};
    case 10:  // a claim may be long past, or valid for the longest time
      if (choice >= 128) return Resume{now + std::chrono::milliseconds(bytes.word() * 12) - std::chrono::seconds(15)};
      return Start{};
    case 11:
    case 12:
      return DeadlinePassed{};
    default:
      return Heard{address(bytes.octet()), priority(bytes, election), interval(bytes, election.settings().version),
                   choice < 128 ? Duration::zero() : std::chrono::milliseconds(bytes.octet())};
  }
}

TimePoint later(Bytes& bytes, TimePoint now, const Election& election) {
  const unsigned choice = bytes.octet();
  const TimePoint due = election.deadline();
  const bool can_wait = due != kNever && due > now;
  switch (choice % 4) {
    case 0:
      return now + std::chrono::microseconds(choice);
    case 1:
      return can_wait ? due - std::chrono::nanoseconds(choice / 4 % 2) : now;
    case 2:
      return (can_wait ? due : now) + std::chrono::milliseconds(choice);
    default:
      return now + std::chrono::milliseconds(bytes.word() * 2);
  }
}

const bool kTrace = std::getenv("VIPD_TRACE") != nullptr;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

void print(const Step& step) {
  std::fprintf(stderr, "%.6f event %zu: %s; %s, priority %d%s%s%s%s, deadline in %.6f\n",
               seconds(step.now.time_since_epoch()), step.event.index(), text(step.actions).c_str(),
               std::string(to_string(step.after.state)).c_str(), step.after.priority, step.after.fit ? "" : " unfit",
               step.after.ready ? " ready" : "", step.after.preparing ? " preparing" : "",
               step.after.yielding ? " yielding" : "",
               step.after.deadline == kNever ? -1. : seconds(step.after.deadline - step.now));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  Election election(settings(bytes));
  TimePoint now{};
  while (!bytes.empty()) {
    const Event what = event(bytes, election, now);
    now = later(bytes, now, election);
    const Step step = Step::of(election, what, now);
    if (kTrace) print(step);
    if (const char* broken = broken_invariant(step, election.settings(), kLongestWait)) {
      std::fprintf(stderr, "broken: %s (event of kind %zu, %s)\n", broken, what.index(), text(step.actions).c_str());
      VIPD_ASSERT(false);
    }
  }
  return 0;
}
