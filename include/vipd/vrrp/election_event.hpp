/// The input and output of an Election: its settings, the events that it takes, the actions that it returns.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"
#include "vipd/vrrp/reason.hpp"

namespace vipd {

/// The settings of an Election.
struct ElectionSettings {
  std::uint8_t version = 3;                     ///< 2 or 3
  std::uint8_t priority = 100;                  ///< 1..255; 1 while unfit
  bool fit = true;                              ///< false: is Active only while no other router wants to be
  Duration interval = std::chrono::seconds(1);  ///< 10ms..40.95s; VRRPv2: 1s..255s
  bool preempt = true;
  bool patient = false;  ///< leaves any Active router alone, whatever the priorities: an owner, too
  /// How long a lower Active router is left alone once it is heard (conformance C22); zero = the RFC's behaviour.
  Duration preempt_delay = Duration::zero();
  /// The least time that a Backup listens after Start before it believes that no router is Active.
  Duration startup_delay = Duration::zero();
  /// How long an Active peer's adverts may not reach this node after it was away: the least time that a Backup listens
  /// after Start and after Stalled. Unicast peers first resolve this node's link-layer address.
  Duration resolution_time = Duration::zero();
  Duration max_adopted_interval = std::chrono::seconds(10);  ///< at least `interval`
  bool grouped = false;                                      ///< true in a sync group: takes over by TakeOver only
  bool asks_first = false;  ///< true if a hook is asked first: takes over by TakeOver only
  IpAddress primary;        ///< our source address; breaks ties
};

// Events.
/// Fit to take part, from Initialize.
struct Start {
  /// When the wait of a Backup ends that an earlier process has begun; kNever: the wait begins now.
  TimePoint wait_ends = kNever;
  TimePoint preempt_at = kNever;  ///< likewise, the end of its preempt_delay; kNever: none runs
  friend bool operator==(const Start&, const Start&) = default;
};
/// An earlier process left this router Active, with the addresses in the kernel; from Initialize.
struct Resume {
  TimePoint believed_until;  ///< Election::believed_until() of that process
};
/// A planned stop: make before break. A peer in a sync group takes over when the slowest member of its group is ready.
/// So a member waits for as long as the slowest member of its own group would; these are the longest of the members.
struct Stop {
  Duration interval = Duration::zero();  ///< the advert interval; this router's own counts if that is longer
  Duration skew = Duration::zero();      ///< the largest Skew_Time; this router's own counts if that is longer
};
struct Fail {};            ///< a fault: the router releases first and resigns then
struct DeadlinePassed {};  ///< Election::deadline() has come; ignored before
struct Stalled {};         ///< Election::stalled() is true; ignored otherwise
/// The Standing changed.
struct SetStanding {
  std::uint8_t priority = 100;  ///< effective, 1..255; 1 of an unfit router
  bool fit = true;
};
/// Our source address changed.
struct SetPrimary {
  IpAddress address;
};
/// The operator wants other settings; the version, the fitness and the primary address stay as they are.
struct Reconfigure {
  ElectionSettings settings;
};
/// An advert that decode() took.
struct Heard {
  IpAddress source;
  std::uint8_t priority = 0;
  Duration interval = Duration::zero();
  Duration age = Duration::zero();  ///< the time since it arrived
};
/// All members of the sync group are ready, and nothing has to be done first; ignored by a router that is not ready.
struct TakeOver {};
/// Something has to be done first, and TakeOver comes after it; ignored by a router that is not ready, or is preparing.
struct Prepare {};
/// Another member of the sync group has lost to `winner`. An Active router releases first and resigns then: the winner
/// is Active here, too, or may not be heard here. A preparing router is silent again, and waits for another time than
/// the next router: each of the two may have kept a member of the other's group from being ready. Any other Backup
/// ignores it.
struct GiveUp {
  std::optional<Peer> winner;  ///< nullopt: the member does not know any
};
/// The events that Election::step() takes.
using Event = std::variant<Start, Resume, Stop, Fail, DeadlinePassed, Stalled, SetStanding, SetPrimary, Reconfigure,
                           Heard, Prepare, TakeOver, GiveUp>;

// Actions, to be carried out in the order given.
/// Send an advert to the group, from the primary address.
struct SendAdvert {
  std::uint8_t priority = 0;         ///< 0 = resign
  Duration late = Duration::zero();  ///< behind its deadline: peers wait three intervals and no longer (RFC 9568 2.5)
};
struct Claim {};  ///< add the addresses and announce them
/// Remove the addresses.
struct Release {
  bool to_peer = false;  ///< a peer has said that it is Active, and may be adding them still
};
/// Tell of a change of state. It is the last action of its step, so the others have been carried out by then.
struct StateChanged {
  State from = State::initialize, to = State::initialize;
  Reason reason;
};
/// The actions that Election::step() returns.
using Action = std::variant<SendAdvert, Claim, Release, StateChanged>;

/// A few actions, in order; never allocates.
class Actions {
 public:
  static constexpr std::size_t kMost = 4;

  void add(Action action);
  const Action* begin() const { return actions_.data(); }
  const Action* end() const { return actions_.data() + size_; }
  std::size_t size() const { return size_; }

 private:
  std::array<Action, kMost> actions_;
  std::size_t size_ = 0;
};

}  // namespace vipd
