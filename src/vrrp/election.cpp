#include "vipd/vrrp/election.hpp"

#include <algorithm>

#include "vipd/base/assert.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd {
namespace {

constexpr double kAnswerBurst = 5;
constexpr double kAnswersPerInterval = 5;
constexpr int kAdvertsBetweenOffers = 3;
constexpr int kBelieved = 3;  ///< intervals that any peer waits at least, RFC 9568 6.1

/// Two groups of equal priority may each win on another segment and give up together. So that they do not take over
/// together as well, each waits a part of an interval of its own, whatever it hears from the other that was said
/// before; the nanoseconds of two clocks are dice enough.
Duration wait_apart(Duration interval, TimePoint now) {
  const auto mixed = static_cast<std::uint64_t>(now.time_since_epoch().count()) * 0x9E37'79B9'7F4A'7C15U;
  return interval * static_cast<Duration::rep>(mixed >> 48U) / 65'536;
}

/// Both prepare, and are as good: the one with the lower address steps back, as between two Active routers (RFC 9568
/// 6.4.3), else both would, again and again.
bool outranks(const Election& ours, const Heard& theirs) {
  const auto& settings = ours.settings();
  return ours.preparing() && theirs.priority == settings.priority && theirs.source < settings.primary;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::initialize:
      return "initialize";
    case State::backup:
      return "backup";
    case State::active:
      return "active";
  }
  return "?";
}

void Actions::add(Action action) {
  VIPD_ASSERT(size_ < actions_.size());
  actions_[size_++] = action;
}

Duration skew_time(std::uint8_t priority, Duration interval, std::uint8_t version) {
  const Duration whole = version == 2 ? std::chrono::seconds(1) : interval;
  return whole * (256 - priority) / 256;
}

Duration active_down_interval(std::uint8_t priority, Duration interval, std::uint8_t version) {
  return 3 * interval + skew_time(priority, interval, version);
}

Actions Election::step(const Event& event, TimePoint now) {
  Actions out;
  std::visit([&](const auto& what) { on(what, now, out); }, event);
  return out;
}

void Election::on(const Start& event, TimePoint now, Actions& out) {
  if (state_ != State::initialize) return;
  const bool owner = settings_.priority == kOwnerPriority && !settings_.patient;  // RFC 9568 6.4.1
  if (owner && !waits_for_word()) return become_active(because(Why::owner), now, out);
  adopted_ = settings_.interval;
  become_backup(because(Why::started), now, out);
  if (owner) return take_over(because(Why::owner), now, out);
  if (event.wait_ends != kNever) return go_on_waiting(event, now);
  listen_until(now + std::max(settings_.startup_delay, settings_.resolution_time));
}

Start Election::kept_wait(TimePoint now) const {
  if (state_ != State::backup) return {};
  return {.wait_ends = ready() ? now : deadline_, .preempt_at = preempt_at_};
}

/// The wait is no longer than any that begins now could be, whatever was written down.
void Election::go_on_waiting(const Start& before, TimePoint now) {
  const Duration longest =
      std::max({active_down_interval(settings_.priority, settings_.max_adopted_interval, settings_.version),
                settings_.startup_delay, settings_.resolution_time});
  const TimePoint ends = std::clamp(before.wait_ends, now, now + longest);
  wait_began_ = std::min(now, ends - patience());
  listen_until(ends);
  if (before.preempt_at != kNever && may_preempt())
    preempt_at_ = std::clamp(before.preempt_at, now, now + settings_.preempt_delay);
}

void Election::on(const Resume& event, TimePoint now, Actions&) {
  if (state_ != State::initialize) return;
  enter_active(now);
  deadline_ = now;  // peers have waited for a while
  believed_until_ = event.believed_until;
}

void Election::on(const Stop& event, TimePoint now, Actions& out) {
  if (state_ == State::backup) {  // RFC 9568 6.4.2: no advert
    if (preparing()) out.add(SendAdvert{kResignPriority});
    return become_initialize(because(Why::stopped), out);
  }
  if (state_ != State::active || resigning()) return;
  out.add(SendAdvert{kResignPriority});  // RFC 9568 6.4.3
  resigning_ = Resigning::said_once;
  offering_ = false;
  deadline_ = now + std::max(event.interval, settings_.interval);
  last_wait_ = std::max(event.skew, skew_time(1, settings_.interval, settings_.version));
}

void Election::on(const Fail&, TimePoint, Actions& out) {
  if (state_ == State::initialize) return;
  if (state_ == State::active) out.add(Release{});
  if (state_ == State::active || preparing()) out.add(SendAdvert{kResignPriority});
  become_initialize(because(Why::fault), out);
}

