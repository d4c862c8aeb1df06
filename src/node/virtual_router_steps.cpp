// The loop of a VirtualRouter: an event, the actions that the election asks for, the next event that follows from them.
#include <algorithm>
#include <utility>

#include "vipd/node/virtual_router.hpp"
#include "vipd/os/log.hpp"

namespace vipd {

TimePoint VirtualRouter::deadline() const {
  return std::min({election_.deadline(), owner_.deadline(), reconsider_due(), reassert_due(),
                   clearance_.due(teller_.hooks()), hosts_.due(), flaps_until_, give_up_removal_});
}

/// When something has to be judged anew of which nobody tells.
TimePoint VirtualRouter::reconsider_due() const {
  const TimePoint setback = setback_ ? setback_->due(pace(), port_.departures()) : kNever;
  return std::min({prepare_again_, setback, uplink_.due()});
}

void VirtualRouter::on_deadline(TimePoint now) {
  if (now >= reconsider_due()) reconsider(now);
  if (now >= election_.deadline()) step(DeadlinePassed{}, now);
  if (now >= owner_.deadline()) {
    owner_.on_deadline(now);
    if (owner_.holding() && owner_.failure()) claim_failed(FaultCause::claim, *owner_.failure(), now);
    settle(now);
  }
  if (now >= reassert_due()) reassert(now);
  if (now >= clearance_.due(teller_.hooks())) take_answer(now);
  if (now >= hosts_.due()) defend(now);
  if (now >= flaps_until_ && judge_flaps(now)) step(settings(now), now);
  if (now >= give_up_removal_) {
    removal_given_up_ = true;
    give_up_removal_ = kNever;
  }
}

void VirtualRouter::step(const Event& event, TimePoint now) {
  wake(now);
  take(event, now);
  carry_on(now);
}

void VirtualRouter::step_together(std::span<VirtualRouter* const> routers, const Event& event, TimePoint now) {
  std::vector<Actions> wanted;
  for (VirtualRouter* router : routers) router->wake(now);
  for (VirtualRouter* router : routers) wanted.push_back(router->decide(event, now));
  for (std::size_t nth = 0; nth < Actions::kMost; ++nth)
    for (std::size_t i = 0; i < routers.size(); ++i)
      if (nth < wanted[i].size() && !routers[i]->carry_out(wanted[i].begin()[nth], now)) return;
  for (VirtualRouter* router : routers) router->carry_on(now);
}

/// Before anything else that is done after a time in which this process did not run.
void VirtualRouter::wake(TimePoint now) {
  if (!election_.stalled(now)) return;
  for (const Action& action : decide(Stalled{}, now)) carry_out(action, now);
}

/// The election's answer to one event.
void VirtualRouter::take(const Event& event, TimePoint now) {
  for (const Action& action : decide(event, now))
    if (!carry_out(action, now)) break;
}

/// Takes the events that follow from the last one, one after the other, until there is none.
void VirtualRouter::carry_on(TimePoint now) {
  while (const auto event = next_event(now)) take(*event, now);
  if (stop_taken_ && election_.state() == State::initialize) finish_stop(now);
}

/// What the election wants. A claim that ends with it is forgotten before anything else is done.
Actions VirtualRouter::decide(const Event& event, TimePoint now) {
  const bool was_claim = is_claim();
  const Actions wanted = step_election(event, now);
  if (was_claim && !is_claim()) {
    claims_.drop(config_->name);
    hosts_.forget();  // the address is another one's from now on
  }
  for (const Action& action : wanted)
    if (const auto* change = std::get_if<StateChanged>(&action)) decided_ = change->reason;
  return wanted;
}

Actions VirtualRouter::step_election(const Event& event, TimePoint now) {
  const Mode before = election_.mode();
  const Actions wanted = election_.step(event, now);
  if (observer_ != nullptr)
    (*observer_)(*this, {.before = before, .event = event, .after = election_.mode(), .actions = wanted});
  return wanted;
}

/// What follows from the last event besides the election's answer; nullopt if nothing does.
std::optional<Event> VirtualRouter::next_event(TimePoint now) {
  const bool takeover_is_void = clearance_.subject() == Clearance::Subject::takeover && !election_.ready();
  const bool release_is_void =
      clearance_.subject() == Clearance::Subject::release && election_.state() != State::active;
  if (takeover_is_void || release_is_void) asked_in_vain();
  if (release_is_void && config_->sync_group.empty()) stop_due_ = Stop{};
  if (judge_flaps(now) || election_.settings().patient != is_patient(now)) return settings(now);
  keep_claim();
  if (config_->sync_group.empty())
    if (auto event = next_to_takeover(now)) return event;
  if (!stop_due_) return std::nullopt;
  stop_taken_ = true;
  return *std::exchange(stop_due_, std::nullopt);
}

/// Of a router that is ready: asks the hook, or takes over.
std::optional<Event> VirtualRouter::next_to_takeover(TimePoint now) {
  if (!election_.ready() || stopping_) return std::nullopt;
  if (config_->hooks.before_active.empty() || clearance_.is_given(Clearance::Subject::takeover)) return TakeOver{};
  if (clearance_.subject() != Clearance::Subject::nothing) return std::nullopt;
  ask(Clearance::Subject::takeover, now);
  return Prepare{};
}

bool VirtualRouter::may_take_over(TimePoint now) {
  const auto event = next_to_takeover(now);
  if (!event) return false;
  if (std::holds_alternative<TakeOver>(*event)) return true;
  step(*event, now);
  return false;
}

void VirtualRouter::ask(Clearance::Subject subject, TimePoint now) {
  const bool takeover = subject == Clearance::Subject::takeover;
  const HookSettings& hooks = config_->hooks;
  const Duration timeout = takeover ? hooks.before_active_timeout : hooks.before_release_timeout;
  const auto reason = takeover ? election_.why_ready() : std::nullopt;
  const HookEvent event =
      teller_.hook_event(takeover ? HookState::before_active : HookState::before_release,
                         reason ? to_string(*reason) : "stopped", reason ? reason->peer : std::nullopt);
  teller_.set_cause(event.reason + "; waits for hooks." + std::string(to_string(event.state)) + ", " +
                    format_duration(timeout) + " at most");
  clearance_.ask(subject, teller_.hooks(), event, timeout, now);
}

/// The hook has ended, or the time for it is over. Neither keeps an address from being taken, if not wanted, or left.
void VirtualRouter::take_answer(TimePoint now) {
  const bool takeover = clearance_.subject() == Clearance::Subject::takeover;
  if (const auto trouble = clearance_.take_answer(teller_.hooks())) {
    if (takeover && config_->hooks.before_active_failure == HookFailure::resign)
      return give_up(FaultCause::claim, *trouble, now);
    log_warning("{}: {}; it is not waited for any longer", config_->name, *trouble);
  }
  if (takeover)
    carry_on(now);
  else if (config_->sync_group.empty())
    let_go(now);
}

/// What was asked for does not come: a Backup remains one, or an Active router is one no more. A hook that has prepared
/// for being Active already is told that it is Backup.
void VirtualRouter::asked_in_vain() {
  const bool remains = clearance_.subject() == Clearance::Subject::takeover && election_.state() == State::backup;
  const bool started = clearance_.withdraw(teller_.hooks());
  if (!remains) return;
  spoken_ = false;
  const auto& peer = election_.active_peer();
  const std::string heard =
      peer ? ", but heard " + peer->address.to_string() + " (priority " + std::to_string(peer->priority) + ")" : "";
  teller_.set_cause("was about to take over" + heard);
  if (started) teller_.hooks().push(teller_.hook_event(hook_state(teller_.state()), teller_.cause(), peer));
}

/// False if what was wanted next is void: the addresses cannot be had.
bool VirtualRouter::carry_out(const Action& action, TimePoint now) {
  if (const auto* advert = std::get_if<SendAdvert>(&action)) {
    say(*advert, now);
    return advert->priority == kResignPriority || announce(now);
  } else if (std::holds_alternative<Claim>(action)) {
    owner_.claim(now);
    if (!owner_.failure()) return true;
    claim_failed(FaultCause::claim, *owner_.failure(), now);
    return false;
  } else if (const auto* release = std::get_if<Release>(&action)) {
    if (release->to_peer)
      owner_.let_go(now);
    else
      owner_.release();
  } else if (const auto* change = std::get_if<StateChanged>(&action)) {
    if (change->reason.why == Why::started && teller_.state() == ShownState::backup)
      return true;  // goes on, for the same reason
    judge_trial(change->to);
    const bool fault = shown() != ShownState::active && standing_.fault() != nullptr;
    show_change(fault ? *standing_.fault() : to_string(change->reason), change->reason.peer, now);
    const auto doubt = change->to == State::active ? uplink_.why_no_owner() : std::nullopt;
    if (doubt) teller_.remark(LogLevel::warning, *doubt, now);
    if (stopping_ && change->to == State::initialize) finish_stop(now);
  }
  return true;
}

/// The first advert after a claim has been said, and what was claimed follows. Who is preempted goes on being Active if
/// that advert could not leave: then nobody is to hear of the claim. False: so it is void.
bool VirtualRouter::announce(TimePoint now) {
  if (!owner_.holding()) return true;  // while a takeover is prepared
  if (owner_.quiet() && decided_.why == Why::preempted) {
    wire_.release();
    if (!port_.last_has_left()) {
      claim_failed(FaultCause::sending, unsent_beside(*decided_.peer), now);
      return false;
    }
  }
  owner_.announce_claim(now);
  return true;
}

void VirtualRouter::say(const SendAdvert& advert, TimePoint now) {
  // It has not spoken yet when another member of the group could not claim: there is nothing to resign.
  if (advert.priority == kResignPriority && !spoken_) return;
  if (advert.late > config_->advert_interval && late_log_.passes(now))  // conformance C30
    log_warning("{}: advert late by {}; is this machine too busy for advert_interval?", config_->name,
                format_duration(advert.late));
  send_advert(advert.priority, now);
}

void VirtualRouter::send_advert(std::uint8_t priority, TimePoint now) {
  if (!uplink_.source()) return;
  port_.send(priority, {.ifindex = uplink_.ifindex(), .address = *uplink_.source()}, now);
  spoken_ = spoken_ || priority != kResignPriority;
}

void VirtualRouter::claim_failed(FaultCause cause, const std::string& why, TimePoint now) {
  set_back(cause, why, now);
  decide(Fail{}, now);
  owner_.release();
  if (spoken_) send_advert(kResignPriority, now);
  show_change(*standing_.fault(), std::nullopt, now);
  if (stopping_) finish_stop(now);
}

/// Out of the election, until it is tried again.
void VirtualRouter::give_up(FaultCause cause, const std::string& why, TimePoint now) {
  set_back(cause, why, now);
  fail(now);
}

/// Leaves the election. What is still there for a peer that takes over goes at once.
void VirtualRouter::fail(TimePoint now) {
  step(Fail{}, now);
  if (!owner_.letting_go()) return;
  owner_.release();
  settle(now);
}

/// Being Active ends a setback, but for addresses of which the kernel does not know yet whether another host has them.
/// Until it does, the fault is shown as before. The members of a sync group are not on trial.
void VirtualRouter::judge_trial(State to) {
  if (!setback_) return;
  setback_->set_on_trial(to == State::active && config_->sync_group.empty() && !owner_.settled());
  if (to == State::active && !is_on_trial()) end_setback();
}

void VirtualRouter::show_change(const std::string& cause, const std::optional<Peer>& peer, TimePoint now) {
  claim_changed_ = true;
  if (election_.state() != State::active) spoken_ = false;
  const ShownState to = shown();
  const bool has_stopped = stopping_ && to == ShownState::initialize;  // finish_stop() tells the hooks
  if (!teller_.change(to, cause, peer, !has_stopped, now)) return;
  asserted_ = now;
  contender_.forget();
  ++counters_.transitions;
  if (to == ShownState::active) flap_limit_.note(now);
  if (!has_stopped) settle(now);
}

/// What waits until everything is there, or gone.
void VirtualRouter::settle(TimePoint now) {
  if (owner_.adding() || owner_.letting_go()) return;
  teller_.tell_hooks();
  if (stopping_ && election_.state() == State::initialize) finish_stop(now);
}

void VirtualRouter::stop(TimePoint now) {
  if (stopping_) return;
  wake(now);
  stopping_ = true;
  setback_.reset();
  prepare_again_ = kNever;
  if (election_.state() == State::active && !config_->hooks.before_release.empty())
    return ask(Clearance::Subject::release, now);
  if (config_->sync_group.empty()) let_go(now);
}

void VirtualRouter::let_go(TimePoint now, const Stop& stop) {
  wake(now);
  stop_due_ = stop;
  carry_on(now);
}

void VirtualRouter::finish_stop(TimePoint now) {
  if (stopped_ || owner_.letting_go()) return;
  stopped_ = true;
  give_up_removal_ = now + kRemovalPatience;
  owner_.withdraw();
  teller_.hooks().push(teller_.hook_event(HookState::stop, reason(), std::nullopt));
}

}  // namespace vipd
