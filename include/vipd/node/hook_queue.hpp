/// HookQueue: the user's programs for one instance or sync group, in the order of its transitions, one at a time.
///
/// A transition is told by the hook of its state, then hooks.any, called as keepalived calls it, then all of hooks.d in
/// the same way. One is being told, to its end, and at most one waits: the newest. What a newer one supersedes while it
/// waits is counted and never told, so a slow hook meets the state that is, not a queue of states that were, and the
/// last one told is always the state we are in. A transition that no hook asks for supersedes nothing. What an earlier
/// vipd began to tell is told first, once more; but not that it was Active, if this one does not go on with that.
///
/// hooks.before_active and hooks.before_release are asked before something is done, and so is who must not wait for
/// the answer for ever: they are run after all that is to be told, and what became of them can be looked up.
///
/// hooks.reassert is run while Active, after all that.
///
/// The queue may outlive its subject (NodeHooks::finish): hooks hold up nobody.
///
/// Nothing waits here: the Runner answers later; the notify FIFO alone is told of each transition at once. Callers:
/// VirtualRouter, SyncGroup.
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

/// VIPD_ADDRESSES ends before this many octets; VIPD_ADDRESSES_COUNT counts all. execve(2) refuses a variable of
/// 128 KiB, and the whole request has to fit into a pipe of 64 KiB.
inline constexpr std::size_t kMostAddressOctets = 32 * 1024;

class HookQueue {
 public:
  /// What became of a hook that has ended.
  struct Ended {
    std::string command;
    Outcome outcome;
  };

  /// `active`: goes on as Active where an earlier vipd left off.
  HookQueue(NodeHooks& node, HookSubject subject, SharedHooks settings, bool active = false);

  /// Takes these from now on; what runs or waits is not touched.
  void reconfigure(HookSubject subject, SharedHooks settings);

  /// Queues the hooks for a transition.
  void push(const HookEvent& event);
  /// Queues hooks.reassert, unless it waits already; a transition away from Active takes it back. `contested`: another
  /// node was Active, too.
  void reassert(const HookEvent& event, bool contested);

  /// Runs the program for what is about to be done, which may take `timeout` from its start; in place of an earlier
  /// question.
  void ask(const HookEvent& event, Duration timeout);
  /// How it ended; null until then, and if nothing is asked.
  const Outcome* answer() const { return question_ && question_->answer ? &*question_->answer : nullptr; }
  /// The answer is of no use any more: the program is not started, or left to itself. Was it started?
  bool withdraw_question();

  const HookSubject& subject() const { return subject_; }
  bool idle() const { return !running_; }
  /// Programs that are yet to be started.
  std::size_t waiting() const {
    const bool question = question_ && !question_->started;
    return telling_.size() + waiting_.size() + (question ? 1 : 0) + reassert_.size();
  }
  /// Transitions that were superseded before their hooks could be started.
  std::uint64_t coalesced() const { return coalesced_; }
  /// The program that runs now, null if none.
  const std::string* running() const { return running_ ? &*running_ : nullptr; }
  /// The last one that has ended, null if none has.
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
  Programs telling_;  // of the transition that is being told, after the one that runs
  Programs waiting_;  // of the newest transition
  std::unique_ptr<Question> question_;
  std::uint64_t questions_ = 0;
  Programs reassert_;  // one at most
  std::uint64_t coalesced_ = 0;
  std::optional<std::string> running_;
  std::unique_ptr<Ended> last_;
};

}  // namespace vipd
