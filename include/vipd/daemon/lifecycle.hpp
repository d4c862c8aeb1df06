/// Lifecycle: the phase of the daemon, and the events that each phase allows.
///
/// A daemon is in one Phase at a time. Each signal, verb and timer asks the Lifecycle before it acts, so no earlier
/// request undoes a stop. The table kLifecycle has, for each LifeEvent and each Phase, the phase that follows or the
/// words of the refusal. docs/decisions/0018 shows the same table with its reasons; a unit test compares the two.
///
/// The Lifecycle is pure: it has no clock, no system call and no log.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "vipd/base/result.hpp"

namespace vipd {

/// A phase of the daemon.
enum class Phase : std::uint8_t {
  starting,      ///< the daemon starts, until the first turn of the loop
  serving,       ///< the configuration in force stays in force
  on_trial,      ///< the previous configuration comes back unless somebody confirms the reload
  handing_over,  ///< another program takes over the process
  stopping,      ///< a planned stop, which only the end of the process ends
};
inline constexpr std::size_t kPhases = 5;

/// An event in the life of a daemon. The loss of vipd-runner and an unreadable file are no such events: they end no
/// phase.
enum class LifeEvent : std::uint8_t {
  started,        ///< all instances have been started
  stop,           ///< SIGTERM or SIGINT
  reload,         ///< SIGHUP or the verb reload, with a trial or without
  trial_begun,    ///< a reload with a trial has been carried out, be it the first or a further trial
  trial_undone,   ///< a reload has brought back the configuration from before the trial
  trial_expired,  ///< nobody confirmed in time
  confirm,        ///< the verb confirm
  reexec,         ///< the verb reexec
  exec_failed,    ///< the kernel did not take the new program
  diff,           ///< the verb diff
  look,           ///< a verb that only reads the state of the daemon
};
inline constexpr std::size_t kEvents = 11;

/// What an event does in a phase: it begins the next phase, or it is refused with a reason.
struct Cell {
  bool goes = false;              ///< true if the phase allows the event
  Phase next = Phase::starting;   ///< the phase that follows; the same phase if the event changes none
  std::string_view refusal = "";  ///< why the event is refused, the end of a sentence; empty if the event is allowed
};

/// The table, indexed by LifeEvent and Phase.
extern const std::array<std::array<Cell, kPhases>, kEvents> kLifecycle;

/// "serving", "on trial".
std::string_view to_string(Phase phase);
/// "reload", "trial expired".
std::string_view to_string(LifeEvent event);

class Lifecycle {
 public:
  Phase phase() const { return phase_; }
  /// Succeeds if `event` may happen now; the error says why not.
  Result<void> allows(LifeEvent event) const;
  /// Carries out `event`: the phase that follows begins. Changes nothing if allows() refuses the event.
  Result<void> take(LifeEvent event);

 private:
  Phase phase_ = Phase::starting;
};

}  // namespace vipd
