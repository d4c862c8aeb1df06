#include "vipd/vrrp/election.hpp"

#include <algorithm>

#include "vipd/base/assert.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd {
namespace {

constexpr int kAdvertsBetweenYields = 3;

/// When an advert arrived that was read at `now`, for a wait that begins with it.
TimePoint arrival(const Heard& advert, Duration adopted, TimePoint now) {
  return advert.age < std::min(adopted, advert.interval) ? now - advert.age : now;
}

}  // namespace

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::initialize:
      return "initialize";
    case Mode::backup:
      return "backup";
    case Mode::ready:
      return "ready";
    case Mode::preparing:
      return "preparing";
    case Mode::active:
      return "active";
    case Mode::yielding:
      return "yielding";
    case Mode::resigning:
      return "resigning";
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

TimePoint Election::deadline() const {
  return std::visit([](const auto& mode) { return mode.deadline(); }, mode_);
}

void Election::on(const Start& event, TimePoint now, Actions& out) {
  if (mode() != Mode::initialize) return;
  const bool owner = settings_.priority == kOwnerPriority && !settings_.patient;  // RFC 9568 6.4.1
  if (owner && !waits_for_word()) return take_over(because(Why::owner), now, out);
  Backup& backup = listen(because(Why::started), {.adopted = settings_.interval}, now, out);
  if (owner) return enter_ready({.wait = backup.wait, .why = because(Why::owner)});
  if (event.wait_ends != kNever) return go_on_waiting(backup, event, now);
  listen_until(backup, now + std::max(settings_.startup_delay, settings_.resolution_time));
}

void Election::on(const Resume& event, TimePoint now, Actions&) {
  if (mode() != Mode::initialize) return;
  enter_active({.adver_timer = now, .answers = {now}});  // peers have waited for a while
  believed_until_ = event.believed_until;
}

void Election::on(const Stop& event, TimePoint now, Actions& out) {
  if (state() == State::backup) {  // RFC 9568 6.4.2: no advert
    if (preparing()) out.add(SendAdvert{kResignPriority});
    return leave(because(Why::stopped), out);
  }
  if (!stays_active()) return;
  out.add(SendAdvert{kResignPriority});  // RFC 9568 6.4.3
  enter_resigning({.next = now + std::max(event.interval, settings_.interval),
                   .last_wait = std::max(event.skew, skew_time(1, settings_.interval, settings_.version))});
}

void Election::on(const Fail&, TimePoint, Actions& out) {
  if (state() == State::initialize) return;
  if (state() == State::active) out.add(Release{});
  if (state() == State::active || preparing()) out.add(SendAdvert{kResignPriority});
  leave(because(Why::fault), out);
}

void Election::on(const DeadlinePassed&, TimePoint now, Actions& out) {
  if (now < deadline()) return;
  std::visit([&](auto& mode) { due(mode, now, out); }, mode_);
}

void Election::due(Backup& backup, TimePoint now, Actions& out) {  // RFC 9568 6.4.2, Active_Down_Timer
  const Reason why = why_take_over(backup.wait, now);
  if (waits_for_word()) return enter_ready({.wait = backup.wait, .why = why});
  take_over(why, now, out);
}

void Election::due(Preparing& preparing, TimePoint now, Actions& out) { advertise(preparing.adver_timer, now, out); }

void Election::due(Active& active, TimePoint now, Actions& out) {  // RFC 9568 6.4.3, Adver_Timer
  if (!settings_.fit && ++active.adverts_while_unfit > kAdvertsBetweenYields) return yield(active, now, out);
  advertise(active.adver_timer, now, out);
}

/// No peer took over.
void Election::due(Yielding& yielding, TimePoint now, Actions& out) {
  due(enter_active({.adver_timer = yielding.adver_timer, .answers = yielding.answers}), now, out);
}

void Election::due(Resigning& resigning, TimePoint now, Actions& out) {
  if (resigning.said_twice) {
    out.add(Release{});
    return leave(because(Why::stopped), out);
  }
  out.add(SendAdvert{kResignPriority});  // no peer took over, and one may have missed the first
  resigning.said_twice = true;
  resigning.next = now + resigning.last_wait;
}

