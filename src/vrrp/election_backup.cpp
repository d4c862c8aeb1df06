// A Backup of an Election: what it hears, and for how long it waits. RFC 9568 6.4.2.
#include <algorithm>

#include "vipd/base/assert.hpp"
#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/election.hpp"

namespace vipd {
namespace {

/// Two groups of equal priority may each win on another segment and give up together. So that they do not take over
/// together as well, each waits a part of an interval of its own, whatever it hears from the other that was said
/// before; the nanoseconds of two clocks are dice enough.
Duration time_apart(Duration interval, TimePoint now) {
  const auto mixed = static_cast<std::uint64_t>(now.time_since_epoch().count()) * 0x9E37'79B9'7F4A'7C15U;
  return interval * static_cast<Duration::rep>(mixed >> 48U) / 65'536;
}

/// The wait of a Backup in any of its modes; null in the other modes.
template <typename Found, typename Modes>
Found* wait_in(Modes& modes) {
  return std::visit(
      [](auto& mode) -> Found* {
        if constexpr (requires { mode.wait; })
          return &mode.wait;
        else
          return nullptr;
      },
      modes);
}

/// Both prepare, and are as good: the one with the lower address steps back, as between two Active routers (RFC 9568
/// 6.4.3), else both would, again and again.
bool outranks(const Election& ours, const Heard& theirs) {
  const auto& settings = ours.settings();
  return ours.preparing() && theirs.priority == settings.priority && theirs.source < settings.primary;
}

}  // namespace

Election::Wait* Election::wait() { return wait_in<Wait>(mode_); }

const Election::Wait* Election::wait() const { return wait_in<const Wait>(mode_); }

std::optional<Peer> Election::active_peer() const {
  const Wait* wait = this->wait();
  return wait == nullptr ? std::nullopt : wait->active_peer;
}

Duration Election::adopted_interval() const {
  const Wait* wait = this->wait();
  return wait == nullptr ? settings_.interval : wait->adopted;
}

bool Election::has_lost() const {
  const Wait* wait = this->wait();
  return wait != nullptr && wait->active_peer && !wait->peer_resigned && obeys(wait->active_peer->priority);
}

std::optional<Reason> Election::why_ready() const {
  if (const auto* ready = std::get_if<Ready>(&mode_)) return ready->why;
  if (const auto* preparing = std::get_if<Preparing>(&mode_)) return preparing->why;
  return std::nullopt;
}

Start Election::kept_wait(TimePoint now) const {
  if (const auto* backup = std::get_if<Backup>(&mode_))
    return {.wait_ends = backup->active_down_timer, .preempt_at = backup->preempt_at};
  return ready() ? Start{.wait_ends = now} : Start{};
}

/// Becomes a Backup that was none, and waits from now on.
Election::Backup& Election::listen(const Reason& reason, Wait wait, TimePoint now, Actions& out) {
  VIPD_ASSERT(state() != State::backup);
  out.add(StateChanged{state(), State::backup, reason});
  const bool tie = reason.peer && reason.peer->priority == settings_.priority;
  if (settings_.grouped && tie) wait_apart(wait, now);
  return wait_for_active(wait, now, active_down(wait));
}

/// The wait begins at `now`.
Election::Backup& Election::wait_for_active(Wait wait, TimePoint now, Duration length, TimePoint preempt_at) {
  wait.began = wait.hold_until = now;
  return enter_backup({wait, std::max(now + length, wait.not_before), preempt_at});
}

/// The wait is no longer than any that begins now could be, whatever was written down.
void Election::go_on_waiting(Backup& backup, const Start& before, TimePoint now) const {
  const Duration longest =
      std::max({active_down_interval(settings_.priority, settings_.max_adopted_interval, settings_.version),
                settings_.startup_delay, settings_.resolution_time});
  const TimePoint ends = std::clamp(before.wait_ends, now, now + longest);
  backup.wait.began = std::min(now, ends - active_down(backup.wait));
  listen_until(backup, ends);
  if (before.preempt_at != kNever && may_preempt())
    backup.preempt_at = std::clamp(before.preempt_at, now, now + settings_.preempt_delay);
}

/// A Backup does not believe before that no router is Active, unless it hears one.
void Election::listen_until(Backup& backup, TimePoint when) const {
  backup.wait.hold_until = when;
  backup.active_down_timer = end_of(backup.wait);
}

void Election::stop_preparing(TimePoint now) {
  Wait again = *wait();
  wait_apart(again, now);
  wait_for_active(again, now, active_down(again));
}

void Election::wait_apart(Wait& wait, TimePoint now) const {
  wait.not_before = std::max(now + active_down(wait), wait.not_before) + time_apart(settings_.interval, now);
}

/// A Backup may have to obey the router that it last heard, now that its own standing is another. A wait that went on
/// over that router's adverts, or was short because it resigned, counts no more.
void Election::judge_peer() {
  Wait* wait = this->wait();
  if (wait == nullptr) return;
  if (!settings_.fit) wait->peer_resigned = false;
  if (!wait->active_peer || !obeys(wait->active_peer->priority)) return;
  wait->began = std::max(wait->began, wait->peer_heard);
  enter_backup({.wait = *wait, .active_down_timer = end_of(*wait)});
}

/// The wait of a Backup after its settings changed: as if they had been so when the wait began.
void Election::judge_wait() {
  if (auto* backup = std::get_if<Backup>(&mode_))
    backup->active_down_timer = end_of(backup->wait);
  else if (ready() && !waits_for_word())
    enter_backup({.wait = *wait(), .active_down_timer = end_of(*wait())});
}

/// `now` is when it arrived.
void Election::heard_in_backup(Wait& wait, const Heard& advert, TimePoint now) {  // RFC 9568 6.4.2
  if (wants_to_go(advert) || outranks(*this, advert)) return;
  if (has_let_go(advert, now) || is_beside_active(wait, advert, now)) return;
  if (advert.priority == kResignPriority && settings_.fit) {
    wait.note(advert, now);
    wait.peer_resigned = true;
    wait_for_active(wait, now, skew(wait));
  } else if (obeys(advert.priority)) {
    adopt(wait, advert.interval);
    wait.note(advert, now);
    wait.peer_resigned = false;
    wait_for_active(wait, now, active_down(wait));
  } else {
    heard_lower(wait, advert, now);
  }
}

/// The advert is discarded: the timer goes on, and nothing is adopted. With preempt_delay its router is left alone for
/// so long: until then it is our Active router, and its silence counts.
void Election::heard_lower(Wait& wait, const Heard& advert, TimePoint now) {
  const bool obeyed_other = has_lost();
  if (!wait.peer_resigned) wait.note(advert, now);
  const auto* backup = std::get_if<Backup>(&mode_);
  if (settings_.preempt_delay == Duration::zero() || backup == nullptr) return;
  TimePoint preempt_at = backup->preempt_at;
  if (preempt_at == kNever)  // another router, which was obeyed, may be Active still: it is waited for as well
    preempt_at = std::max(now + settings_.preempt_delay, obeyed_other ? backup->active_down_timer : now);
  adopt(wait, advert.interval);
  wait_for_active(wait, now, active_down(wait), preempt_at);
}

/// A router resigns while this one is about to take over, or has resigned and goes on as the last resort until then.
bool Election::wants_to_go(const Heard& advert) const {
  const auto why = why_ready();
  if (!settings_.asks_first || !why || !settings_.fit) return false;
  const bool has_resigned = why->why == Why::peer_resigned && why->peer->address == advert.source;
  return advert.priority == kResignPriority || (has_resigned && advert.priority < settings_.priority);
}

/// This router prepares and does not preempt. A lower advert right after its own is the last word of an Active router
/// that has given way to it: to obey that word would leave the addresses with no router.
bool Election::has_let_go(const Heard& advert, TimePoint now) const {
  const TimePoint spoke = believed_until_ - kBelieved * settings_.interval;
  return preparing() && advert.priority < settings_.priority && now - spoke < settings_.interval / 4;
}

/// A priority 0 of a router that was Active beside the one which this Backup obeys: it has woken up, or its group has
/// lost. The Active router is still there; so no router need take over, and its own priority 0 would say otherwise.
bool Election::is_beside_active(const Wait& wait, const Heard& advert, TimePoint now) const {
  if (advert.priority != kResignPriority || !has_lost()) return false;
  return wait.active_peer->address != advert.source && now - wait.peer_heard < wait.adopted * 3 / 2;
}

Reason Election::why_take_over(const Wait& wait, TimePoint now) const {
  const bool alive = wait.active_peer && now - wait.peer_heard < 3 * wait.adopted;
  const bool preempted = may_preempt() && alive && wait.active_peer->priority < settings_.priority;
  Reason reason = because(wait.peer_resigned ? Why::peer_resigned : preempted ? Why::preempted : Why::silence);
  reason.peer = wait.active_peer;
  reason.waited = now - (wait.active_peer ? wait.peer_heard : wait.began);
  return reason;
}

/// RFC 9568 6.1: the owner preempts whatever Preempt_Mode says.
bool Election::may_preempt() const {
  return settings_.fit && !settings_.patient && (settings_.preempt || settings_.priority == kOwnerPriority);
}

TimePoint Election::end_of(const Wait& wait) const {
  return std::max(
      {wait.began + (wait.peer_resigned ? skew(wait) : active_down(wait)), wait.hold_until, wait.not_before});
}

Duration Election::skew(const Wait& wait) const {
  return skew_time(settings_.priority, wait.adopted, settings_.version);
}

Duration Election::active_down(const Wait& wait) const {
  return active_down_interval(settings_.priority, wait.adopted, settings_.version);
}

void Election::adopt(Wait& wait, Duration interval) const {
  wait.adopted = std::min(interval, settings_.max_adopted_interval);
}

void Election::Wait::note(const Heard& advert, TimePoint now) {
  active_peer = Peer{advert.source, advert.priority};
  peer_heard = now;
}

}  // namespace vipd
