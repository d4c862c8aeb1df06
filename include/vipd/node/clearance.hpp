/// Clearance: asks hooks.before_active or hooks.before_release, and says whether the router may go on.
///
/// One question is open at a time. Its answer is the end of the hook, or the hook's timeout. A failed hook does not
/// keep the address: the caller learns of the failure and decides. The caller withdraws a question that no longer
/// matters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vipd/node/hook_queue.hpp"

namespace vipd {

class Clearance {
 public:
  enum class Subject : std::uint8_t { nothing, takeover, release };

  /// Asks the question: runs the hook of `event`, which has `timeout` to end.
  void ask(Subject subject, HookQueue& hooks, const HookEvent& event, Duration timeout, TimePoint now);
  Subject subject() const { return subject_; }
  /// True if the question for `subject` was answered: the router may go on.
  bool is_given(Subject subject) const { return subject_ == subject && given_; }
  /// When take_answer() is to be called; kNever if no answer is awaited.
  TimePoint due(const HookQueue& hooks) const;
  /// Ends the wait: the router may go on. Returns the failure of the hook, a sentence, or nullopt.
  std::optional<std::string> take_answer(const HookQueue& hooks);
  /// Withdraws the question. Returns true if its hook was started.
  bool withdraw(HookQueue& hooks);

 private:
  Subject subject_ = Subject::nothing;
  bool given_ = false;
  TimePoint answer_by_{};  // when the wait for the hook ends
};

}  // namespace vipd