void Election::on(const DeadlinePassed&, TimePoint now, Actions& out) {
  if (now < deadline()) return;
  if (preparing()) return go_on(now, out);
  if (state_ == State::backup) return take_over(why_take_over(now), now, out);  // RFC 9568 6.4.2, Active_Down_Timer
  if (resigning_ == Resigning::said_once) {  // nobody took over: whoever is there may have missed it
    out.add(SendAdvert{kResignPriority});
    resigning_ = Resigning::said_twice;
    deadline_ = now + last_wait_;
  } else if (resigning_ == Resigning::said_twice) {
    out.add(Release{});
    become_initialize(because(Why::stopped), out);
  } else if (state_ == State::active) {  // RFC 9568 6.4.3, Adver_Timer; absolute deadlines do not drift
    if (!settings_.fit && ++adverts_since_offer_ > kAdvertsBetweenOffers) return offer(now, out);
    offering_ = false;
    go_on(now, out);
  }
}

void Election::on(const Stalled&, TimePoint now, Actions& out) {
  if (!stalled(now)) return;
  Reason reason = because(Why::stalled);
  reason.waited = now - believed_until_ + kBelieved * settings_.interval;
  out.add(Release{});
  out.add(SendAdvert{kResignPriority});
  become_backup(reason, now, out);
  listen_until(now + settings_.resolution_time);
}

void Election::speak(const SendAdvert& advert, TimePoint now, Actions& out) {
  out.add(advert);
  believed_until_ = now + kBelieved * settings_.interval;
}

void Election::go_on(TimePoint now, Actions& out) {
  speak({settings_.priority, now - deadline_}, now, out);
  deadline_ += settings_.interval;
  if (deadline_ <= now) deadline_ = now + settings_.interval;
}

/// Whoever is fit may have the addresses. The next advert comes when the largest Skew_Time that a peer can have is
/// over, and half an interval for the takeover: one in between would start a peer's wait over.
void Election::offer(TimePoint now, Actions& out) {
  speak({kResignPriority}, now, out);
  offering_ = true;
  adverts_since_offer_ = 0;
  deadline_ = now + settings_.interval * 3 / 2;
}

void Election::on(const SetStanding& event, TimePoint now, Actions& out) {
  VIPD_ASSERT(event.priority != kResignPriority && (event.fit || event.priority == 1));
  const bool falls_sick = settings_.fit && !event.fit;
  const bool rises = event.priority > settings_.priority || (event.fit && !settings_.fit);
  settings_.priority = event.priority;
  settings_.fit = event.fit;
  if (falls_sick && state_ == State::active && !resigning()) offer(now, out);
  if (rises && state_ == State::active && !resigning()) {
    offering_ = false;
    deadline_ = now;  // who would give way, or was not answered while we offered, is told at once
  }
  judge_peer();
  judge_wait();
}

/// Backup: who was last heard may be one to obey now that our standing is another, and a wait that went on over its
/// adverts, or was short because it resigned, counts no more.
void Election::judge_peer() {
  if (!settings_.fit) peer_resigned_ = false;
  if (!active_peer_ || !obeys(active_peer_->priority)) return;
  preempt_at_ = kNever;
  ready_.reset();
  wait_began_ = std::max(wait_began_, peer_heard_);
}

void Election::on(const Reconfigure& event, TimePoint now, Actions&) {
  Settings wanted = event.settings;
  wanted.version = settings_.version;
  wanted.primary = settings_.primary;
  wanted.fit = settings_.fit;
  settings_ = wanted;
  // Whoever was heard decides a Backup's interval, and nobody was while active_peer_ is unknown.
  adopted_ = active_peer_ ? std::min(adopted_, settings_.max_adopted_interval) : settings_.interval;
  if (!may_preempt()) preempt_at_ = kNever;
  if (!settings_.grouped) not_before_ = TimePoint::min();
  if ((state_ == State::active && !resigning()) || preparing())
    deadline_ = std::min(deadline_, now + settings_.interval);
  judge_wait();
}

void Election::on(const SetPrimary& event, TimePoint, Actions&) { settings_.primary = event.address; }

void Election::on(const Heard& advert, TimePoint now, Actions& out) {
  switch (state_) {
    case State::initialize:
      return;  // RFC 9568 6.4.1: nothing is waited for
    case State::backup:
      return heard_in_backup(advert, advert.age < std::min(adopted_, advert.interval) ? now - advert.age : now);
    case State::active:
      return resigning() ? heard_while_resigning(advert, out) : heard_in_active(advert, now, out);
  }
}