void Election::on(const Stalled&, TimePoint now, Actions& out) {
  if (!stalled(now)) return;
  Reason reason = because(Why::stalled);
  reason.waited = now - believed_until_ + kBelieved * settings_.interval;
  out.add(Release{});
  out.add(SendAdvert{kResignPriority});
  Backup& backup = listen(reason, {.adopted = settings_.interval}, now, out);
  listen_until(backup, now + settings_.resolution_time);
}

void Election::on(const Heard& advert, TimePoint now, Actions& out) {
  switch (state()) {
    case State::initialize:
      return;  // RFC 9568 6.4.1: nothing is waited for
    case State::backup:
      return heard_in_backup(*wait(), advert, arrival(advert, wait()->adopted, now));
    case State::active:
      return resigning() ? heard_while_resigning(advert, out) : heard_in_active(advert, now, out);
  }
}

void Election::heard_in_active(const Heard& advert, TimePoint now, Actions& out) {  // RFC 9568 6.4.3
  const bool tie = advert.priority == settings_.priority;
  const bool wins = advert.priority > settings_.priority || (tie && advert.source > settings_.primary);
  if (!wins && !(tie && yielding())) return answer(advert, now, out);
  Wait wait{.adopted = settings_.interval};
  adopt(wait, advert.interval);
  wait.note(advert, now);
  Reason reason = because(tie ? Why::higher_address : Why::higher_priority);
  reason.peer = wait.active_peer;
  out.add(Release{.to_peer = true});
  if (wins) out.add(SendAdvert{settings_.priority});  // the last word: it loses, so no router gives way to it
  listen(reason, wait, now, out);
}

/// Answers an advert that loses, or a priority 0. A yielding router stays silent.
void Election::answer(const Heard& advert, TimePoint now, Actions& out) {
  auto* active = std::get_if<Active>(&mode_);
  if (active == nullptr) return;
  const bool resigned = advert.priority == kResignPriority;
  if (!resigned && settings_.version == 2) return;  // RFC 3768 6.4.3: discarded, without an answer
  if (!active->answers.passes(settings_.interval, now)) return;
  speak({settings_.priority}, now, out);
  if (resigned) active->adver_timer = now + settings_.interval;  // Adver_Timer is reset for priority 0 only
}

bool Election::AnswerLimit::passes(Duration interval, TimePoint now) {
  const double refill = kMost * static_cast<double>((now - filled_at).count()) / static_cast<double>(interval.count());
  tokens = std::min(kMost, tokens + refill);
  filled_at = now;
  if (tokens < 1) return false;
  tokens -= 1;
  return true;
}

void Election::heard_while_resigning(const Heard& advert, Actions& out) {
  if (advert.priority == kResignPriority) return;
  Reason reason = because(Why::stopped);
  reason.peer = Peer{advert.source, advert.priority};
  out.add(Release{.to_peer = true});
  leave(reason, out);
}

void Election::on(const SetStanding& event, TimePoint now, Actions& out) {
  VIPD_ASSERT(event.priority != kResignPriority && (event.fit || event.priority == 1));
  const bool falls_sick = settings_.fit && !event.fit;
  const bool rises = event.priority > settings_.priority || (event.fit && !settings_.fit);
  settings_.priority = event.priority;
  settings_.fit = event.fit;
  if (const auto* active = std::get_if<Active>(&mode_); active && falls_sick) yield(*active, now, out);
  if (rises) advertise_at_once(now);
  judge_peer();
  judge_wait();
}

/// A router that would give way, or was not answered while this one was yielding, is told at once.
void Election::advertise_at_once(TimePoint now) {
  if (const auto* yielding = std::get_if<Yielding>(&mode_))
    enter_active({.adver_timer = now, .answers = yielding->answers});
  else if (auto* active = std::get_if<Active>(&mode_))
    active->adver_timer = now;
}

