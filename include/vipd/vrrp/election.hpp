/// Election: who is Active. The state machine of RFC 9568 section 6 as a value; that of RFC 3768 where it differs.
///
/// step() takes an event and the time. It returns the actions that follow, in their order. It carries nothing out,
/// reads no clock and logs nothing. There are no timer objects: each mode owns its deadline, and the driver calls
/// step(DeadlinePassed{}, now) when deadline() has come. In the daemon the driver is VirtualRouter. The tests drive
/// many elections in one process, with a clock of their own.
///
/// The modes are a variant: one struct for each mode, with the data that have a meaning in that mode. A mode that is
/// left takes its data along, so nothing is reset by hand. One function enters each mode (enter_...) and asserts from
/// where; no other function assigns the variant. The modes are finer than the states of the RFC: a router that is ready
/// or preparing is a Backup, and one that is yielding or resigning is Active.
///
/// Each change of state carries a Reason: the peer, the time and the priority that decided. The CLI shows it.
///
/// The election does more than the RFC's text asks for:
///
/// - Stop is make-before-break. An Active router that stops sends priority 0 and keeps the addresses until it hears a
///   peer's advert. It waits for one interval and the largest Skew_Time at most, in a sync group for those of the
///   slowest member. After the interval it sends priority 0 once more, for peers that missed the first one.
///
/// - A takeover claims the addresses before the advert goes out. So the old holder releases them after the new one has
///   them.
///
/// - Answers to a losing advert and to a priority 0 come from a token bucket (row C21): 5 at once, then 5 an interval.
///   So nobody can amplify a flood.
///
/// - An Active router that loses to an advert sends one more advert with its own priority after the release: its last
///   word. The winner learns by it that two routers were Active, whichever of them spoke first, and announces the
///   addresses again. The last word loses to the winner, so no router gives way to it. A Backup takes it for an advert
///   of the router that was Active until now. A yielding router that would win says no last word.
///
/// - An Active router may not run for so long that its peers believe it dead: three intervals since its last advert.
///   The driver tells it Stalled before any other event. The router then releases, sends priority 0 and listens. A
///   successor that is Active for a while already learns by this priority 0 that two routers were Active. Without a
///   successor the peers take over the sooner.
///
/// - A Backup that obeys an Active router ignores the priority 0 of another router. That other router was Active beside
///   the obeyed one and has let go. Otherwise the Backup would take over after a Skew_Time of milliseconds, if the
///   Active router's answer came later than that.
///
/// - A new process (after a crash, a restart or a new program) tells a router that was Active Resume in place of Start.
///   The router goes on with an advert at once, or is told Stalled first if that comes too late. A Backup goes on with
///   its wait (Start::wait_ends). Otherwise a process that is replaced again and again would never take over.
///
/// - The wait for an Active router counts from when its advert arrived, not from when this process read it. So a
///   takeover is on time on a machine that is slow to wake. An advert that is an interval old counts as one that
///   arrives now: later ones may have been lost while nobody read them.
///
/// - An adopted interval is capped (max_adopted_interval). Adverts are not authenticated, and one spoofed advert that
///   promises the next one in 40 s must not silence a pair for minutes.
///
/// - A member of a sync group (ElectionSettings::grouped) does not take over when its wait is over. It is ready, and
///   stays so until it hears an Active router that it obeys. The group tells TakeOver to all its members at once, or
///   GiveUp when one of them has lost.
///
/// - A router whose takeover needs a word first (ElectionSettings::asks_first) is ready as well. The driver tells it
///   Prepare, and TakeOver when that is done. The router obeys an Active router that it hears in the meantime, and is
///   ready no more. If nobody is Active, it is preparing: it sends adverts, so that no other router prepares as well.
///   An Active router that goes or is preempted keeps the addresses in the meantime, so this router is silent then: the
///   old holder would let go at its first advert.
///
/// - An unfit router (ElectionSettings::fit; its effective priority is 1) stays in the election as the last resort. An
///   Active one is yielding: it sends priority 0 and keeps the addresses. A fit Backup takes over after its Skew_Time,
///   preempt or not, and its advert ends the yielding. If no peer does, the router goes on with priority 1. Every
///   fourth advert of it is a priority 0 again, for a peer that missed the first one or came later. After each priority
///   0 the router is silent until any Skew_Time is over, and obeys any router that speaks by then. An unfit Backup
///   takes a priority 0 for an advert like any other, else two sick nodes would pass the addresses to and fro. So when
///   both are sick and the Active one stops, the other one needs an Active_Down_Interval.
///
/// - An Active router whose priority rises says so at once. Another router may have taken over while the two could not
///   hear each other, and would keep the addresses beside it until the next advert.
///
/// - A router that has just failed to be Active (ElectionSettings::patient) takes over from no router that is. An owner
///   waits like any other router for as long.
///
/// VRRPv2 differs in two places: its Skew_Time is a part of a second whatever the interval, and an Active router does
/// not answer a losing advert. It adopts no interval, but that needs nothing here: an advert with another interval than
/// ours is refused.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "vipd/base/time.hpp"
#include "vipd/vrrp/election_event.hpp"
#include "vipd/vrrp/reason.hpp"

