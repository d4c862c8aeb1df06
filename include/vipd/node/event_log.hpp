/// EventLog: the last transitions of all instances and sync groups, each with its reason.
///
/// Numbered from 1 without gaps, so that a reader who follows knows what it has seen. VirtualRouters and SyncGroups
/// write, the ControlServer and the hooks' VIPD_SEQUENCE read. Times are monotonic; only who shows them turns them into
/// wall-clock time, so a clock that is stepped does not tear the order.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "vipd/base/time.hpp"

namespace vipd {

/// What an instance or a sync group shows: the election's state, with Initialize split by whether a cause holds it
/// there.
enum class ShownState : std::uint8_t { initialize, backup, active, fault };

/// "initialize", "backup", "active", "fault".
std::string_view to_string(ShownState state);

/// One change of what an instance or a sync group shows.
struct Transition {
  std::uint64_t sequence = 0;  ///< set by EventLog
  TimePoint time{};
  std::string instance;  ///< the name; of a sync group if `group`
  bool group = false;
  ShownState from = ShownState::initialize;
  ShownState to = ShownState::initialize;
  std::string reason;         ///< a sentence
  std::uint8_t priority = 0;  ///< 0 for a group
};

class EventLog {
 public:
  /// Keeps a transition, the oldest of more than kKept goes; returns its sequence number.
  std::uint64_t add(Transition transition);
  const std::deque<Transition>& transitions() const { return transitions_; }
  std::uint64_t last_sequence() const { return last_; }

  static constexpr std::size_t kKept = 1000;

 private:
  std::deque<Transition> transitions_;
  std::uint64_t last_ = 0;
};

}  // namespace vipd
