#include "vipd/node/virtual_router.hpp"

#include <algorithm>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/config/plan.hpp"
#include "vipd/node/election_settings.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// What only a try can find out is tried no more often than this, hooks of the operator among it.
constexpr auto kLeastPause = std::chrono::seconds(1);
/// A peer that yields on a busy machine has said its last word after this.
constexpr auto kYieldTime = std::chrono::milliseconds(100);

}  // namespace

VirtualRouter::VirtualRouter(SharedInstance config, const Node& node, const Health& health, const KeptClaim* left,
                             TimePoint now)
    : config_(std::move(config)),
      kernel_(node.kernel),
      wire_(node.wire),
      claims_(node.claims),
      observer_(node.observer),
      election_(election_settings(*config_, config_->priority, false, false)),
      standing_(config_->priority),
      owner_(node.kernel, node.wire, config_),
      teller_(config_, standing_, node.events,
              node.hooks.open(hook_subject(*config_), hooks_of(config_),
                              left != nullptr && left->state == ShownState::active)),
      uplink_(node.kernel, config_),
      port_(node.wire, counters_, config_) {
  standing_.set_health(health);
  take_standing(now);
  if (left != nullptr) resume(*left, now);
}

void VirtualRouter::resume(const KeptClaim& left, TimePoint now) {
  teller_.resume(left);
  if (left.state == ShownState::active) {
    asserted_ = now;
    spoken_ = true;
    port_.resume(left.until);
    owner_.resume(now);
    step_election(Resume{.believed_until = left.until}, now);
  } else {
    kept_wait_ = std::make_unique<Start>(left.wait);
    claims_.drop(config_->name);  // for this once; `left` is a copy
  }
  const std::string state(to_string(teller_.state()));
  teller_.remark(LogLevel::info, "vipd was started anew and goes on as " + state, now);
}

/// An Active router's claim lasts for as long as its peers believe in it.
void VirtualRouter::keep_claim() {
  if (!is_claim()) return;
  const TimePoint until = election_.believed_until();
  const KeptClaim* kept = claims_.find(config_->name);
  if (kept == nullptr || std::exchange(claim_changed_, false))
    claims_.keep(config_->name, claim_until(until));
  else if (kept->until != until)
    claims_.extend(config_->name, until);
}

KeptClaim VirtualRouter::claim_until(TimePoint until) const {
  return {.interface = config_->interface,
          .ifindex = uplink_.ifindex(),
          .family = config_->family(),
          .vrid = config_->vrid,
          .virtual_mac = config_->virtual_mac,
          .state = teller_.state(),
          .until = until,
          .since = teller_.since(),
          .fit = standing_.fit() && standing_.own_priority() >= standing_.base_priority(),
          .reason = teller_.cause(),
          .wait = {}};
}

/// Has the addresses, and means to keep them.
bool VirtualRouter::is_claim() const { return election_.stays_active(); }

void VirtualRouter::hand_over(TimePoint now) {
  teller_.tell_hooks();
  if (stopping_ || (teller_.state() != ShownState::backup && teller_.state() != ShownState::fault)) return;
  KeptClaim claim = claim_until(now + 3 * config_->advert_interval);
  claim.wait = election_.kept_wait(now);
  claims_.keep(config_->name, claim);
}

bool VirtualRouter::is_concerned(const std::vector<std::string>& interfaces) const {
  return std::ranges::find(interfaces, config_->interface) != interfaces.end() || owner_.is_concerned(interfaces);
}

void VirtualRouter::reconfigure(SharedInstance config, TimePoint now) {
  VIPD_ASSERT(!is_another_router(*config_, *config));
  const bool same = *config_ == *config;
  if (!same) wake(now);
  config_ = std::move(config);  // also where nothing is new: nobody shall keep a configuration that is past
  teller_.reconfigure(config_);
  if (same) return;
  uplink_.reconfigure(config_);
  port_.reconfigure(config_);
  standing_.set_base_priority(config_->priority);
  end_setback();  // what was refused may be what has changed
  owner_.reconfigure(now);
  take_standing(now);
  step(settings(now), now);
  reconsider(now);
}

Reconfigure VirtualRouter::settings(TimePoint now) const {
  return {election_settings(*config_, standing_.effective_priority(), flaps_until_ != kNever, is_patient(now))};
}

