/// HookQueue: the user's programs for one instance, in the order of its transitions, one at a time.
///
/// Each transition queues the hook of its state and then hooks.any, called as keepalived calls them. The next one
/// starts when the one before has ended or was killed at its timeout, so the last one delivered is the state we are in.
/// Nothing waits: the Runner answers later. Caller: VirtualRouter.
///
/// Not good yet: superseded transitions are not coalesced, a slow hook lets the queue grow.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "vipd/config/config.hpp"
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

class HookQueue {
 public:
  /// What became of a hook that has ended.
  struct Ended {
    std::string command;
    Outcome outcome;
  };

  HookQueue(Runner& runner, const InstanceConfig& config);

  /// Queues the hooks for a transition.
  void push(const HookEvent& event);

  bool idle() const { return !running_ && waiting_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }
  /// The program that runs now, null if none.
  const std::string* running() const { return running_ ? &*running_ : nullptr; }
  const std::optional<Ended>& last() const { return last_; }

 private:
  void enqueue(const std::vector<std::string>& arguments, const HookEvent& event, bool notify_arguments);
  void start_next();

  Runner& runner_;
  std::string instance_;
  std::string interface_;
  std::string addresses_;
  HookSettings settings_;
  std::deque<Command> waiting_;
  std::optional<std::string> running_;
  std::optional<Ended> last_;
};

}  // namespace vipd
