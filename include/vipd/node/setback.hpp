/// Setback: an instance could not be Active though its election wanted to be.
///
/// What ended it cannot be known, only tried. So the instance takes part again after a pause, still shown in fault and
/// patient: it leaves an Active peer alone. A setback of a claim ends with success, with news of the kernel about the
/// needed interfaces, or after half a minute. A setback of sending ends with the first advert that leaves.
///
/// A claim can be refused late, when duplicate address detection finds another host. The next claim is on trial then.
/// The pause between such tries doubles up to 25 s. Nothing is done here; the caller carries the verdict out.
#pragma once

#include <cstdint>
#include <vector>

#include "vipd/base/time.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {

class Setback {
 public:
  /// What the times of a setback come from.
  struct Pace {
    Duration interval;    ///< Advertisement_Interval
    Duration pause;       ///< between two tries of what may go wrong again
    Duration preempting;  ///< that a preemption takes besides: its delay, and its hook
  };
  /// What has happened since.
  struct World {
    std::vector<Interface> surroundings;  ///< see Uplink::surroundings()
    std::uint64_t departures = 0;         ///< see AdvertPort::departures()
    bool settled = false;                 ///< true when all claimed addresses are known to be usable
  };
  enum class Verdict : std::uint8_t {
    stays,
    tolerated,  ///< still shown, but the instance takes part
    speak,      ///< the peers are owed a priority 0: try to send it
    tolerated_speak,
    over,
  };

  /// `cause` is FaultCause::claim or FaultCause::sending. `tries`: that have failed in a row, this one included.
  Setback(FaultCause cause, unsigned tries, World world, TimePoint now);

  FaultCause cause() const { return cause_; }
  unsigned tries() const { return tries_; }
  /// True while the router is Active, and nothing has proved yet that the setback is over.
  bool is_on_trial() const { return on_trial_; }
  void set_on_trial(bool on_trial) { on_trial_ = on_trial; }
  /// True while an Active peer is left alone.
  bool is_patient(TimePoint now) const;
  /// When judge() is to be called; kNever if only an event can end the setback.
  TimePoint due(const Pace& pace, std::uint64_t departures) const;
  Verdict judge(const Pace& pace, const World& world, TimePoint now);

 private:
  Verdict judge_sending(const Pace& pace, std::uint64_t departures, TimePoint now);
  Duration pause(const Pace& pace) const;
  TimePoint ends(const Pace& pace) const;

  FaultCause cause_;
  unsigned tries_;
  TimePoint since_;
  TimePoint judged_;             // when judge() last did something
  std::vector<Interface> seen_;  // the surroundings at since_
  bool has_news_ = false;        // true once the surroundings were others, though they may be as before by now
  std::uint64_t departures_;     // at since_
  bool on_trial_ = false;
};

}  // namespace vipd
