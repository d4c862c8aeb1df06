/// Lifecycle: what the daemon is in the middle of, and what may happen then.
///
/// A daemon is in one Phase at a time. Each signal, verb and timer asks the Lifecycle before it acts, so nothing that
/// was asked for earlier undoes a stop. kLifecycle is the whole of it: for each LifeEvent and each Phase, the phase
/// that follows or the words of the refusal. docs/decisions/0018 shows the same table with its reasons; a unit test
/// compares the two.
///
/// Pure: no clock, no system call, no log. Callers: the daemon, ControlServer and Reloader.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "vipd/base/result.hpp"

namespace vipd {

/// What the daemon is in the middle of.
enum class Phase : std::uint8_t {
  starting,      ///< until the first turn of the loop
  serving,       ///< what is in force stays so
  on_trial,      ///< what is in force goes back unless it is confirmed
  handing_over,  ///< another program takes the process over
  stopping,      ///< a planned stop: it ends with the process and with nothing else
};
inline constexpr std::size_t kPhases = 5;

/// What can happen to a daemon. The loss of vipd-runner and a file that cannot be read are none: no phase ends by them.
enum class LifeEvent : std::uint8_t {
  started,        ///< all instances are taken up
  stop,           ///< SIGTERM or SIGINT
  reload,         ///< SIGHUP or the verb, with a trial or without
  trial_begun,    ///< a reload with a trial has been carried out, as the first one or as one more
  trial_undone,   ///< a reload has brought back what was in force before the trial
  trial_expired,  ///< nobody confirmed in time
  confirm,        ///< the verb
  reexec,         ///< the verb
  exec_failed,    ///< the kernel did not take the new program
  diff,           ///< the verb
  look,           ///< the verbs that only read what the daemon knows
};
inline constexpr std::size_t kEvents = 11;

/// What follows when an event meets a phase: the next phase, or why the event is refused.
struct Cell {
  bool goes = false;
  Phase next = Phase::starting;   ///< the same phase again where the event changes none
  std::string_view refusal = "";  ///< the end of a sentence; empty if it goes
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
  /// Whether `event` may happen now; the error says why not.
  Result<void> allows(LifeEvent event) const;
  /// Lets `event` happen: the phase that follows begins. Changes nothing if allows() refuses it.
  Result<void> take(LifeEvent event);

 private:
  Phase phase_ = Phase::starting;
};

}  // namespace vipd