namespace vipd {

/// The mode of an election: finer than State, in the order of the election's variant.
enum class Mode : std::uint8_t {
  initialize,  ///< takes no part
  backup,      ///< waits for adverts of an Active router
  ready,       ///< Backup whose wait is over; waits for TakeOver
  preparing,   ///< the same, and sends adverts already
  active,      ///< holds the addresses and sends adverts
  yielding,    ///< Active and unfit: has sent priority 0, and is silent for as long as a fit Backup needs
  resigning,   ///< Active and stopping: has sent priority 0, and keeps the addresses until a peer is Active
};

/// "initialize", "backup", "ready", and so on.
std::string_view to_string(Mode mode);

/// The state of RFC 9568 6.4 to which a mode belongs.
constexpr State state_of(Mode mode) {
  if (mode == Mode::initialize) return State::initialize;
  return mode < Mode::active ? State::backup : State::active;
}

/// Skew_Time = (256 - priority) * interval / 256 (RFC 9568 6.1), in full precision. VRRPv2 has one second in place of
/// the interval (RFC 3768 6.1).
Duration skew_time(std::uint8_t priority, Duration interval, std::uint8_t version = 3);

/// Active_Down_Interval = 3 * interval + Skew_Time (RFC 9568 6.1); Master_Down_Interval of VRRPv2 (RFC 3768 6.1).
Duration active_down_interval(std::uint8_t priority, Duration interval, std::uint8_t version = 3);

class Election {
 public:
  using Settings = ElectionSettings;

  explicit Election(const Settings& settings) : settings_(settings) {}

  /// Takes one event at `now` and returns the actions that follow. `now` never goes back. Start is for Initialize only,
  /// and a deadline that has not come is ignored.
  Actions step(const Event& event, TimePoint now);

  Mode mode() const { return static_cast<Mode>(mode_.index()); }
  State state() const { return state_of(mode()); }
  /// When step(DeadlinePassed{}) is due; kNever in Initialize and in a Backup that is ready.
  TimePoint deadline() const;
  /// Has sent priority 0 and waits for a peer to take over before it lets go.
  bool resigning() const { return mode() == Mode::resigning; }
  /// Is Active and unfit, has sent priority 0, and gives a fit peer the time to take over before it speaks again.
  bool yielding() const { return mode() == Mode::yielding; }
  /// Active, and not about to leave.
  bool stays_active() const { return mode() == Mode::active || mode() == Mode::yielding; }
  /// Active, and its last advert is so old by `now` that another router may be Active as well; no peer waits for less
  /// than three intervals (RFC 9568 6.1).
  bool stalled(TimePoint now) const { return stays_active() && now >= believed_until_; }
  /// No peer takes this router for dead before; Resume takes it.
  TimePoint believed_until() const { return believed_until_; }
  /// The Start by which a new process lets a Backup go on with its wait; a Start without one in any other state.
  Start kept_wait(TimePoint now) const;
  /// Would take over now, but waits for TakeOver.
  bool ready() const { return mode() == Mode::ready || preparing(); }
  /// Ready, and heard by its peers already.
  bool preparing() const { return mode() == Mode::preparing; }
  /// Why a router that is ready would take over; nullopt for any other router.
  std::optional<Reason> why_ready() const;
  /// Backup: has heard an Active router that it leaves alone.
  bool has_lost() const;
  /// The Active router as a Backup has last heard it; nullopt while a Backup knows none, and in any other state.
  std::optional<Peer> active_peer() const;
  /// The interval that the timers of a Backup run by: the Active router's (RFC 9568 6.1 Active_Adver_Interval).
  Duration adopted_interval() const;
  const Settings& settings() const { return settings_; }

 private:
  /// The knowledge of a Backup about the Active router, and the beginning of its wait.
  struct Wait {
    void note(const Heard& advert, TimePoint now);

    Duration adopted;                         // see adopted_interval()
    std::optional<Peer> active_peer{};        // see active_peer()
    TimePoint peer_heard{};                   // when active_peer was last heard
    bool peer_resigned = false;               // active_peer has sent priority 0, so the wait is Skew_Time
    TimePoint began{};                        // when the wait last began anew
    TimePoint hold_until{};                   // end of the least time to listen, while no router was heard
    TimePoint not_before = TimePoint::min();  // a member of a sync group that lost a tie takes over no earlier
  };
  /// Limits the answers of an Active router (row C21).
  struct AnswerLimit {
    static constexpr double kMost = 5;  // at once, and in an interval

