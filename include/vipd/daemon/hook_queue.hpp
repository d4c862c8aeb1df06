/// HookQueue: the user's programs for one instance or sync group, in the order of its transitions, one at a time.
///
/// A transition is told by the hook of its state, then hooks.any, called as keepalived calls it, then all of hooks.d in
/// the same way. One is being told, to its end, and at most one waits: the newest. What a newer one supersedes while it
/// waits is counted and never told, so a slow hook meets the state that is, not a queue of states that were, and the
/// last one told is always the state we are in. A transition that no hook asks for supersedes nothing. Nothing waits
/// here: the Runner answers later; the notify FIFO alone is told of each transition at once. Callers: VirtualRouter,
/// SyncGroup.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "vipd/config/config.hpp"
#include "vipd/daemon/node_hooks.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

/// What a hook is told. The words of keepalived's notify scripts stand in hook_queue.cpp and nowhere else.
enum class HookState : std::uint8_t { active, backup, fault, stop };

/// A transition as a hook is told of it.
struct HookEvent {
  HookState state = HookState::backup;
  std::string old_state;       ///< as shown in the status
  std::string reason;          ///< a sentence
  std::uint8_t priority = 0;   ///< effective
  std::string peer;            ///< address of the router that decided it, or empty
  std::uint64_t sequence = 0;  ///< of the transition in the EventLog
};

/// Of whom the hooks are told.
struct HookSubject {
  bool group = false;  ///< a sync group, else an instance
  std::string name;
  std::string interface;  ///< empty for a group
  std::string addresses;  ///< with a blank between
};

/// An instance as a HookSubject.
HookSubject hook_subject(const InstanceConfig& config);

class HookQueue {
 public:
  /// What became of a hook that has ended.
  struct Ended {
    std::string command;
    Outcome outcome;
  };

  HookQueue(NodeHooks& node, HookSubject subject, HookSettings settings);

  /// Takes these from now on; what runs or waits is not touched.
  void reconfigure(HookSubject subject, HookSettings settings);

  /// Queues the hooks for a transition.
  void push(const HookEvent& event);

  bool idle() const { return !running_; }
  /// Programs that are yet to be started.
  std::size_t waiting() const { return telling_.size() + waiting_.size(); }
  /// Transitions that were superseded before their hooks could be started.
  std::uint64_t coalesced() const { return coalesced_; }
  /// The program that runs now, null if none.
  const std::string* running() const { return running_ ? &*running_ : nullptr; }
  const std::optional<Ended>& last() const { return last_; }

 private:
  using Programs = std::deque<Command>;

  Programs programs_for(const HookEvent& event) const;
  std::vector<std::string> notify_words(const HookEvent& event) const;
  void write_to_fifo(const HookEvent& event);
  Command command(const std::vector<std::string>& arguments, const HookEvent& event) const;
  void start_next();

  NodeHooks& node_;
  HookSubject subject_;
  HookSettings settings_;
  Programs telling_;  // of the transition that is being told, after the one that runs
  Programs waiting_;  // of the newest transition
  std::uint64_t coalesced_ = 0;
  std::optional<std::string> running_;
  std::optional<Ended> last_;
};

}  // namespace vipd