/// `now` is when it arrived.
void Election::heard_in_backup(const Heard& advert, TimePoint now) {  // RFC 9568 6.4.2
  if (wants_to_go(advert) || outranks(*this, advert)) return;
  if (has_let_go(advert, now) || is_beside_active(advert, now)) return;
  if (advert.priority == kResignPriority && settings_.fit) {
    preempt_at_ = kNever;
    peer_resigned_ = true;
    note_peer(advert, now);
    return wait_for_active(now, skew());
  }
  if (!obeys(advert.priority)) {  // discarded: the timer goes on, nothing is adopted
    const bool obeyed_other = active_peer_ && !peer_resigned_ && obeys(active_peer_->priority);
    if (!peer_resigned_) note_peer(advert, now);
    if (settings_.preempt_delay == Duration::zero() || ready()) return;
    if (preempt_at_ == kNever)  // another one, which was obeyed, may be Active still: it is waited for as well
      preempt_at_ = std::max(now + settings_.preempt_delay, obeyed_other ? deadline_ : now);
    adopt(advert.interval);  // until then it is our Active router, and its silence counts
    return wait_for_active(now, patience());
  }
  preempt_at_ = kNever;
  adopt(advert.interval);
  peer_resigned_ = false;
  note_peer(advert, now);
  wait_for_active(now, patience());
}

/// Somebody who resigns while we are about to take over, or has and goes on as the last resort until we have.
bool Election::wants_to_go(const Heard& advert) const {
  if (!settings_.asks_first || !ready() || !settings_.fit) return false;
  const bool has_resigned = ready_->why == Why::peer_resigned && ready_->peer->address == advert.source;
  return advert.priority == kResignPriority || (has_resigned && advert.priority < settings_.priority);
}

/// This router prepares and does not preempt. A lower advert right after its own is the last word of an Active router
/// that has yielded to it: to obey that word would leave the addresses with nobody.
bool Election::has_let_go(const Heard& advert, TimePoint now) const {
  const TimePoint spoke = believed_until_ - kBelieved * settings_.interval;
  return preparing() && advert.priority < settings_.priority && now - spoke < settings_.interval / 4;
}

/// A priority 0 of a router that was Active beside the one which this Backup obeys: it has woken up, or its group has
/// lost. The Active router is still there; so nobody need take over, and its own priority 0 would say otherwise.
bool Election::is_beside_active(const Heard& advert, TimePoint now) const {
  if (advert.priority != kResignPriority || !active_peer_ || peer_resigned_ || !obeys(active_peer_->priority))
    return false;
  return active_peer_->address != advert.source && now - peer_heard_ < adopted_ * 3 / 2;
}

void Election::heard_in_active(const Heard& advert, TimePoint now, Actions& out) {  // RFC 9568 6.4.3
  const bool resigned = advert.priority == kResignPriority;
  const bool tie = advert.priority == settings_.priority;
  const bool wins = advert.priority > settings_.priority || (tie && advert.source > settings_.primary);
  if (resigned || !(wins || (tie && offering()))) {
    if (offering()) return;
    if (!resigned && settings_.version == 2) return;  // RFC 3768 6.4.3: discarded, without an answer
    if (!may_answer(now)) return;
    speak({settings_.priority}, now, out);
    if (resigned) deadline_ = now + settings_.interval;  // Adver_Timer is reset for priority 0 only
    return;
  }
  adopt(advert.interval);
  note_peer(advert, now);
  Reason reason = because(tie ? Why::higher_address : Why::higher_priority);
  reason.peer = active_peer_;
  out.add(Release{.to_peer = true});
  if (wins) out.add(SendAdvert{settings_.priority});  // the last word: it loses, so nobody yields to it
  become_backup(reason, now, out);
}

void Election::heard_while_resigning(const Heard& advert, Actions& out) {
  if (advert.priority == kResignPriority) return;
  Reason reason = because(Why::stopped);
  reason.peer = Peer{advert.source, advert.priority};
  out.add(Release{.to_peer = true});
  become_initialize(reason, out);
}

void Election::on(const Prepare&, TimePoint now, Actions& out) {
  if (!ready() || ready_->why != Why::silence) return;
  deadline_ = now;
  go_on(now, out);
}

void Election::on(const TakeOver&, TimePoint now, Actions& out) {
  if (ready()) become_active(*ready_, now, out);
}

void Election::stop_preparing(TimePoint now) {
  wait_for_active(now, patience());
  deadline_ = not_before_ = deadline_ + wait_apart(settings_.interval, now);
}