    bool passes(Duration interval, TimePoint now);

    TimePoint filled_at;
    double tokens = kMost;
  };

  struct Initialize {
    TimePoint deadline() const { return kNever; }
  };
  struct Backup {
    TimePoint deadline() const { return std::min(active_down_timer, preempt_at); }

    Wait wait;
    TimePoint active_down_timer;
    TimePoint preempt_at = kNever;  // end of preempt_delay, while it runs
  };
  struct Ready {
    TimePoint deadline() const { return kNever; }

    Wait wait;  // is over
    Reason why;
  };
  struct Preparing {
    TimePoint deadline() const { return adver_timer; }

    Wait wait;  // is over
    Reason why;
    TimePoint adver_timer;
  };
  struct Active {
    TimePoint deadline() const { return adver_timer; }

    TimePoint adver_timer;
    AnswerLimit answers;
    int adverts_while_unfit = 0;  // since it was last yielding
  };
  struct Yielding {
    TimePoint deadline() const { return adver_timer; }

    TimePoint adver_timer;
    AnswerLimit answers;  // for when it goes on as Active
  };
  struct Resigning {
    TimePoint deadline() const { return next; }

    TimePoint next;      // the second priority 0, then the release
    Duration last_wait;  // between these two
    bool said_twice = false;
  };
  using Modes = std::variant<Initialize, Backup, Ready, Preparing, Active, Yielding, Resigning>;

  static constexpr int kBelieved = 3;  // intervals that any peer waits at least, RFC 9568 6.1

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

  void due(Initialize&, TimePoint, Actions&) {}
  void due(Backup& backup, TimePoint now, Actions& out);
  void due(Ready&, TimePoint, Actions&) {}
  void due(Preparing& preparing, TimePoint now, Actions& out);
  void due(Active& active, TimePoint now, Actions& out);
  void due(Yielding& yielding, TimePoint now, Actions& out);
  void due(Resigning& resigning, TimePoint now, Actions& out);

  void heard_in_backup(Wait& wait, const Heard& advert, TimePoint now);
  void heard_lower(Wait& wait, const Heard& advert, TimePoint now);
  void heard_in_active(const Heard& advert, TimePoint now, Actions& out);
  void heard_while_resigning(const Heard& advert, Actions& out);
  bool wants_to_go(const Heard& advert) const;
  bool has_let_go(const Heard& advert, TimePoint now) const;
  bool is_beside_active(const Wait& wait, const Heard& advert, TimePoint now) const;
  void answer(const Heard& advert, TimePoint now, Actions& out);
  void adopt(Wait& wait, Duration interval) const;

  void enter_initialize();
  Backup& enter_backup(Backup backup);
  void enter_ready(Ready ready);
  Preparing& enter_preparing(Preparing preparing);
  Active& enter_active(Active active);
  void enter_yielding(Yielding yielding);
  void enter_resigning(Resigning resigning);

  void leave(const Reason& reason, Actions& out);
  Backup& listen(const Reason& reason, Wait wait, TimePoint now, Actions& out);
  Backup& wait_for_active(Wait wait, TimePoint now, Duration length, TimePoint preempt_at = kNever);
  void go_on_waiting(Backup& backup, const Start& before, TimePoint now) const;
  void listen_until(Backup& backup, TimePoint when) const;
  void stop_preparing(TimePoint now);
  void wait_apart(Wait& wait, TimePoint now) const;
  void judge_peer();
  void judge_wait();
  void take_over(const Reason& reason, TimePoint now, Actions& out);
  void yield(const Active& active, TimePoint now, Actions& out);
  void advertise(TimePoint& adver_timer, TimePoint now, Actions& out);
  void advertise_at_once(TimePoint now);
  void speak(const SendAdvert& advert, TimePoint now, Actions& out);

  Wait* wait();
  const Wait* wait() const;
  TimePoint end_of(const Wait& wait) const;
  Duration skew(const Wait& wait) const;
  Duration active_down(const Wait& wait) const;
  bool may_preempt() const;
  bool waits_for_word() const { return settings_.grouped || settings_.asks_first; }
  bool obeys(std::uint8_t priority) const { return !may_preempt() || priority >= settings_.priority; }
  Reason why_take_over(const Wait& wait, TimePoint now) const;
  Reason because(Why why) const { return {.why = why, .peer = std::nullopt, .priority = settings_.priority}; }

  Settings settings_;
  Modes mode_;
  TimePoint believed_until_{};  // what peers believe stays so whatever mode this router enters
};

}  // namespace vipd
