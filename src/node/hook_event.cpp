#include "vipd/node/hook_event.hpp"

namespace vipd {

std::string_view to_string(HookState state) {
  switch (state) {
    case HookState::active:
      return "active";
    case HookState::backup:
      return "backup";
    case HookState::fault:
      return "fault";
    case HookState::stop:
      return "stop";
    case HookState::before_active:
      return "before_active";
    case HookState::before_release:
      return "before_release";
  }
  return "?";
}

HookState hook_state(ShownState state) {
  if (state == ShownState::active) return HookState::active;
  return state == ShownState::fault ? HookState::fault : HookState::backup;
}

std::optional<HookState> parse_hook_state(std::string_view name) {
  for (const auto state : {HookState::active, HookState::backup, HookState::fault, HookState::stop})
    if (to_string(state) == name) return state;
  return std::nullopt;
}

HookSubject hook_subject(const InstanceConfig& config) {
  HookSubject subject{.group = false, .name = config.name, .interface = config.interface, .addresses = ""};
  for (const auto& address : config.addresses)
    subject.addresses += (subject.addresses.empty() ? "" : " ") + to_string(address);
  return subject;
}

}  // namespace vipd