void Election::on(const GiveUp& event, TimePoint now, Actions& out) {
  if (preparing() && settings_.grouped) return stop_preparing(now);
  if (state_ != State::active || resigning()) return;
  Reason reason = because(Why::group);
  reason.peer = event.winner;
  out.add(Release{.to_peer = event.winner.has_value()});
  out.add(SendAdvert{kResignPriority});
  become_backup(reason, now, out);
}

/// The wait is over: becomes Active, or ready to.
void Election::take_over(const Reason& reason, TimePoint now, Actions& out) {
  if (!waits_for_word()) return become_active(reason, now, out);
  ready_ = reason;
  deadline_ = preempt_at_ = kNever;
}

void Election::become_active(const Reason& reason, TimePoint now, Actions& out) {
  VIPD_ASSERT(state_ != State::active);
  out.add(Claim{});
  speak({settings_.priority}, now, out);
  out.add(StateChanged{state_, State::active, reason});
  enter_active(now);
}

void Election::enter_active(TimePoint now) {
  state_ = State::active;
  ready_.reset();
  resigning_ = Resigning::no;
  peer_resigned_ = false;
  preempt_at_ = kNever;
  active_peer_.reset();
  adopted_ = settings_.interval;
  deadline_ = now + settings_.interval;
  answer_tokens_ = kAnswerBurst;
  answer_tokens_at_ = now;
  offering_ = false;
  adverts_since_offer_ = 0;
}

void Election::become_backup(const Reason& reason, TimePoint now, Actions& out) {
  VIPD_ASSERT(state_ != State::backup);
  out.add(StateChanged{state_, State::backup, reason});
  state_ = State::backup;
  offering_ = false;
  peer_resigned_ = false;
  wait_for_active(now, patience());
  const bool tie = reason.peer && reason.peer->priority == settings_.priority;
  if (settings_.grouped && tie) deadline_ = not_before_ = deadline_ + wait_apart(settings_.interval, now);
}

void Election::become_initialize(const Reason& reason, Actions& out) {
  VIPD_ASSERT(state_ != State::initialize);
  out.add(StateChanged{state_, State::initialize, reason});
  state_ = State::initialize;
  ready_.reset();
  not_before_ = TimePoint::min();
  resigning_ = Resigning::no;
  offering_ = false;
  peer_resigned_ = false;
  preempt_at_ = kNever;
  active_peer_.reset();
  deadline_ = kNever;
}

Reason Election::why_take_over(TimePoint now) const {
  const bool alive = active_peer_ && now - peer_heard_ < 3 * adopted_;
  const bool preempted = may_preempt() && alive && active_peer_->priority < settings_.priority;
  Reason reason = because(peer_resigned_ ? Why::peer_resigned : preempted ? Why::preempted : Why::silence);
  reason.peer = active_peer_;
  reason.waited = now - (active_peer_ ? peer_heard_ : wait_began_);
  return reason;
}

/// RFC 9568 6.1: the owner preempts whatever Preempt_Mode says.
bool Election::may_preempt() const {
  return settings_.fit && !settings_.patient && (settings_.preempt || settings_.priority == kOwnerPriority);
}

void Election::note_peer(const Heard& advert, TimePoint now) {
  active_peer_ = Peer{advert.source, advert.priority};
  peer_heard_ = now;
}

void Election::adopt(Duration interval) { adopted_ = std::min(interval, settings_.max_adopted_interval); }

void Election::wait_for_active(TimePoint now, Duration length) {
  ready_.reset();
  wait_began_ = now;
  hold_until_ = now;
  deadline_ = std::max(now + length, not_before_);
}

/// Backup: does not believe before that nobody is there, unless it hears an Active router.
void Election::listen_until(TimePoint when) {
  hold_until_ = when;
  judge_wait();
}

/// The deadline of a Backup after its settings changed: as if they had been so when its wait began.
void Election::judge_wait() {
  if (state_ != State::backup || (ready() && waits_for_word())) return;
  ready_.reset();
  deadline_ = std::max({wait_began_ + (peer_resigned_ ? skew() : patience()), hold_until_, not_before_});
}

bool Election::may_answer(TimePoint now) {
  const double refill = kAnswersPerInterval * static_cast<double>((now - answer_tokens_at_).count()) /
                        static_cast<double>(settings_.interval.count());
  answer_tokens_ = std::min(kAnswerBurst, answer_tokens_ + refill);
  answer_tokens_at_ = now;
  if (answer_tokens_ < 1) return false;
  answer_tokens_ -= 1;
  return true;
}

}  // namespace vipd