/// A fault is shown for as long as nothing has proved that it is over, also of a Backup.
ShownState VirtualRouter::shown() const {
  if (election_.state() == State::active && !is_on_trial()) return ShownState::active;
  if (standing_.fault() != nullptr) return ShownState::fault;
  return election_.state() == State::backup ? ShownState::backup : ShownState::initialize;
}

void VirtualRouter::reconsider(TimePoint now) {
  judge_interfaces(now);
  judge_setback(now);
  const auto wait = std::move(kept_wait_);  // later, nobody has waited
  if (const auto& source = uplink_.source(); source && *source != election_.settings().primary)
    step(SetPrimary{*source}, now);
  if (stopped_) return;
  prepare(now);
  if (standing_.is_out()) {
    fail(now);
    show_change(*standing_.fault(), std::nullopt, now);
    owner_.reconcile(now);
  } else {
    if (!stopping_) take_part(wait ? *wait : Start{}, now);
    owner_.reconcile(now);
    if (owner_.holding() && owner_.failure()) claim_failed(FaultCause::claim, *owner_.failure(), now);
  }
}

/// Also where a fault has only to be tried out; when none is left, that is told.
void VirtualRouter::take_part(const Start& start, TimePoint now) {
  if (election_.settings().patient != is_patient(now)) step(settings(now), now);
  step(start, now);
  if (shown() == teller_.state()) return;
  if (shown() == ShownState::active) return show_change(to_string(decided_), decided_.peer, now);
  show_change("takes part again", std::nullopt, now);
}

void VirtualRouter::judge_interfaces(TimePoint now) {
  for (const auto cause : {FaultCause::interface_missing, FaultCause::interface_down, FaultCause::no_source})
    standing_.clear(cause);
  const Uplink::Findings found = uplink_.look(now);
  for (const Uplink::Trouble& trouble : found.troubles) standing_.set(trouble.cause, trouble.sentence);
  claim_changed_ = claim_changed_ || found.new_index;
}

/// What a claim will need is made and tried before, not when it matters.
void VirtualRouter::prepare(TimePoint now) {
  standing_.clear(FaultCause::preparation);
  prepare_again_ = kNever;
  if (kernel_.view().find(config_->interface) == nullptr) return;
  const auto prepared = owner_.prepare();
  if (prepared) return;
  standing_.set(FaultCause::preparation, prepared.error().message);
  if (!stopping_) prepare_again_ = now + std::max<Duration>(kLeastPause, config_->advert_interval);
}

void VirtualRouter::hold_out(const std::optional<std::string>& why, bool tolerated, TimePoint now) {
  const std::string* before = standing_.sync_fault();
  const bool same = why ? before != nullptr && *before == *why : before == nullptr;
  if (same && sync_tolerated_ == tolerated) return;
  sync_tolerated_ = tolerated;
  if (why)
    standing_.set(FaultCause::sync, *why);
  else
    standing_.clear(FaultCause::sync);
  if (why && tolerated) standing_.tolerate(FaultCause::sync);
  reconsider(now);
}

void VirtualRouter::set_back(FaultCause cause, const std::string& why, TimePoint now) {
  const unsigned tries = is_on_trial() ? setback_->tries() + 1 : 1;
  end_setback();
  standing_.set(cause, why);
  if (!stopping_) setback_ = std::make_unique<Setback>(cause, tries, world(), now);
}

/// Between two tries of what may go wrong again.
Duration VirtualRouter::pause() const {
  const Duration wait =
      active_down_interval(standing_.effective_priority(), config_->advert_interval, config_->version);
  return std::max<Duration>(kLeastPause, wait);
}

Setback::Pace VirtualRouter::pace() const {
  return {.interval = config_->advert_interval,
          .pause = pause(),
          .preempting = config_->preempt_delay + config_->hooks.before_active_timeout};
}

Setback::World VirtualRouter::world() const {
  return {.surroundings = uplink_.surroundings(), .departures = port_.departures(), .settled = owner_.settled()};
}

/// Active, but nothing has proved yet that what ended it last time is over.
bool VirtualRouter::is_on_trial() const { return setback_ && setback_->is_on_trial(); }

