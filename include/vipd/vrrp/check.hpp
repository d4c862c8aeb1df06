/// Check: is a service fit to be served from here; the judgement, not the asking.
///
/// Says when the next run is due, takes what came of it, and keeps the verdict: a first result decides at once, after
/// that `fall` failures in a row turn it, and `rise` successes turn it back. A run is due an interval after the last
/// one was due, whatever that one took, and there is never more than one of them. Who runs it is the CheckSet's
/// business; what a failed check does to an instance ends in its Health, see Standing.
///
/// A run that came to nothing (vipd-runner refused it, or was lost) says nothing of the service. The verdict stays and
/// is stale from then on. A verdict is stale, too, when no result has come for three intervals and the timeout. A stale
/// verdict counts as before; only status and log say that it is stale, and why.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {

/// What is known: unknown until the first result.
enum class CheckState : std::uint8_t { unknown, pass, fail };

/// "unknown", "pass", "fail".
std::string_view to_string(CheckState state);

/// What a failed check does to the instances that list it.
struct OnFail {
  enum class Effect : std::uint8_t {
    yield,  ///< unfit: in the election with priority 1
    fault,  ///< out of the election
    weight
  };
  Effect effect = Effect::yield;
  int weight = 0;  ///< of Effect::weight: is added to the priority, -253..253, not 0

  friend bool operator==(const OnFail&, const OnFail&) = default;
};

/// "yield", "fault", "-20".
std::string to_string(const OnFail& on_fail);

/// By what a check is judged.
struct CheckRules {
  Duration interval = std::chrono::seconds(1);  ///< 100ms..1h, from run to run
  Duration timeout = std::chrono::seconds(1);   ///< 10ms..10m; a run that takes longer has failed
  unsigned rise = 2;                            ///< successes in a row that mend it, 1..1000
  unsigned fall = 2;                            ///< failures in a row that break it, 1..1000
  bool invert = false;                          ///< a failure is a success
  CheckState initial = CheckState::fail;        ///< what it counts as while it is unknown
  OnFail on_fail;
  bool delivers_weight = false;  ///< a success comes with a number that is added to the priority

  friend bool operator==(const CheckRules&, const CheckRules&) = default;
};

/// What one run came to.
struct CheckResult {
  bool passed = false;
  std::string detail = {};  ///< "exit status 1"
  int weight = 0;
};

class Check {
 public:
  /// Due at once. While it is unknown it counts as `initial`.
  Check(const CheckRules& rules, CheckState initial, TimePoint now)
      : rules_(rules), initial_(initial), since_(now), heard_(now), due_(now) {}

  /// Other rules: what is known stays until the next result, which decides and is due at once.
  void reconfigure(const CheckRules& rules, TimePoint now);

  /// When the next run is; kNever while one is under way.
  TimePoint due() const { return running_ ? kNever : due_; }
  void started(TimePoint now);
  /// Something has changed: the next run is due now, unless one is under way.
  void hurry(TimePoint now) { due_ = std::min(due_, now); }
  /// What the run came to. An error is no verdict on the service: it says why there is no result.
  void finished(const Result<CheckResult>& result, TimePoint now);

  CheckState state() const { return state_; }
  /// For the instances: that of the first result to come counts as `initial`.
  bool passes() const { return (state_ == CheckState::unknown ? initial_ : state_) == CheckState::pass; }
  /// Why the verdict is stale; empty if it is not.
  std::string stale_reason(TimePoint now) const;
  bool is_stale(TimePoint now) const { return !stale_reason(now).empty(); }
  /// From when on the verdict is stale if no result comes.
  TimePoint stale_from() const { return heard_ + 3 * rules_.interval + rules_.timeout + Duration(1); }
  /// Since when it is in this state.
  TimePoint since() const { return since_; }
  /// Of the last result that agreed with the state: "exit status 1"; empty if there is nothing to say.
  const std::string& detail() const { return detail_; }
  /// What it adds to the priority now.
  int weight() const;
  const CheckRules& rules() const { return rules_; }

 private:
  void judge(const CheckResult& result, TimePoint now);

  CheckRules rules_;
  CheckState initial_;
  CheckState state_ = CheckState::unknown;
  bool decides_ = true;   // the next result alone
  unsigned against_ = 0;  // results in a row that contradict the state
  std::string detail_;
  std::string no_result_;  // why the last run came to nothing; empty if it did not
  int delivered_ = 0;      // weight
  TimePoint since_, heard_, due_;
  bool running_ = false;
};

/// Adds what the check `name` does to an instance to `health`.
void add_to(Health& health, const std::string& name, const Check& check);

}  // namespace vipd
