/// Election: who is Active. The state machine of RFC 9568 section 6 as a value; that of RFC 3768 where it differs.
///
/// step() takes an event and the time and returns what should be done, in order; it does nothing itself, reads no clock
/// and logs nothing. There are no timer objects: the state owns its one deadline(), and whoever drives the machine
/// calls step(DeadlinePassed{}, now) when it has come. The VirtualRouter is that driver in the daemon; the tests are
/// others, with a clock of their own and many machines in one process.
///
/// Each state is entered by one function and assigned nowhere else. What decides (who was heard, how long we waited,
/// whose priority) comes back as a Reason, so that the CLI can say why.
///
/// Three things go beyond the RFC's text:
/// - Stop is make-before-break: an Active router that stops sends priority 0 and keeps the addresses until a peer's
///   advert is heard, at most one interval and the largest skew, in a sync group those of the slowest member. After the
///   interval it says priority 0 once more, for peers that missed the first one.
/// - Takeover claims the addresses before the advert goes out, so that the old holder lets go after the new one has
/// them.
/// - Immediate answers (to a losing advert or to a priority 0) come from a token bucket (row C21): 5 at once, then 5 an
///   interval; a flood cannot be amplified.
///
/// - An Active router that yields to a higher advert sends one more advert with its own priority after the release. By
///   this last word the winner learns that two routers were Active, whichever of them spoke first, and announces the
///   addresses again. The last word loses to the winner, so no router yields to it. A Backup takes it for an advert of
///   the router that was Active until now. A router that obeys a takeover although it would win (it was offering, see
///   below) says no last word.
///
/// - An Active router that did not run for so long that its peers believe it dead (ElectionSettings::interval, three
///   times since its last advert) is told Stalled before anything else: it releases, says priority 0 and listens. A
///   successor that has been Active for a while learns by the priority 0 that two routers were Active. Without a
///   successor the peers take over the sooner.
///
/// - A Backup that obeys an Active router ignores the priority 0 of another router. That router was Active beside the
///   one that is obeyed, and has let go. The Backup would take over after a Skew_Time of milliseconds otherwise, if
///   the Active router's answer came later than that.
///
/// - A router that was Active when its process was replaced (a crash and a restart, a new program) is told Resume in
///   place of Start: it goes on with an advert at once, or is told Stalled first if that comes too late. A Backup goes
///   on with its wait (Start::wait_ends): otherwise a process that is replaced again and again would never take over.
///
/// - The wait for an Active router counts from when its advert arrived, not from when we came to read it, so that a
///   takeover is on time on a machine that is slow to wake. An advert that is an interval old is as good as one that
///   arrives now: later ones may have been lost while nobody read them.
///
/// - An adopted interval is capped (max_adopted_interval): adverts are not authenticated, and one spoofed advert that
///   promises the next one in 40 s must not silence a pair for minutes.
///
/// - A router of a sync group (ElectionSettings::grouped) does not take over when its wait is over: it is ready(), and
/// stays so
///   until it hears an Active router that it obeys. Who knows the whole group says TakeOver to all members at once, or
///   GiveUp when one of them has lost.
///
/// - So does one that has something to do before (ElectionSettings::asks_first), by itself: it is told Prepare, and
///   TakeOver when that is done. It obeys whom it hears in the meantime and is ready no more. If nobody is Active it
///   sends adverts from Prepare on, so that no other one prepares as well; an Active router that goes or is preempted
///   keeps the addresses in the meantime, and would let go at the first one.
///
/// - A router that is unfit (ElectionSettings::fit; its effective priority is 1) stays in the election as the last
///   resort. An Active one says priority 0 and keeps the addresses: a fit Backup takes over after its Skew_Time,
///   preempt or not, and its advert ends it; with nobody there it goes on with priority 1. Every fourth advert of it is
///   a priority 0 again, for who missed the first one or came later. After each priority 0 it is silent until any
///   Skew_Time is over, and obeys whoever speaks by then. An unfit Backup takes a priority 0 for an advert like any
///   other, else two sick nodes would pass the addresses to and fro; so when both are sick and the Active one stops,
///   the other needs an Active_Down_Interval.
///
/// - An Active router whose priority rises says so at once: another one, which has taken over while the two could not
///   hear each other, would keep the addresses beside it until the next advert.
///
/// - A router that has just failed to be Active (ElectionSettings::patient) takes over from nobody who is. An owner
///   waits like any other for as long.
///
/// VRRPv2 differs in two places: its Skew_Time is a part of a second whatever the interval, and an Active router is
/// silent about a losing advert. It adopts no interval, but that needs nothing here: another one than ours is refused.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

