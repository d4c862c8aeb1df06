/// HookEvent: a transition as the user's programs are told of it, and of whom.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vipd/config/config.hpp"
#include "vipd/node/event_log.hpp"

namespace vipd {

/// What a hook is told: a state that has been entered, or what is about to be done. The words of keepalived's notify
/// scripts stand in hook_queue.cpp and nowhere else.
enum class HookState : std::uint8_t { active, backup, fault, stop, before_active, before_release };

/// "active", "backup", "fault", "stop", "before_active", "before_release".
std::string_view to_string(HookState state);
/// Who has not taken part yet is told to be Backup.
HookState hook_state(ShownState state);
/// The state of that name, if there is one that is entered.
std::optional<HookState> parse_hook_state(std::string_view name);

/// A transition as a hook is told of it.
struct HookEvent {
  HookState state = HookState::backup;
  std::string old_state;       ///< as shown in the status
  std::string reason;          ///< a sentence
  std::uint8_t priority = 0;   ///< effective
  std::string peer;            ///< address of the router that decided it, or empty
  std::uint64_t sequence = 0;  ///< of the transition in the EventLog
  bool again = false;          ///< an earlier vipd began to tell it
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

}  // namespace vipd
