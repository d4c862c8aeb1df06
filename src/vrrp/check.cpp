#include "vipd/vrrp/check.hpp"

#include <algorithm>

#include "vipd/base/assert.hpp"

namespace vipd {

std::string_view to_string(CheckState state) {
  switch (state) {
    case CheckState::unknown:
      return "unknown";
    case CheckState::pass:
      return "pass";
    case CheckState::fail:
      return "fail";
  }
  return "?";
}

std::string to_string(const OnFail& on_fail) {
  if (on_fail.effect == OnFail::Effect::weight) return std::to_string(on_fail.weight);
  return on_fail.effect == OnFail::Effect::fault ? "fault" : "yield";
}

void Check::reconfigure(const CheckRules& rules, TimePoint now) {
  rules_ = rules;
  decides_ = true;
  due_ = now;
  running_ = false;
}

void Check::started(TimePoint now) {
  VIPD_ASSERT(!running_ && now >= due_);
  running_ = true;
  due_ += rules_.interval;
}

void Check::finished(const Result<CheckResult>& result, TimePoint now) {
  running_ = false;
  due_ = std::max(due_, now);  // a run longer than the interval is followed at once
  no_result_ = result ? "" : result.error().message;
  if (!result) return;
  heard_ = now;
  judge(*result, now);
}

std::string Check::stale_reason(TimePoint now) const {
  if (!no_result_.empty() || now < stale_from()) return no_result_;
  return "vipd-runner does not answer";
}

void Check::judge(const CheckResult& result, TimePoint now) {
  const bool passed = result.passed != rules_.invert;
  const CheckState said = passed ? CheckState::pass : CheckState::fail;
  if (said == state_) {
    against_ = 0;
  } else {
    if (!decides_ && ++against_ < (passed ? rules_.rise : rules_.fall)) return;
    against_ = 0;
    state_ = said;
    since_ = now;
  }
  decides_ = false;
  detail_ = result.detail;
  if (passed) delivered_ = result.weight;
}

int Check::weight() const {
  if (passes()) return rules_.delivers_weight ? delivered_ : 0;
  return rules_.on_fail.effect == OnFail::Effect::weight ? rules_.on_fail.weight : 0;
}

void add_to(Health& health, const std::string& name, const Check& check) {
  health.weight += check.weight();
  if (check.passes()) return;
  const bool known = check.state() != CheckState::unknown;
  const std::string detail = check.detail().empty() ? "" : ": " + check.detail();
  const std::string sentence = "check " + name + (known ? " failed" + detail : " has no result yet");
  const OnFail::Effect effect = check.rules().on_fail.effect;
  if (effect == OnFail::Effect::fault && !health.fault) health.fault = sentence;
  if (effect == OnFail::Effect::yield && !health.unfit) health.unfit = sentence;
}

}  // namespace vipd
