/// Trace: drives one Election with a clock that the test owns, and writes its actions as text.
///
/// Text makes a row of a table short, and a difference reads as the sentence that is wrong.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/election.hpp"

namespace vipd::testing {

using std::chrono_literals::operator""s, std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us, std::chrono_literals::operator""ns;

/// The moment `since_start` after the test's beginning.
constexpr TimePoint at(Duration since_start) { return TimePoint(since_start); }

inline std::string text(const Action& action) {
  if (const auto* advert = std::get_if<SendAdvert>(&action)) return "advert " + std::to_string(advert->priority);
  if (const auto* change = std::get_if<StateChanged>(&action))
    return std::string(to_string(change->from)) + " to " + std::string(to_string(change->to));
  return std::holds_alternative<Claim>(action) ? "claim" : "release";
}

/// "claim, advert 100, backup to active"; "nothing" for no action.
inline std::string text(const Actions& actions) {
  std::string all;
  for (const Action& action : actions) all += (all.empty() ? "" : ", ") + text(action);
  return all.empty() ? "nothing" : all;
}

/// The Reason of the change of state among `actions`; nullopt without one.
inline std::optional<Reason> reason_in(const Actions& actions) {
  for (const Action& action : actions)
    if (const auto* change = std::get_if<StateChanged>(&action)) return change->reason;
  return std::nullopt;
}

/// All observable state of an Election, to compare before and after a step.
struct Snapshot {
  State state;
  TimePoint deadline;
  bool resigning;
  bool ready;
  bool preparing;
  std::optional<Peer> active_peer;
  Duration adopted;
  std::uint8_t priority;
  bool fit;
  bool yielding;
  Duration interval;
  bool preempt;
  bool grouped;
  bool asks_first;
  IpAddress primary;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;

  static Snapshot of(const Election& election) {
    const Election::Settings& settings = election.settings();
    return {election.state(),
            election.deadline(),
            election.resigning(),
            election.ready(),
            election.preparing(),
            election.active_peer(),
            election.adopted_interval(),
            settings.priority,
            settings.fit,
            election.yielding(),
            settings.interval,
            settings.preempt,
            settings.grouped,
            settings.asks_first,
            settings.primary};
  }
};

class Trace {
 public:
  /// Makes a router with priority 100, an interval of 1 s and the address 192.0.2.5, by default.
  explicit Trace(Election::Settings settings = standard()) : election_(settings) {}

  static Election::Settings standard() {
    return {.priority = 100, .interval = 1s, .preempt = true, .primary = *IpAddress::parse("192.0.2.5")};
  }

  /// Backup since 0 s; Active_Down_Interval ends at 3.609375 s.
  static Trace backup(Election::Settings settings = standard()) {
    Trace trace(settings);
    trace.step(0s, Start{});
    return trace;
  }

  /// Active since 0 s; its next advert is due after one interval.
  static Trace active(Election::Settings settings = standard()) {
    Trace trace(settings);
    const bool owner = settings.priority == kOwnerPriority;
    trace.step(owner ? 0s : -active_down_interval(settings.priority, settings.interval), Start{});
    if (!owner) trace.step(0s, DeadlinePassed{});
    return trace;
  }

  /// Takes one event at a time after the beginning; returns the actions as text.
  std::string step(Duration since_start, const Event& event) {
    const Actions actions = election_.step(event, at(since_start));
    if (const auto reason = reason_in(actions)) reason_ = *reason;
    return text(actions);
  }

  /// The deadline as a time after the beginning; Duration::max() for never.
  Duration due() const { return election_.deadline().time_since_epoch(); }
  State state() const { return election_.state(); }
  /// The reason of the last change of state.
  const Reason& reason() const { return reason_; }
  const Election& election() const { return election_; }

 private:
  Election election_;
  Reason reason_;
};

inline constexpr Duration kNeverDue = kNever.time_since_epoch();

/// An advert from 192.0.2.`host`.
inline Heard heard(int host, std::uint8_t priority, Duration interval = 1s) {
  return {*IpAddress::parse("192.0.2." + std::to_string(host)), priority, interval};
}

}  // namespace vipd::testing