/// The states of RFC 9568 6.4.
enum class State : std::uint8_t { initialize, backup, active };

/// "initialize", "backup", "active".
std::string_view to_string(State state);

/// A router as its adverts show it.
struct Peer {
  IpAddress address;
  std::uint8_t priority = 0;
  friend bool operator==(const Peer&, const Peer&) = default;
};

/// What led to a change of state.
enum class Why : std::uint8_t {
  started,          ///< took up service, listens first
  owner,            ///< priority 255 does not wait (RFC 9568 6.4.1)
  silence,          ///< no advert for Active_Down_Interval
  preempted,        ///< heard an Active router of lower priority only, for Active_Down_Interval
  peer_resigned,    ///< the Active router said priority 0
  higher_priority,  ///< heard a higher priority
  higher_address,   ///< same priority, greater address
  group,            ///< another member of the sync group has lost
  stopped,          ///< planned stop
  fault,            ///< cannot serve; the Standing knows the cause
  stalled,          ///< was Active and did not run for longer than peers wait
};

/// Why the state is as it is, with the numbers that decided.
struct Reason {
  Why why = Why::started;
  std::optional<Peer> peer;            ///< who decided it, where somebody did
  std::uint8_t priority = 0;           ///< our own at that time
  Duration waited = Duration::zero();  ///< since that peer was last heard
  friend bool operator==(const Reason&, const Reason&) = default;
};

/// A sentence for humans: "no advert from 192.0.2.2 (priority 254) for 3.008s".
std::string to_string(const Reason& reason);

/// By what an Election decides.
struct ElectionSettings {
  std::uint8_t version = 3;                     ///< 2 or 3
  std::uint8_t priority = 100;                  ///< 1..255; 1 while unfit
  bool fit = true;                              ///< false: is Active only as long as nobody else will be
  Duration interval = std::chrono::seconds(1);  ///< 10ms..40.95s; VRRPv2: 1s..255s
  bool preempt = true;
  bool patient = false;  ///< leaves whoever is Active alone, whatever the priorities: an owner, too
  /// How long a lower Active router is left alone once it is heard (conformance C22); zero = the RFC's behaviour.
  Duration preempt_delay = Duration::zero();
  /// The least time that a Backup listens after Start before it believes that nobody is there.
  Duration startup_delay = Duration::zero();
  /// How long an Active peer's adverts may not reach this node after it was away: the least time that a Backup listens
  /// after Start and after Stalled. Unicast peers first resolve this node's link-layer address.
  Duration resolution_time = Duration::zero();
  Duration max_adopted_interval = std::chrono::seconds(10);  ///< at least `interval`
  bool grouped = false;                                      ///< in a sync group: takes over by TakeOver only
  bool asks_first = false;                                   ///< likewise, alone
  IpAddress primary;                                         ///< our source address; breaks ties
};

