#include "vipd/daemon/virtual_router.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

constexpr auto kClaimRetry = std::chrono::seconds(30);

HookState hook_state(ShownState state, bool stopped) {
  if (stopped) return HookState::stop;
  switch (state) {
    case ShownState::active:
      return HookState::active;
    case ShownState::fault:
      return HookState::fault;
    case ShownState::backup:
    case ShownState::initialize:
      break;
  }
  return HookState::backup;
}

Election::Settings election_settings(const InstanceConfig& config) {
  const bool capped = config.max_adopted_interval != Duration::zero();
  return {.priority = config.priority,
          .interval = config.advert_interval,
          .preempt = config.preempt,
          .preempt_delay = config.preempt_delay,
          .startup_delay = config.startup_delay,
          .max_adopted_interval =
              capped ? std::max(config.max_adopted_interval, config.advert_interval) : 10 * config.advert_interval,
          .primary = {}};
}

}  // namespace

VirtualRouter::VirtualRouter(const InstanceConfig& config, Kernel& kernel, Wire& wire, Runner& runner, EventLog& events)
    : config_(config),
      kernel_(kernel),
      wire_(wire),
      events_(events),
      election_(election_settings(config)),
      standing_(config.priority),
      owner_(kernel, wire, config),
      hooks_(runner, config),
      checksum_form_(config.ipv4_checksum == ChecksumPolicy::rfc9568 ? ChecksumForm::message_only
                                                                     : ChecksumForm::pseudo_header),
      noted_interval_(std::chrono::duration_cast<Centiseconds>(config.advert_interval)) {
  for (const auto& address : config.addresses) {
    const auto octets = address.prefix.address.octets();
    if (address.advertised) advertised_.insert(advertised_.end(), octets.begin(), octets.end());
  }
}

ShownState VirtualRouter::shown() const {
  switch (election_.state()) {
    case State::active:
      return ShownState::active;
    case State::backup:
      return ShownState::backup;
    case State::initialize:
      break;
  }
  return standing_.fit() ? ShownState::initialize : ShownState::fault;
}

void VirtualRouter::reconsider(TimePoint now) {
  const std::optional<IpAddress> source_before = source_;
  judge_interface();
  if (retry_claim_ != kNever && owner_.interface_came()) allow_claim();
  if (source_ && source_ != source_before) step(SetPrimary{*source_}, now);
  if (stopping_ && !election_.resigning()) return;
  prepare(now);
  if (!standing_.fit()) {
    step(Fail{}, now);
    show_change(*standing_.fault(), std::nullopt, now);
  } else if (!stopping_) {
    step(Start{}, now);
    owner_.reconcile(now);
    if (owner_.holding() && owner_.failure()) claim_failed(now);
  }
}

void VirtualRouter::judge_interface() {
  const Interface* interface = kernel_.view().find(config_.interface);
  for (const auto cause : {FaultCause::interface_missing, FaultCause::interface_down, FaultCause::no_source})
    standing_.clear(cause);
  if (interface == nullptr) {
    standing_.set(FaultCause::interface_missing, "interface " + config_.interface + " is missing");
    source_.reset();
    return;
  }
  ifindex_ = interface->index;
  if (!interface->running) standing_.set(FaultCause::interface_down, "interface " + config_.interface + " is down");
  source_ = choose_source(*interface);
  if (!source_)
    standing_.set(FaultCause::no_source,
                  config_.family() == Family::ipv4
                      ? "interface " + config_.interface + " has no IPv4 address of its own to send from"
                      : "interface " + config_.interface + " has no usable link-local address to send from");
}

/// What a claim will need is made and tried before, not when it matters.
void VirtualRouter::prepare(TimePoint now) {
  standing_.clear(FaultCause::preparation);
  if (standing_.has(FaultCause::interface_missing)) return;
  const auto prepared = owner_.prepare();
  if (prepared) return;
  standing_.set(FaultCause::preparation, prepared.error().message);
  retry_claim_ = now + kClaimRetry;
}

bool VirtualRouter::is_virtual(const IpAddress& address) const {
  return std::ranges::any_of(config_.addresses, [&](const auto& each) { return each.prefix.address == address; });
}

