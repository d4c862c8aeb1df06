#include "vipd/node/clearance.hpp"

namespace vipd {

void Clearance::ask(Subject subject, HookQueue& hooks, const HookEvent& event, Duration timeout, TimePoint now) {
  subject_ = subject;
  given_ = false;
  answer_by_ = now + timeout;
  hooks.ask(event, timeout);
}

TimePoint Clearance::due(const HookQueue& hooks) const {
  if (subject_ == Subject::nothing || given_) return kNever;
  return hooks.answer() != nullptr ? TimePoint() : answer_by_;
}

std::optional<std::string> Clearance::take_answer(const HookQueue& hooks) {
  given_ = true;
  const Outcome* outcome = hooks.answer();
  if (outcome != nullptr && outcome->ok()) return std::nullopt;
  const std::string hook = subject_ == Subject::takeover ? "hooks.before_active: " : "hooks.before_release: ";
  return hook + (outcome == nullptr ? "did not end in time" : to_string(*outcome));
}

bool Clearance::withdraw(HookQueue& hooks) {
  subject_ = Subject::nothing;
  return hooks.withdraw_question();
}

}  // namespace vipd