// Events.
/// Fit to take part, from Initialize.
struct Start {
  /// When the wait of a Backup ends that an earlier process has begun; kNever: the wait begins now.
  TimePoint wait_ends = kNever;
  TimePoint preempt_at = kNever;  ///< likewise, the end of its preempt_delay; kNever: none runs
  friend bool operator==(const Start&, const Start&) = default;
};
/// This process is a new one and the router is Active since before, with the addresses in the kernel; from Initialize.
struct Resume {
  TimePoint believed_until;  ///< as believed_until() was
};
/// Planned: make before break. A peer in a sync group takes over when the slowest member of its group is ready. So a
/// member waits for as long as the slowest one of its own group would; these are the longest of the members.
struct Stop {
  Duration interval = Duration::zero();  ///< adverts; this router's own one counts if that is longer
  Duration skew = Duration::zero();      ///< the largest Skew_Time; likewise
};
struct Fail {};            ///< fault: release first, resign then
struct DeadlinePassed {};  ///< deadline() has come
struct Stalled {};         ///< stalled() is so; ignored otherwise
/// The Standing changed.
struct SetStanding {
  std::uint8_t priority = 100;  ///< effective, 1..255; 1 if unfit
  bool fit = true;
};
/// Our source address changed.
struct SetPrimary {
  IpAddress address;
};
/// The operator wants other settings; the version and the primary address stay as they are.
struct Reconfigure {
  ElectionSettings settings;
};
/// An advert that decode() took.
struct Heard {
  IpAddress source;
  std::uint8_t priority = 0;
  Duration interval = Duration::zero();
  Duration age = Duration::zero();  ///< since it arrived
};
/// All members of the sync group are ready and nothing is to be done before; ignored by a router that is not ready.
struct TakeOver {};
/// TakeOver will come when what is to be done before has been; ignored by a router that is not ready.
struct Prepare {};
/// Another member of the sync group has lost to `winner`: releases first and resigns then, since who won there is
/// Active here, too, or may not be heard here. A Backup that sends adverts since Prepare is silent again and waits, for
/// another time than the next router: each of the two may have kept a member of the other's group from being ready.
/// Any other Backup ignores it.
struct GiveUp {
  std::optional<Peer> winner;
};
/// What step() takes.
using Event = std::variant<Start, Resume, Stop, Fail, DeadlinePassed, Stalled, SetStanding, SetPrimary, Reconfigure,
                           Heard, Prepare, TakeOver, GiveUp>;

// Actions, to be carried out in the order given.
/// To the group, from the primary address.
struct SendAdvert {
  std::uint8_t priority = 0;         ///< 0 = resign
  Duration late = Duration::zero();  ///< behind its deadline: peers wait three intervals and no longer (RFC 9568 2.5)
};
struct Claim {};  ///< add the addresses and announce them
/// Remove the addresses.
struct Release {
  bool to_peer = false;  ///< a peer has said that it is Active, and may be adding them still
};
/// Last of its step: what came before has been done when it is told.
struct StateChanged {
  State from = State::initialize, to = State::initialize;
  Reason reason;
};
/// What step() asks for.
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

/// Skew_Time = (256 - priority) * interval / 256 (RFC 9568 6.1), in full precision. VRRPv2 has one second in place of
/// the interval (RFC 3768 6.1).
Duration skew_time(std::uint8_t priority, Duration interval, std::uint8_t version = 3);

/// Active_Down_Interval = 3 * interval + Skew_Time (RFC 9568 6.1); Master_Down_Interval of VRRPv2 (RFC 3768 6.1).
Duration active_down_interval(std::uint8_t priority, Duration interval, std::uint8_t version = 3);

class Election {
 public:
  using Settings = ElectionSettings;

  explicit Election(const Settings& settings) : settings_(settings), adopted_(settings.interval) {}

  /// Takes one event at `now`; returns what is to be done. `now` never goes back. Start is for Initialize only and a
  /// deadline that has not come is ignored.
  Actions step(const Event& event, TimePoint now);

  State state() const { return state_; }
  /// When step(DeadlinePassed{}) is due; kNever in Initialize.
  TimePoint deadline() const { return std::min(deadline_, preempt_at_); }
  /// Has sent priority 0 and waits for a peer to take over before it lets go.
  bool resigning() const { return resigning_ != Resigning::no; }
  /// Is Active and unfit, has said priority 0, and waits for who takes the addresses before it speaks again.
  bool offering() const { return offering_; }
  /// Active, and its last advert is so old by `now` that another one may be Active as well; no peer waits for less than
  /// three intervals (RFC 9568 6.1).
  bool stalled(TimePoint now) const { return state_ == State::active && !resigning() && now >= believed_until_; }
  /// Active: no peer takes us for dead before. What Resume takes.
  TimePoint believed_until() const { return believed_until_; }
  /// What a new process tells a Backup to go on with its wait; a Start without one in any other state.
  Start kept_wait(TimePoint now) const;
  /// Would take over now, but waits for TakeOver.
  bool ready() const { return ready_.has_value(); }
  /// Backup: has heard an Active router that it leaves alone.
  bool has_lost() const {
    return state_ == State::backup && active_peer_ && !peer_resigned_ && obeys(active_peer_->priority);
  }
  /// Ready, and heard by its peers already.
  bool preparing() const { return ready() && deadline_ != kNever; }
  /// Why it would take over.
  const std::optional<Reason>& why_ready() const { return ready_; }
  /// The Active router as last heard; nullopt if we are it or nobody is known.
  const std::optional<Peer>& active_peer() const { return active_peer_; }
  /// The interval that the timers of a Backup run by: the Active router's (RFC 9568 6.1 Active_Adver_Interval).
  Duration adopted_interval() const { return adopted_; }
  const Settings& settings() const { return settings_; }