/// RFC 9568 5.1.1.1: the primary address; 5.1.2.1: the link-local one. The one in use stays for as long as it can.
std::optional<IpAddress> VirtualRouter::choose_source(const Interface& interface) const {
  std::optional<IpAddress> primary, secondary;
  for (const auto& [prefix, state] : interface.addresses) {
    const IpAddress& address = prefix.address;
    if (address.family() != config_.family() || !state.usable || state.tag == kKernelTag) continue;
    if (address.family() == Family::ipv6 && !address.is_link_local()) continue;
    if (is_virtual(address) && config_.priority != kOwnerPriority) continue;
    if (address == source_) return address;
    auto& candidate = state.secondary ? secondary : primary;
    if (!candidate) candidate = address;
  }
  return primary ? primary : secondary;
}

void VirtualRouter::set_wire_problem(const std::optional<std::string>& problem) {
  if (problem)
    standing_.set(FaultCause::wire, *problem);
  else
    standing_.clear(FaultCause::wire);
}

void VirtualRouter::heard(const Advert& advert, const IpAddress& source, TimePoint now) {
  ++counters_.adverts_received;
  learn_checksum_form(advert, source, now);
  note_differences(advert, source, now);
  step(Heard{.source = source, .priority = advert.priority, .interval = advert.interval}, now);
  if (election_.state() == State::active && advert.priority != kResignPriority)
    owner_.contested(config_.advert_interval, now);
}

/// Conformance B20, B21 (RFC 9568 7.1): what two routers have configured differently is said once, and never refused.
void VirtualRouter::note_differences(const Advert& advert, const IpAddress& source, TimePoint now) {
  if (advert.priority == kResignPriority) return;
  const bool is_news = advert.interval != std::exchange(noted_interval_, advert.interval);
  if (is_news && advert.interval != config_.advert_interval && interval_log_.passes(now))
    spdlog::warn("{}: {} advertises every {}, we are configured for {}", config_.name, source.to_string(),
                 format_duration(advert.interval), format_duration(config_.advert_interval));
  if (std::ranges::equal(advert.addresses.octets(), advertised_)) return;
  ++counters_.addr_list_mismatch;
  if (std::exchange(noted_addresses_, true)) return;
  spdlog::warn("{}: {} lists other addresses than we do, or in another order", config_.name, source.to_string());
}

/// Conformance B09: a sender follows the form last heard from a valid peer.
void VirtualRouter::learn_checksum_form(const Advert& advert, const IpAddress& source, TimePoint now) {
  if (config_.family() != Family::ipv4 || config_.ipv4_checksum != ChecksumPolicy::automatic) return;
  if (advert.checksum_form == checksum_form_) return;
  checksum_form_ = advert.checksum_form;
  if (!checksum_log_.passes(now)) return;
  spdlog::info(
      "{}: {} forms its checksum {}; so do we from now on", config_.name, source.to_string(),
      checksum_form_ == ChecksumForm::message_only ? "over the message alone (RFC 9568)" : "with the pseudo-header");
}

void VirtualRouter::refused(Refusal refusal, const std::string& source, TimePoint now) {
  const auto kind = static_cast<std::size_t>(refusal);
  ++counters_.adverts_refused[kind];
  if (refusal == Refusal::own_source) return;  // conformance B23: counted, silently
  if (!refusal_log_[kind].passes(now)) return;
  spdlog::warn("{}: refused an advert{}: {} ({} so far; at most one line a minute)", config_.name,
               source.empty() ? "" : " from " + source, to_string(refusal), counters_.adverts_refused[kind]);
}

TimePoint VirtualRouter::deadline() const { return std::min({election_.deadline(), owner_.deadline(), retry_claim_}); }

void VirtualRouter::on_deadline(TimePoint now) {
  if (now >= election_.deadline()) step(DeadlinePassed{}, now);
  if (now >= owner_.deadline()) {
    owner_.on_deadline(now);
    if (owner_.holding() && owner_.failure()) claim_failed(now);
  }
  if (now >= retry_claim_) {
    allow_claim();
    reconsider(now);
  }
}