void VirtualRouter::judge_setback(TimePoint now) {
  if (!setback_) return;
  using enum Setback::Verdict;
  const Setback::Verdict verdict = setback_->judge(pace(), world(), now);
  if (verdict == over) return end_setback();
  if (verdict == tolerated || verdict == tolerated_speak) standing_.tolerate(setback_->cause());
  if (verdict == speak || verdict == tolerated_speak) send_advert(kResignPriority, now);
}

void VirtualRouter::end_setback() {
  if (!setback_) return;
  standing_.clear(setback_->cause());
  setback_.reset();
  owner_.forget_refusals();
}

bool VirtualRouter::is_patient(TimePoint now) const { return setback_ && setback_->is_patient(now); }

void VirtualRouter::share_standing(std::uint8_t priority, const std::optional<std::string>& unfit, TimePoint now) {
  standing_.share(priority, unfit);
  take_standing(now);
}

void VirtualRouter::leave_group(TimePoint now) {
  if (!config_->sync_group.empty()) {
    auto alone = std::make_shared<InstanceConfig>(*config_);
    alone->sync_group.clear();
    reconfigure(std::move(alone), now);
  }
  share_standing(kOwnerPriority, std::nullopt, now);
  hold_out(std::nullopt, false, now);
}

void VirtualRouter::set_health(const Health& health, TimePoint now) {
  const bool had_fault = standing_.has(FaultCause::check);
  standing_.set_health(health);
  take_standing(now);
  if (had_fault || standing_.has(FaultCause::check)) reconsider(now);
}

/// Tells the election what it is worth now.
void VirtualRouter::take_standing(TimePoint now) {
  const SetStanding wanted{standing_.effective_priority(), standing_.unfit() == nullptr};
  const auto& settings = election_.settings();
  if (wanted.priority != settings.priority || wanted.fit != settings.fit) step(wanted, now);
  claim_changed_ = teller_.show_fitness(shown() == ShownState::initialize, now) || claim_changed_;
}

void VirtualRouter::set_wire_problem(const std::optional<std::string>& problem) {
  if (problem)
    standing_.set(FaultCause::wire, *problem);
  else
    standing_.clear(FaultCause::wire);
}

void VirtualRouter::heard(const Advert& advert, const IpAddress& source, TimePoint now, Duration age) {
  ++counters_.adverts_received;
  if (const auto form = port_.follow_checksum(advert, source, now)) log_info("{}: {}", config_->name, *form);
  note_peer(advert, source, now);
  step(Heard{.source = source, .priority = advert.priority, .interval = advert.interval, .age = age}, now);
  if (election_.state() != State::active) return;
  if (advert.priority != kResignPriority &&
      is_unheard(now))  // and who cannot say that it is Active does not stay so beside its successor
    give_up(FaultCause::sending, unsent_beside({source, advert.priority}), now);
  else if (!is_yielding(source, now))
    note_contender({source, advert.priority}, now);
}

/// The sender was Active until this node took its place as planned, and its last word says so.
bool VirtualRouter::is_yielding(const IpAddress& source, TimePoint now) const {
  const bool planned = decided_.why == Why::preempted || decided_.why == Why::peer_resigned;
  return planned && decided_.peer->address == source && is_settling(now);
}

/// This router has become Active, and the old holder may still say that it is.
bool VirtualRouter::is_settling(TimePoint now) const {
  return now < teller_.since() + std::max<Duration>(config_->advert_interval, kYieldTime);
}

void VirtualRouter::add_watched(WatchedAddresses& watched) const {
  if (!is_claim() && !owner_.letting_go()) return;
  owner_.add_watched(watched);
  const auto& source = uplink_.source();
  if (source && uplink_.ethernet() != nullptr) watched[{uplink_.ifindex(), source->family()}].push_back(*source);
}

void VirtualRouter::overheard(const AddressClaim& claim, int ifindex, TimePoint now) {
  if (!is_claim()) return owner_.note_taken(claim.address, now);
  if (owner_.holds(claim.address, ifindex))
    hosts_.heard_virtual(claim, is_settling(now), now);
  else if (ifindex == uplink_.ifindex() && claim.address == uplink_.source())
    if (const auto warning = hosts_.heard_source(claim, now)) teller_.remark(LogLevel::warning, *warning, now);
}

void VirtualRouter::defend(TimePoint now) {
  const HostWatch::Answer answer = hosts_.answer(now);
  owner_.announce_again(answer.addresses, now);
  if (!answer.warning) return;
  teller_.remark(LogLevel::warning, *answer.warning, now);
  probe_source();
}