void Election::on(const Reconfigure& event, TimePoint now, Actions&) {
  Settings wanted = event.settings;
  wanted.version = settings_.version;
  wanted.primary = settings_.primary;
  wanted.fit = settings_.fit;
  settings_ = wanted;
  if (Wait* wait = this->wait()) {  // the Active router decides a Backup's interval, if one was heard
    wait->adopted = wait->active_peer ? std::min(wait->adopted, settings_.max_adopted_interval) : settings_.interval;
    if (!settings_.grouped) wait->not_before = TimePoint::min();
  }
  if (auto* backup = std::get_if<Backup>(&mode_); backup && !may_preempt()) backup->preempt_at = kNever;
  const auto hasten = [&](auto& mode) {
    if constexpr (requires { mode.adver_timer; })
      mode.adver_timer = std::min(mode.adver_timer, now + settings_.interval);
  };
  std::visit(hasten, mode_);
  judge_wait();
}

void Election::on(const SetPrimary& event, TimePoint, Actions&) { settings_.primary = event.address; }

void Election::on(const Prepare&, TimePoint now, Actions& out) {
  const auto* ready = std::get_if<Ready>(&mode_);
  if (ready == nullptr || ready->why.why != Why::silence) return;
  advertise(enter_preparing({.wait = ready->wait, .why = ready->why, .adver_timer = now}).adver_timer, now, out);
}

void Election::on(const TakeOver&, TimePoint now, Actions& out) {
  if (const auto why = why_ready()) take_over(*why, now, out);
}

void Election::on(const GiveUp& event, TimePoint now, Actions& out) {
  if (preparing() && settings_.grouped) return stop_preparing(now);
  if (!stays_active()) return;
  Reason reason = because(Why::group);
  reason.peer = event.winner;
  out.add(Release{.to_peer = event.winner.has_value()});
  out.add(SendAdvert{kResignPriority});
  listen(reason, {.adopted = settings_.interval}, now, out);
}

void Election::take_over(const Reason& reason, TimePoint now, Actions& out) {
  out.add(Claim{});
  speak({settings_.priority}, now, out);
  out.add(StateChanged{state(), State::active, reason});
  enter_active({.adver_timer = now + settings_.interval, .answers = {now}});
}

void Election::leave(const Reason& reason, Actions& out) {
  out.add(StateChanged{state(), State::initialize, reason});
  enter_initialize();
}

/// Any fit router may have the addresses. The next advert comes when the largest Skew_Time that a peer can have is
/// over, and half an interval for the takeover: an advert in between would start a peer's wait over.
void Election::yield(const Active& active, TimePoint now, Actions& out) {
  speak({kResignPriority}, now, out);
  enter_yielding({.adver_timer = now + settings_.interval * 3 / 2, .answers = active.answers});
}

/// Absolute deadlines do not drift.
void Election::advertise(TimePoint& adver_timer, TimePoint now, Actions& out) {
  speak({settings_.priority, now - adver_timer}, now, out);
  adver_timer += settings_.interval;
  if (adver_timer <= now) adver_timer = now + settings_.interval;
}

void Election::speak(const SendAdvert& advert, TimePoint now, Actions& out) {
  out.add(advert);
  believed_until_ = now + kBelieved * settings_.interval;
}

// One function enters each mode. The new mode comes by value, since it is made of what the old one has.

void Election::enter_initialize() {
  VIPD_ASSERT(mode() != Mode::initialize);
  mode_.emplace<Initialize>();
}

Election::Backup& Election::enter_backup(Backup backup) {
  VIPD_ASSERT(!resigning());
  return mode_.emplace<Backup>(backup);
}

void Election::enter_ready(Ready ready) {
  VIPD_ASSERT(mode() == Mode::backup);
  mode_.emplace<Ready>(ready);
}

Election::Preparing& Election::enter_preparing(Preparing preparing) {
  VIPD_ASSERT(mode() == Mode::ready);
  return mode_.emplace<Preparing>(preparing);
}

Election::Active& Election::enter_active(Active active) {
  VIPD_ASSERT(mode() != Mode::active && !resigning());
  return mode_.emplace<Active>(active);
}

void Election::enter_yielding(Yielding yielding) {
  VIPD_ASSERT(mode() == Mode::active && !settings_.fit);
  mode_.emplace<Yielding>(yielding);
}

void Election::enter_resigning(Resigning resigning) {
  VIPD_ASSERT(stays_active());
  mode_.emplace<Resigning>(resigning);
}

}  // namespace vipd