/// After a claim that failed.
void VirtualRouter::allow_claim() {
  retry_claim_ = kNever;
  standing_.clear(FaultCause::claim);
}

void VirtualRouter::resign_for_the_dead() {
  judge_interface();
  send_advert(kResignPriority);
}

void VirtualRouter::stop(TimePoint now) {
  if (stopping_) return;
  stopping_ = true;
  retry_claim_ = kNever;
  step(Stop{}, now);
  if (election_.state() == State::initialize) finish_stop(now);
}

void VirtualRouter::step(const Event& event, TimePoint now) {
  for (const Action& action : election_.step(event, now)) {
    if (const auto* advert = std::get_if<SendAdvert>(&action)) {
      send_advert(advert->priority);
    } else if (std::holds_alternative<Claim>(action)) {
      owner_.claim(now);
      if (owner_.failure()) return claim_failed(now);
    } else if (std::holds_alternative<Release>(action)) {
      owner_.release();
    } else if (const auto* change = std::get_if<StateChanged>(&action)) {
      const bool fault = change->reason.why == Why::fault && !standing_.fit();
      show_change(fault ? *standing_.fault() : to_string(change->reason), change->reason.peer, now);
      if (stopping_ && change->to == State::initialize) finish_stop(now);
    }
  }
}

void VirtualRouter::claim_failed(TimePoint now) {
  const bool was_shown = shown_ == ShownState::active;  // then peers believe in us and have to be told
  standing_.set(FaultCause::claim, *owner_.failure());
  retry_claim_ = stopping_ ? kNever : now + kClaimRetry;
  owner_.release();
  election_.step(Fail{}, now);
  if (was_shown) send_advert(kResignPriority);
  show_change(*standing_.fault(), std::nullopt, now);
  if (stopping_) finish_stop(now);
}

void VirtualRouter::send_advert(std::uint8_t priority) {
  if (!source_) return;
  const Advert advert{.vrid = config_.vrid,
                      .priority = priority,
                      .interval = std::chrono::duration_cast<Centiseconds>(config_.advert_interval),
                      .addresses = AddressList(config_.family(), advertised_),
                      .checksum_form = checksum_form_};
  static std::array<std::uint8_t, kMaxAdvertSize> buffer;
  const std::size_t size = encode(advert, *source_, vrrp_group(config_.family()), buffer);
  const auto message = std::span(buffer).first(size);
  const auto sent =
      config_.virtual_mac  // RFC 9568 7.2: then it is the source address on the segment, too
          ? wire_.announce(ifindex_, advert_frame(virtual_mac(config_.family(), config_.vrid), *source_, message))
          : wire_.send(ifindex_, *source_, message);
  if (sent) {
    ++counters_.adverts_sent;
  } else if (counters_.send_errors++ == 0) {
    spdlog::warn("{}: {}", config_.name, sent.error().message);
  }
}

void VirtualRouter::show_change(const std::string& reason, const std::optional<Peer>& peer, TimePoint now) {
  reason_ = reason;
  const ShownState from = shown_, to = shown();
  if (from == to) return;
  shown_ = to;
  since_ = now;
  ++counters_.transitions;
  const std::uint8_t priority = standing_.effective_priority();
  const auto sequence = events_.add({.sequence = 0,
                                     .time = now,
                                     .instance = config_.name,
                                     .from = from,
                                     .to = to,
                                     .reason = reason,
                                     .priority = priority});
  spdlog::info("{}: {} -> {}: {}", config_.name, to_string(from), to_string(to), reason);
  if (stopping_ && to == ShownState::initialize) return;  // finish_stop() tells the hooks
  hooks_.push({.state = hook_state(to, false),
               .old_state = std::string(to_string(from)),
               .reason = reason,
               .priority = priority,
               .peer = peer ? peer->address.to_string() : "",
               .sequence = sequence});
}

void VirtualRouter::finish_stop(TimePoint) {
  if (stopped_) return;
  stopped_ = true;
  owner_.withdraw();
  hooks_.push({.state = HookState::stop,
               .old_state = std::string(to_string(shown_)),
               .reason = reason_,
               .priority = standing_.effective_priority(),
               .peer = "",
               .sequence = events_.last_sequence()});
}

}  // namespace vipd