/// Who else has this node's address would be Active unheard, and clients see two hosts.
void VirtualRouter::probe_source() {
  const Interface* interface = uplink_.ethernet();
  const auto& source = uplink_.source();
  if (!source || interface == nullptr) return;
  const auto asked = source->family() == Family::ipv4
                         ? wire_.announce(interface->index, arp_probe(interface->mac, *source))
                         : wire_.announce(interface->index, neighbour_probe(interface->mac, *source));
  if (!asked) log(LogLevel::debug, "{}: {}", config_->name, asked.error().message);
}

std::string VirtualRouter::unsent_beside(const Peer& peer) {
  return "adverts cannot be sent, and " + peer.address.to_string() + " (priority " + std::to_string(peer.priority) +
         ") is Active";
}

/// No advert could be sent for as long as any peer waits at least (RFC 9568 6.1).
bool VirtualRouter::is_unheard(TimePoint now) const { return is_claim() && port_.is_silent(now); }

/// This node is Active, and the sender is or was so, too: it advertises until it hears this node, says a last word when
/// it yields, and priority 0 after a time in which it did not run.
void VirtualRouter::note_contender(const Peer& peer, TimePoint now) {
  owner_.contested(config_->advert_interval, now);
  if (const auto warning = contender_.heard(peer, config_->advert_interval, now))
    teller_.remark(LogLevel::warning, *warning, now);
}

TimePoint VirtualRouter::reassert_due() const {
  if (teller_.state() != ShownState::active || stopping_) return kNever;
  const Duration interval = config_->hooks.reassert_interval;
  const TimePoint regular = interval == Duration::zero() ? kNever : asserted_ + interval;
  return std::min(regular, contender_.gone_at(config_->advert_interval));
}

/// What the contender has told others about the addresses (a cloud, an upstream router) is put right when it is gone.
void VirtualRouter::reassert(TimePoint now) {
  const bool contested = now >= contender_.gone_at(config_->advert_interval);
  std::string reason = "every " + format_duration(config_->hooks.reassert_interval);
  std::optional<Peer> peer;
  if (contested) {
    const Contender::Gone gone = contender_.take(now);
    peer = gone.peer;
    reason = gone.sentence;
    if (gone.is_told_now) log_warning("{}: {}", config_->name, reason);
  }
  asserted_ = now;
  teller_.hooks().reassert(teller_.hook_event(HookState::active, reason, peer), contested);
}

void VirtualRouter::note_peer(const Advert& advert, const IpAddress& source, TimePoint now) {
  const PeerWatch::Own own{
      .config = *config_, .addresses = port_.addresses(), .priority = standing_.effective_priority()};
  const PeerWatch::Findings found = watch_.heard(advert, source, own, now);
  if (found.lists_others) ++counters_.addr_list_mismatch;
  if (found.owner_conflict) ++counters_.owner_conflict;
  for (const std::string& warning : found.warnings) log_warning("{}: {}", config_->name, warning);
}

ReceiveRules VirtualRouter::rules(std::span<const IpAddress> own_sources) const {
  return port_.rules(uplink_.source(), own_sources);
}

void VirtualRouter::refused(Refusal refusal, const IpAddress& source, TimePoint now) {
  const std::uint64_t count = ++counters_.adverts_refused[refusal];
  if (const auto warning = watch_.refused(refusal, source, count, now)) log_warning("{}: {}", config_->name, *warning);
}

/// True when the election has to know of a change.
bool VirtualRouter::judge_flaps(TimePoint now) {
  const TimePoint quiet = flap_limit_.quiet_at(config_->flap_limit, config_->flap_window);
  const TimePoint until = quiet > now ? quiet : kNever;
  const bool flapped = std::exchange(flaps_until_, until) != kNever;
  const bool flaps = until != kNever;
  if (flapped == flaps) return false;
  const std::string sentence = flaps ? "became Active more than " + std::to_string(config_->flap_limit) +
                                           " times within " + format_duration(config_->flap_window) +
                                           ": leaves a fit Active router alone until it has been quiet"
                                     : "has been quiet, preempts again";
  teller_.remark(flaps ? LogLevel::warning : LogLevel::info, sentence, now);
  return true;
}

}  // namespace vipd
