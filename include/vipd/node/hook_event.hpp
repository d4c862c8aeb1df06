/// HookEvent: a transition of an instance or a sync group, as hooks are told of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vipd/config/config.hpp"
#include "vipd/node/event_log.hpp"

namespace vipd {

/// The subject of a hook: a state that was entered, or a step that is about to be taken. The words of keepalived's
/// notify scripts stand in hook_queue.cpp and nowhere else.
enum class HookState : std::uint8_t { active, backup, fault, stop, before_active, before_release };

/// "active", "backup", "fault", "stop", "before_active", "before_release".
std::string_view to_string(HookState state);
/// The state that hooks are told: a router that has not yet taken part is told as Backup.
HookState hook_state(ShownState state);
/// The state of that name; nullopt for other words and for the questions.
std::optional<HookState> parse_hook_state(std::string_view name);

/// A transition as a hook is told of it.
struct HookEvent {
  HookState state = HookState::backup;
  std::string old_state;       ///< the previous state as status shows it
  std::string reason;          ///< a sentence
  std::uint8_t priority = 0;   ///< the effective priority
  std::string peer;            ///< address of the router that decided it, or empty
  std::uint64_t sequence = 0;  ///< the number of the transition in the EventLog
  bool again = false;          ///< true if a previous run began to tell it
};

/// The instance or sync group of which hooks are told.
struct HookSubject {
  bool group = false;  ///< true for a sync group, false for an instance
  std::string name;
  std::string interface;  ///< empty for a group
  std::string addresses;  ///< the addresses, with blanks between them
};

/// An instance as a HookSubject.
HookSubject hook_subject(const InstanceConfig& config);

}  // namespace vipd
