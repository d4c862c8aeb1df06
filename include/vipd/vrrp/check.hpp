/// Check: judges from results whether a service is fit; it does not run anything.
///
/// A check says when its next run is due, takes the result, and keeps a verdict. The first result decides at once.
/// After that, `fall` failures in a row turn the verdict, and `rise` successes in a row turn it back. A run is due one
/// interval after the previous one was due, however long that took. There is never more than one run at a time.
/// CheckSet runs the checks; the effect of a failed check on an instance goes into its Health, see Standing.
///
/// A run without a result (vipd-runner refused or lost it) says nothing of the service. The verdict then stays and
/// becomes stale. A verdict also becomes stale if no result comes for three intervals and the timeout. A stale verdict
/// counts as before; only status and log say that it is stale, and why.
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

/// The known state of the service; unknown until the first result.
enum class CheckState : std::uint8_t { unknown, pass, fail };

/// "unknown", "pass", "fail".
std::string_view to_string(CheckState state);

/// The effect of a failed check on the instances that list it.
struct OnFail {
  enum class Effect : std::uint8_t {
    yield,  ///< the instance is unfit: in the election with priority 1
    fault,  ///< the instance is out of the election
    weight
  };
  Effect effect = Effect::yield;
  int weight = 0;  ///< Effect::weight only: added to the priority, -253..253, not 0

  friend bool operator==(const OnFail&, const OnFail&) = default;
};

/// "yield", "fault", "-20".
std::string to_string(const OnFail& on_fail);

/// The rules by which a check is judged.
struct CheckRules {
  Duration interval = std::chrono::seconds(1);  ///< 100ms..1h, from the start of a run to the next
  Duration timeout = std::chrono::seconds(1);   ///< 10ms..10m; a run that takes longer has failed
  unsigned rise = 2;                            ///< successes in a row that turn a failing check, 1..1000
  unsigned fall = 2;                            ///< failures in a row that turn a passing check, 1..1000
  bool invert = false;                          ///< true: a failed run counts as a success, and a success as a failure
  CheckState initial = CheckState::fail;        ///< the state that counts while the state is unknown
  OnFail on_fail;
  bool delivers_weight = false;  ///< true: a success delivers a number that is added to the priority

  friend bool operator==(const CheckRules&, const CheckRules&) = default;
};

/// The result of one run.
struct CheckResult {
  bool passed = false;
  std::string detail = {};  ///< "exit status 1"
  int weight = 0;
};

class Check {
 public:
  /// The first run is due at once. While the state is unknown, it counts as `initial`.
  Check(const CheckRules& rules, CheckState initial, TimePoint now)
      : rules_(rules), initial_(initial), since_(now), heard_(now), due_(now) {}

  /// Applies other rules. The known state stays until the next result, which decides and is due at once.
  void reconfigure(const CheckRules& rules, TimePoint now);

  /// When the next run is due; kNever while a run is under way.
  TimePoint due() const { return running_ ? kNever : due_; }
  void started(TimePoint now);
  /// Makes the next run due now, because something has changed. Does nothing while a run is under way.
  void hurry(TimePoint now) { due_ = std::min(due_, now); }
  /// Takes the result of the run. An error means that there is no result, and why; it says nothing of the service.
  void finished(const Result<CheckResult>& result, TimePoint now);

  CheckState state() const { return state_; }
  /// True if the check counts as passing. While the state is unknown, `initial` counts.
  bool passes() const { return (state_ == CheckState::unknown ? initial_ : state_) == CheckState::pass; }
  /// Why the verdict is stale; empty if it is not.
  std::string stale_reason(TimePoint now) const;
  bool is_stale(TimePoint now) const { return !stale_reason(now).empty(); }
  /// When the verdict becomes stale if no result comes.
  TimePoint stale_from() const { return heard_ + 3 * rules_.interval + rules_.timeout + Duration(1); }
  /// The moment at which the check entered its state.
  TimePoint since() const { return since_; }
  /// Detail of the last result that agreed with the state: "exit status 1"; may be empty.
  const std::string& detail() const { return detail_; }
  /// The number that is added to the priority now.
  int weight() const;
  const CheckRules& rules() const { return rules_; }

 private:
  void judge(const CheckResult& result, TimePoint now);

  CheckRules rules_;
  CheckState initial_;
  CheckState state_ = CheckState::unknown;
  bool decides_ = true;   // true if the next result decides alone
  unsigned against_ = 0;  // number of results in a row that contradict the state
  std::string detail_;
  std::string no_result_;  // why the last run had no result; empty if it had one
  int delivered_ = 0;      // the weight that the last success delivered
  TimePoint since_, heard_, due_;
  bool running_ = false;
};

/// Adds the effect of the check `name` on an instance to `health`.
void add_to(Health& health, const std::string& name, const Check& check);

}  // namespace vipd
