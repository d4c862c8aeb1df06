/// HookQueue: the user's programs for one instance or sync group, in the order of its transitions, one at a time.
///
/// A transition runs the hook of its state, then hooks.any, called as keepalived calls it, then all programs of hooks.d
/// in the same way. The programs of one transition run to their end, and at most one transition waits: the newest. A
/// transition that a newer one supersedes is counted and never told. So a slow hook meets the present state and no
/// queue of past states, and the last state that a hook is told is the present state. A transition without a hook
/// supersedes nothing. A transition that a previous run did not tell to its end is told first, once more. `active` is
/// not told again unless this run goes on as Active.
///
/// hooks.before_active and hooks.before_release are questions: the router waits for their end, but not for ever. They
/// run after all transitions have been told, and their outcome can be read here. hooks.reassert runs while Active,
/// after everything else.
///
/// The queue may outlive its subject (NodeHooks::finish), so hooks delay nobody. No call blocks: the Runner answers
/// later. The notify FIFO gets each transition at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "vipd/config/config.hpp"
#include "vipd/node/hook_event.hpp"
#include "vipd/node/node_hooks.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

/// VIPD_ADDRESSES ends before this many octets; VIPD_ADDRESSES_COUNT counts all. execve(2) refuses a variable of 128
/// KiB, and the whole request has to fit into a pipe of 64 KiB.
inline constexpr std::size_t kMostAddressOctets = 32 * 1024;

class HookQueue {
 public:
  /// A hook that has ended, with its outcome.
  struct Ended {
    std::string command;
    Outcome outcome;
  };

  /// `active` is true if the subject goes on as Active from a previous run.
  HookQueue(NodeHooks& node, HookSubject subject, SharedHooks settings, bool active = false);

  /// Adopts these settings; programs that run or wait are not touched.
  void reconfigure(HookSubject subject, SharedHooks settings);

  /// Queues the hooks for a transition.
  void push(const HookEvent& event);
  /// Queues hooks.reassert, unless it waits already; a transition away from Active withdraws it. `contested`: another
  /// node was Active, too.
  void reassert(const HookEvent& event, bool contested);

  /// Asks a question: runs its program, which may take `timeout` from its start. It replaces an earlier question.
  void ask(const HookEvent& event, Duration timeout);
  /// The outcome of the question; null until then, and without a question.
  const Outcome* answer() const { return question_ && question_->answer ? &*question_->answer : nullptr; }
  /// Withdraws the question: its program is not started, or runs on by itself. True if it was started.
  bool withdraw_question();

  const HookSubject& subject() const { return subject_; }
  bool idle() const { return !running_; }
  /// How many programs have still to be started.
  std::size_t waiting() const {
    const bool question = question_ && !question_->started;
    return telling_.size() + waiting_.size() + (question ? 1 : 0) + reassert_.size();
  }
  /// How many transitions were superseded before their hooks were started.
  std::uint64_t coalesced() const { return coalesced_; }
  /// The program that runs now; null if none does.
  const std::string* running() const { return running_ ? &*running_ : nullptr; }
  /// The last program that has ended; null if none has.
  const Ended* last() const { return last_.get(); }

 private:
  using Programs = std::list<Command>;
  struct Question {
    std::uint64_t id = 0;
    Command command;
    bool started = false;
    std::optional<Outcome> answer = {};
  };

  Programs programs_for(const HookEvent& event) const;
  std::vector<std::string> notify_words(const HookEvent& event) const;
  void write_to_fifo(const HookEvent& event, const std::string& word);
  Command command(const std::vector<std::string>& arguments, const HookEvent& event) const;
  void queue(const HookEvent& event);
  void start_next();
  std::optional<Command> next();

  NodeHooks& node_;
  HookSubject subject_;
  SharedHooks settings_;
  // Most of thousands have no hooks: a list or pointer without any takes less than a std::deque or std::optional.
  Programs telling_;  // programs of the present transition, after the one that runs
  Programs waiting_;  // programs of the newest transition
  std::unique_ptr<Question> question_;
  std::uint64_t questions_ = 0;
  Programs reassert_;  // hooks.reassert, at most one
  std::uint64_t coalesced_ = 0;
  std::optional<std::string> running_;
  std::unique_ptr<Ended> last_;
};

}  // namespace vipd