 private:
  enum class Resigning : std::uint8_t { no, said_once, said_twice };

  void on(const Start& event, TimePoint now, Actions& out);
  void on(const Resume& event, TimePoint now, Actions& out);
  void on(const Stop& event, TimePoint now, Actions& out);
  void on(const Fail&, TimePoint now, Actions& out);
  void on(const DeadlinePassed&, TimePoint now, Actions& out);
  void on(const Stalled&, TimePoint now, Actions& out);
  void on(const SetStanding& event, TimePoint now, Actions& out);
  void on(const SetPrimary& event, TimePoint now, Actions& out);
  void on(const Reconfigure& event, TimePoint now, Actions& out);
  void on(const Heard& advert, TimePoint now, Actions& out);
  void on(const Prepare&, TimePoint now, Actions& out);
  void on(const TakeOver&, TimePoint now, Actions& out);
  void on(const GiveUp& event, TimePoint now, Actions& out);

  void stop_preparing(TimePoint now);
  void heard_in_backup(const Heard& advert, TimePoint now);
  void heard_in_active(const Heard& advert, TimePoint now, Actions& out);
  void heard_while_resigning(const Heard& advert, Actions& out);

  void become_active(const Reason& reason, TimePoint now, Actions& out);
  void enter_active(TimePoint now);
  void become_backup(const Reason& reason, TimePoint now, Actions& out);
  void become_initialize(const Reason& reason, Actions& out);
  void take_over(const Reason& reason, TimePoint now, Actions& out);
  void offer(TimePoint now, Actions& out);
  void go_on(TimePoint now, Actions& out);
  void speak(const SendAdvert& advert, TimePoint now, Actions& out);

  void note_peer(const Heard& advert, TimePoint now);
  void adopt(Duration interval);
  void wait_for_active(TimePoint now, Duration length);
  void listen_until(TimePoint when);
  void go_on_waiting(const Start& before, TimePoint now);
  void judge_peer();
  void judge_wait();
  Duration skew() const { return skew_time(settings_.priority, adopted_, settings_.version); }
  Duration patience() const { return active_down_interval(settings_.priority, adopted_, settings_.version); }
  bool may_preempt() const;
  bool waits_for_word() const { return settings_.grouped || settings_.asks_first; }
  bool obeys(std::uint8_t priority) const { return !may_preempt() || priority >= settings_.priority; }
  Reason why_take_over(TimePoint now) const;
  bool wants_to_go(const Heard& advert) const;
  bool has_let_go(const Heard& advert, TimePoint now) const;
  bool is_beside_active(const Heard& advert, TimePoint now) const;
  bool may_answer(TimePoint now);
  Reason because(Why why) const { return {.why = why, .peer = std::nullopt, .priority = settings_.priority}; }

  Settings settings_;
  State state_ = State::initialize;
  Resigning resigning_ = Resigning::no;
  Duration last_wait_{};  // while resigning: after the second priority 0
  TimePoint deadline_ = kNever;
  TimePoint wait_began_{};                   // Backup: when the wait for the Active router was last started over
  TimePoint hold_until_{};                   // Backup: end of the least time to listen, as long as nobody was heard
  TimePoint preempt_at_ = kNever;            // Backup: end of preempt_delay, while it runs
  TimePoint not_before_ = TimePoint::min();  // Backup of a sync group that lost a tie: not to take over before
  std::optional<Reason> ready_;              // Backup that waits for TakeOver: why it may take over
  bool peer_resigned_ = false;               // Backup: that wait is Skew_Time, since the Active router said priority 0
  bool offering_ = false;                    // Active and unfit: see offering()
  int adverts_since_offer_ = 0;              // Active and unfit
  TimePoint believed_until_{};               // see believed_until()
  Duration adopted_;
  std::optional<Peer> active_peer_;
  TimePoint peer_heard_{};  // when active_peer_ was last heard
  double answer_tokens_ = 5;
  TimePoint answer_tokens_at_{};
};

}  // namespace vipd
