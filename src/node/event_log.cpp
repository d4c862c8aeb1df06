#include "vipd/node/event_log.hpp"

namespace vipd {

std::string_view to_string(ShownState state) {
  switch (state) {
    case ShownState::initialize:
      return "initialize";
    case ShownState::backup:
      return "backup";
    case ShownState::active:
      return "active";
    case ShownState::fault:
      return "fault";
  }
  return "?";
}

std::uint64_t EventLog::add(Transition transition) {
  transition.sequence = ++last_;
  transitions_.push_back(std::move(transition));
  if (transitions_.size() > kKept) transitions_.pop_front();
  return last_;
}

}  // namespace vipd
