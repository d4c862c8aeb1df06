#include "vipd/node/virtual_router.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/config/plan.hpp"
#include "vipd/os/log.hpp"
#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

/// What only a try can find out is tried no more often than this, hooks of the operator among it.
constexpr auto kLeastPause = std::chrono::seconds(1);
/// How long an instance that could not be Active leaves one alone that can, unless the kernel has news.
constexpr auto kPatience = std::chrono::seconds(30);
/// An instance that fails again and again while it is Active is not tried less often. Less than kPatience by what a
/// takeover takes.
constexpr auto kLongestPause = std::chrono::seconds(25);
/// The kernel of a unicast peer asks for a neighbour that does not answer once a second (RETRANS_TIMER of RFC 4861 10,
/// retrans_time_ms of arp(7)), whatever the peer has to send. The timers of a kernel come up to an eighth late.
constexpr auto kNeighbourRetry = std::chrono::milliseconds(1250);
/// Forged adverts run hooks.reassert no more often than this.
constexpr auto kReassertGap = std::chrono::seconds(5);
/// A peer that yields on a busy machine has said its last word after this.
constexpr auto kYieldTime = std::chrono::milliseconds(100);
/// Intervals after which an Active router that has heard our adverts has given way.
constexpr int kRivalPatience = 3;

/// Can link-local addresses reach all that adverts are sent to? No peers: the group, which is on the link.
bool speaks_link_local(std::span<const UnicastPeer> peers) {
  return std::ranges::all_of(peers, [](const auto& peer) { return peer.address.is_link_local(); });
}

/// "route default via 203.0.113.9": for the sentence that names the interface besides.
std::string to_sentence(RouteObject route) {
  route.interface.clear();
  return "route " + to_string(route);
}

/// How long the adverts of an Active peer may not reach a node that was away: until the peer's kernel asks for the
/// node's link-layer address again, and then until the peer's next advert.
Duration resolution_time(const InstanceConfig& config) {
  return config.peers.empty() ? Duration::zero() : kNeighbourRetry + config.advert_interval;
}

Election::Settings election_settings(const InstanceConfig& config, std::uint8_t priority, bool flaps, bool patient) {
  const bool capped = config.max_adopted_interval != Duration::zero();
  return {.version = config.version,
          .priority = priority,
          .interval = config.advert_interval,
          .preempt = config.preempt && !flaps,
          .patient = patient,
          .preempt_delay = config.preempt_delay,
          .startup_delay = config.startup_delay,
          .resolution_time = resolution_time(config),
          .max_adopted_interval =
              capped ? std::max(config.max_adopted_interval, config.advert_interval) : 10 * config.advert_interval,
          .grouped = !config.sync_group.empty(),
          .asks_first = !config.hooks.before_active.empty(),
          .primary = {}};
}

}  // namespace

VirtualRouter::VirtualRouter(SharedInstance config, const Node& node, const Health& health, const KeptClaim* left,
                             TimePoint now)
    : config_(std::move(config)),
      kernel_(node.kernel),
      wire_(node.wire),
      events_(node.events),
      claims_(node.claims),
      election_(election_settings(*config_, config_->priority, false, false)),
      standing_(config_->priority),
      owner_(node.kernel, node.wire, config_),
      hooks_(node.hooks.open(hook_subject(*config_), hooks_of(config_),
                             left != nullptr && left->state == ShownState::active)) {
  take_config();
  standing_.set_health(health);
  take_standing(now);
  if (left != nullptr) resume(*left, now);
}

void VirtualRouter::resume(const KeptClaim& left, TimePoint now) {
  shown_ = left.state;
  since_ = left.since;
  reason_ = left.reason;
  shown_fit_ = standing_.unfit() == nullptr;
  if (left.state == ShownState::active) {
    asserted_ = now;
    spoken_ = true;
    heard_until_ = left.until;
    owner_.resume(now);
    election_.step(Resume{.believed_until = left.until}, now);
  } else {
    kept_wait_ = std::make_unique<Start>(left.wait);
    claims_.drop(config_->name);  // for this once; `left` is a copy
  }
  remark(LogLevel::info, "vipd was started anew and goes on as " + std::string(to_string(shown_)), now);
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
          .ifindex = ifindex_,
          .family = config_->family(),
          .vrid = config_->vrid,
          .virtual_mac = config_->virtual_mac,
          .state = shown_,
          .until = until,
          .since = since_,
          .fit = standing_.fit() && standing_.own_priority() >= standing_.base_priority(),
          .reason = reason_,
          .wait = {}};
}

/// Has the addresses, and means to keep them.
bool VirtualRouter::is_claim() const { return election_.state() == State::active && !election_.resigning(); }

void VirtualRouter::hand_over(TimePoint now) {
  tell_late();
  if (stopping_ || (shown_ != ShownState::backup && shown_ != ShownState::fault)) return;
  KeptClaim claim = claim_until(now + 3 * config_->advert_interval);
  claim.wait = election_.kept_wait(now);
  claims_.keep(config_->name, claim);
}

/// What follows from the configuration and is needed for each advert.
void VirtualRouter::take_config() {
  if (config_->ipv4_checksum != ChecksumPolicy::automatic)
    checksum_form_ =
        config_->ipv4_checksum == ChecksumPolicy::rfc9568 ? ChecksumForm::message_only : ChecksumForm::pseudo_header;
  password_.reset();
  if (!config_->auth_legacy.empty()) password_ = simple_password(config_->auth_legacy);
  advertised_.clear();
  for (const auto& address : config_->addresses) {
    const auto octets = address.prefix.address.octets();
    if (address.advertised) advertised_.insert(advertised_.end(), octets.begin(), octets.end());
  }
  take_links();
}

/// The interfaces that the instance needs: its own comes first. One that it needed before is as it was.
void VirtualRouter::take_links() {
  const std::vector<Link> before = std::exchange(links_, {});
  const auto need = [&](const std::string& interface, const std::string& user) {
    if (interface.empty() || std::ranges::find(links_, interface, &Link::interface) != links_.end()) return;
    const auto known = std::ranges::find(before, interface, &Link::interface);
    links_.push_back(known != before.end() ? *known : Link{.interface = interface});
    links_.back().user = user;
  };
  need(config_->interface, "");
  for (const VirtualAddress& address : config_->addresses)
    if (address.assigned && address.tracked) need(address.interface, " of " + to_string(address));
  for (const VirtualRoute& route : config_->routes)
    if (route.tracked) need(route.interface, " of " + to_sentence(route));
}

bool VirtualRouter::is_concerned(const std::vector<std::string>& interfaces) const {
  return std::ranges::find(interfaces, config_->interface) != interfaces.end() || owner_.is_concerned(interfaces);
}

void VirtualRouter::reconfigure(SharedInstance config, TimePoint now) {
  VIPD_ASSERT(!is_another_router(*config_, *config));
  const bool same = *config_ == *config;
  if (!same) wake(now);
  config_ = std::move(config);  // also where nothing is new: nobody shall keep a configuration that is past
  hooks_->reconfigure(hook_subject(*config_), hooks_of(config_));
  if (same) return;
  take_config();
  standing_.set_base_priority(config_->priority);
  end_setback();  // what was refused may be what has changed
  owner_.reconfigure(now);
  take_standing(now);
  take_settings(now);
  reconsider(now);
}

void VirtualRouter::take_settings(TimePoint now) {
  step(
      Reconfigure{election_settings(*config_, standing_.effective_priority(), flaps_until_ != kNever, is_patient(now))},
      now);
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
  if (source_ && *source_ != election_.settings().primary) step(SetPrimary{*source_}, now);
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
  settle_patience(now);
  step(start, now);
  if (shown() == shown_) return;
  if (shown() == ShownState::active) return show_change(to_string(decided_), decided_.peer, now);
  show_change("takes part again", std::nullopt, now);
}

void VirtualRouter::judge_interfaces(TimePoint now) {
  for (const auto cause : {FaultCause::interface_missing, FaultCause::interface_down, FaultCause::no_source})
    standing_.clear(cause);
  for (Link& link : links_) judge_link(link, now);
  judge_source();
}

/// Of several links with one kind of fault, the first one is shown.
void VirtualRouter::judge_link(Link& link, TimePoint now) {
  const Interface* interface = kernel_.view().find(link.interface);
  const bool running = interface != nullptr && interface->running;
  hold_link(link, running, now);
  const auto blame = [&](FaultCause cause, const std::string& trouble) {
    if (!standing_.has(cause)) standing_.set(cause, "interface " + link.interface + link.user + trouble);
  };
  if (interface == nullptr)
    blame(FaultCause::interface_missing, " " + kernel_.view().why_missing(link.interface));
  else if (!running)
    blame(FaultCause::interface_down, " is down");
  else if (link.was_down)
    blame(FaultCause::interface_down, " has not been up for " + format_duration(config_->link_hold) + " again");
}

/// A link that was down counts as up only when it has been so for link_hold.
void VirtualRouter::hold_link(Link& link, bool running, TimePoint now) {
  if (!running) {
    link.was_down = true;
    link.held = kNever;
  } else if (link.was_down) {
    if (link.held == kNever) link.held = now + config_->link_hold;
    link.was_down = now < link.held;
    if (!link.was_down) link.held = kNever;
  }
}

/// Why no advert can be heard there, whatever its link and addresses; empty if one can.
std::string VirtualRouter::why_deaf(const Interface& interface) const {
  // The receive handlers of these take each packet away, see rx_handler in net/core/dev.c. A port of a VRF hears.
  constexpr std::array<std::string_view, 6> kTakers = {"bridge", "bond", "team", "openvswitch", "hsr", "batadv"};
  if (interface.loopback) return " is the loopback, where no other node can be heard";
  if (std::ranges::find(kTakers, interface.port_of) != kTakers.end())
    return " is a port of a " + interface.port_of + ", which takes all its packets: use the " + interface.port_of +
           "'s own interface";
  if (!interface.multicast && config_->peers.empty()) return " has no multicast: it needs \"peers\"";
  return "";
}

void VirtualRouter::judge_source() {
  const Interface* interface = kernel_.view().find(config_->interface);
  if (interface == nullptr) return source_.reset();
  if (const std::string deaf = why_deaf(*interface); !deaf.empty())
    standing_.set(FaultCause::interface_down, "interface " + config_->interface + deaf);
  claim_changed_ = claim_changed_ || ifindex_ != interface->index;
  ifindex_ = interface->index;
  source_ = choose_source(*interface);
  if (!source_) standing_.set(FaultCause::no_source, why_no_source());
}

std::string VirtualRouter::why_no_source() const {
  const std::string interface = "interface " + config_->interface;
  if (config_->source) return interface + " does not have " + config_->source->to_string() + ", the source of adverts";
  const char* kind = config_->family() == Family::ipv4   ? "IPv4 address of its own"
                     : speaks_link_local(config_->peers) ? "usable link-local address"
                                                         : "usable IPv6 address beyond the link-local one";
  return interface + " has no " + kind + " to send from";
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
  const unsigned tries = is_on_trial() ? setback_->tries + 1 : 1;
  end_setback();
  standing_.set(cause, why);
  if (!stopping_)
    setback_ = Setback{.cause = cause, .since = now, .judged = now, .seen = surroundings(), .tries = tries};
}

/// Between two tries of what may go wrong again.
Duration VirtualRouter::pause() const {
  const Duration wait =
      active_down_interval(standing_.effective_priority(), config_->advert_interval, config_->version);
  return std::max<Duration>(kLeastPause, wait);
}

/// The same for what has failed several times while the router was Active: longer each time.
Duration VirtualRouter::setback_pause() const {
  Duration wait = pause();
  for (unsigned i = 1; i < setback_->tries && wait < kLongestPause; ++i) wait *= 2;
  return std::max(pause(), std::min<Duration>(wait, kLongestPause));
}

/// Active, but nothing has proved yet that what ended it last time is over.
bool VirtualRouter::is_on_trial() const { return setback_ && setback_->on_trial; }

/// When a claim that may preempt again has been tried, if there was anybody to preempt.
TimePoint VirtualRouter::setback_ends() const {
  return setback_->since + kPatience + pause() + config_->preempt_delay + config_->hooks.before_active_timeout;
}

/// When something about the setback is to be judged: news that came before the first time, the return to the election,
/// the end of the patience, the end of it all. Of adverts that cannot be sent: the next try.
TimePoint VirtualRouter::setback_due() const {
  if (!setback_) return kNever;
  const TimePoint since = setback_->since;
  if (setback_->cause == FaultCause::sending)
    return setback_->sent ? TimePoint() : setback_->judged + config_->advert_interval;
  for (const TimePoint time :
       {since + config_->advert_interval, since + setback_pause(), since + kPatience, setback_ends()})
    if (time > setback_->judged) return time;
  return kNever;
}

void VirtualRouter::judge_setback(TimePoint now) {
  if (!setback_) return;
  if (setback_->cause == FaultCause::sending) return try_to_send(now);
  setback_->judged = now;
  if (is_on_trial()) {
    if (owner_.settled()) end_setback();
    return;
  }
  const bool has_news = now >= setback_->since + config_->advert_interval && surroundings() != setback_->seen;
  if (has_news || now >= setback_ends()) return end_setback();
  if (now >= setback_->since + setback_pause()) standing_.tolerate(FaultCause::claim);
}

/// The peers are still owed a priority 0. The first that leaves shows that the others would, too.
void VirtualRouter::try_to_send(TimePoint now) {
  if (setback_->sent) return end_setback();
  if (now < setback_->judged + config_->advert_interval) return;
  setback_->judged = now;
  if (now >= setback_->since + pause()) standing_.tolerate(FaultCause::sending);
  send_advert(kResignPriority, now);
}

void VirtualRouter::end_setback() {
  if (!setback_) return;
  standing_.clear(setback_->cause);
  setback_.reset();
  owner_.forget_refusals();
}

/// Our interfaces as the kernel has them, but for what we make of them.
std::vector<Interface> VirtualRouter::surroundings() const {
  std::vector<Interface> all;
  for (const Link& link : links_) {
    const Interface* interface = kernel_.view().find(link.interface);
    if (interface == nullptr) continue;
    std::erase_if(all.emplace_back(*interface).addresses, [&](const auto& each) {
      return each.second.tag == kKernelTag || config_->is_virtual(each.first.address);
    });
  }
  return all;
}

bool VirtualRouter::is_patient(TimePoint now) const {
  return setback_ && (setback_->cause == FaultCause::sending || now < setback_->since + kPatience);
}

void VirtualRouter::settle_patience(TimePoint now) {
  if (election_.settings().patient != is_patient(now)) take_settings(now);
}

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
  show_fitness(now);
}

/// Unfit or no longer: not another state, but what an operator wants to be told of.
void VirtualRouter::show_fitness(TimePoint now) {
  const std::string* unfit = standing_.unfit();
  const bool fit = unfit == nullptr;
  const bool was_fit = std::exchange(shown_fit_, fit);
  claim_changed_ = claim_changed_ || was_fit != fit;
  if (was_fit == fit || shown() == ShownState::initialize) return;
  const std::string sentence = fit ? "fit" : "unfit: " + *unfit;
  remark(fit ? LogLevel::info : LogLevel::warning, sentence, now);
}

/// RFC 9568 5.1.1.1: never a virtual address; 5.1.2.1: the link-local one, but for peers that it cannot reach.
bool VirtualRouter::may_be_source(const IpAddress& address, const AddressState& state) const {
  if (address.family() != config_->family() || !state.usable || state.tag == kKernelTag) return false;
  if (config_->source) return address == *config_->source;
  if (address.family() == Family::ipv6 && address.is_link_local() != speaks_link_local(config_->peers)) return false;
  return !config_->is_virtual(address) || config_->priority == kOwnerPriority;
}

/// RFC 9568 5.1.1.1: the primary address. The one in use stays for as long as it can.
std::optional<IpAddress> VirtualRouter::choose_source(const Interface& interface) const {
  std::optional<IpAddress> primary, secondary;
  for (const auto& [prefix, state] : interface.addresses) {
    const IpAddress& address = prefix.address;
    if (!may_be_source(address, state)) continue;
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

void VirtualRouter::heard(const Advert& advert, const IpAddress& source, TimePoint now, Duration age) {
  ++counters_.adverts_received;
  learn_checksum_form(advert, source, now);
  note_peer(advert, source, now);
  step(Heard{.source = source, .priority = advert.priority, .interval = advert.interval, .age = age}, now);
  if (election_.state() != State::active) return;
  if (advert.priority != kResignPriority &&
      is_unheard(now))  // and who cannot say that it is Active does not stay so beside its successor
    give_up(FaultCause::sending, unsent_beside({source, advert.priority}), now);
  else if (!is_yielding(source, now))
    note_rival({source, advert.priority}, now);
}

/// The sender was Active until this node took its place as planned, and its last word says so.
bool VirtualRouter::is_yielding(const IpAddress& source, TimePoint now) const {
  const bool planned = decided_.why == Why::preempted || decided_.why == Why::peer_resigned;
  return planned && decided_.peer->address == source && is_settling(now);
}

/// This router has become Active, and the old holder may still say that it is.
bool VirtualRouter::is_settling(TimePoint now) const {
  return now < since_ + std::max<Duration>(config_->advert_interval, kYieldTime);
}

void VirtualRouter::add_watched(WatchedAddresses& watched) const {
  if (!is_claim()) return;
  owner_.add_watched(watched);
  const Interface* interface = kernel_.view().find(ifindex_);
  if (source_ && interface != nullptr && interface->ethernet)
    watched[{ifindex_, source_->family()}].push_back(*source_);
}

void VirtualRouter::overheard(const AddressClaim& claim, int ifindex, TimePoint now) {
  if (!is_claim()) return;
  if (owner_.holds(claim.address, ifindex))
    defence_.note(claim, is_settling(now), now);
  else if (ifindex == ifindex_ && claim.address == source_)
    tell_twin(claim, now);
}

void VirtualRouter::defend(TimePoint now) {
  const Defence::Answer answer = defence_.answer(now);
  owner_.announce_again(answer.addresses, now);
  if (!answer.is_news || !contest_log_.passes(now)) return;
  tell_contest(now);
  probe_source();
}

void VirtualRouter::tell_contest(TimePoint now) {
  const AddressClaim& claim = defence_.contest()->last;
  remark(LogLevel::warning,
         "another host (" + claim.mac.to_string() + ") says that it has " + claim.address.to_string() +
             "; the address is announced again",
         now);
}

/// Who else has this node's address would be Active unheard, and clients see two hosts.
void VirtualRouter::probe_source() {
  const Interface* interface = kernel_.view().find(ifindex_);
  if (!source_ || interface == nullptr || !interface->ethernet) return;
  const auto asked = source_->family() == Family::ipv4
                         ? wire_.announce(ifindex_, arp_probe(interface->mac, *source_))
                         : wire_.announce(ifindex_, neighbour_probe(interface->mac, *source_));
  if (!asked) log(LogLevel::debug, "{}: {}", config_->name, asked.error().message);
}

void VirtualRouter::tell_twin(const AddressClaim& claim, TimePoint now) {
  const bool is_known = twin_ && twin_->claim == claim && now < twin_->heard + Defence::kQuiet;
  twin_ = Twin{.claim = claim, .heard = now};
  if (is_known || !twin_log_.passes(now)) return;
  remark(
      LogLevel::warning,
      "another host (" + claim.mac.to_string() + ") has " + claim.address.to_string() +
          ", this node's own address: if it is a node of this instance, neither hears the other, and both are Active",
      now);
}

std::string VirtualRouter::unsent_beside(const Peer& peer) {
  return "adverts cannot be sent, and " + peer.address.to_string() + " (priority " + std::to_string(peer.priority) +
         ") is Active";
}

/// No advert could be sent for as long as any peer waits at least (RFC 9568 6.1).
bool VirtualRouter::is_unheard(TimePoint now) const { return is_claim() && now >= heard_until_; }

/// RFC 9568 1.7: an owner has the addresses as its interface's own. One that has not may outrank the node that has.
void VirtualRouter::question_ownership(TimePoint now) {
  if (config_->priority != kOwnerPriority) return;
  for (const VirtualAddress& address : config_->addresses) {
    if (!address.assigned) continue;
    const std::string& name = address.interface.empty() ? config_->interface : address.interface;
    const Interface* interface = kernel_.view().find(name);
    const IpAddress& wanted = address.prefix.address;
    const bool has_it = interface != nullptr && std::ranges::any_of(interface->addresses, [&](const auto& each) {
                          return each.first.address == wanted && each.second.tag != kKernelTag;
                        });
    if (has_it) continue;
    const std::string sentence = "priority 255 says that the addresses are this node's own, but " + wanted.to_string() +
                                 " is not configured on " + name + ": configure it there, or use priority = 254";
    return remark(LogLevel::warning, sentence, now);
  }
}

/// This node is Active, and the sender is or was so, too: it advertises until it hears this node, says a last word when
/// it yields, and priority 0 after a time in which it did not run.
void VirtualRouter::note_rival(const Peer& peer, TimePoint now) {
  owner_.contested(config_->advert_interval, now);
  if (!rival_) rival_ = Rival{.peer = peer, .first = now, .last = now};
  const bool is_known = rival_->peer.address == peer.address;
  if (!is_known || peer.priority != kResignPriority) rival_->peer = peer;
  rival_->last = now;
  tell_rival(now);
}

/// Who has heard us gives way. One that does not for so long hears nothing of us, or refuses it.
void VirtualRouter::tell_rival(TimePoint now) {
  const Duration beside = now - rival_->first;
  if (rival_->told || beside <= kRivalPatience * config_->advert_interval) return;
  rival_->told = true;
  remark(LogLevel::warning,
         rival_->peer.address.to_string() + " (priority " + std::to_string(rival_->peer.priority) +
             ") is Active, too, for " + format_duration(beside) +
             ", and does not give way: it does not hear this node, or refuses what it hears",
         now);
}

/// When the rival will not have been heard for two intervals.
TimePoint VirtualRouter::rival_gone() const {
  if (!rival_) return kNever;
  return std::max(rival_->last + 2 * config_->advert_interval, rival_told_ + kReassertGap);
}

TimePoint VirtualRouter::reassert_due() const {
  if (shown_ != ShownState::active || stopping_) return kNever;
  const Duration interval = config_->hooks.reassert_interval;
  const TimePoint regular = interval == Duration::zero() ? kNever : asserted_ + interval;
  return std::min(regular, rival_gone());
}

/// "192.0.2.2 (priority 100) was Active, too, for 3.2s": as long as this node has heard it.
std::string VirtualRouter::Rival::to_string() const {
  const std::string who = peer.address.to_string();
  if (peer.priority == kResignPriority) return who + " was Active, too, and has resigned (priority 0)";
  return who + " (priority " + std::to_string(peer.priority) + ") was Active, too" +
         (last > first ? ", for " + format_duration(last - first) : "");
}

/// What the rival has told others about the addresses (a cloud, an upstream router) is put right when it is gone.
void VirtualRouter::reassert(TimePoint now) {
  const bool contested = now >= rival_gone();
  std::string reason = "every " + format_duration(config_->hooks.reassert_interval);
  std::optional<Peer> peer;
  if (contested) {
    peer = rival_->peer;
    reason = rival_->to_string();
    rival_told_ = now;
    if (rival_log_.passes(now)) log_warning("{}: {}", config_->name, reason);
    rival_.reset();
  }
  asserted_ = now;
  hooks_->reassert(hook_event(HookState::active, shown_, reason, peer), contested);
}

/// What two routers have configured differently is counted and said once, and never refused (RFC 9568 7.1).
void VirtualRouter::note_peer(const Advert& advert, const IpAddress& source, TimePoint now) {
  const SeenPeer peer{.address = source,
                      .priority = advert.priority,
                      .interval = advert.interval,
                      .addresses = compare(advert.addresses, AddressList(config_->family(), advertised_)),
                      .heard = now};
  if (peer.addresses != AddressMatch::same) ++counters_.addr_list_mismatch;
  const auto before = peers_.note(peer);
  if (!before || before->interval != peer.interval) tell_interval(peer, now);
  if (!before || before->addresses != peer.addresses) tell_addresses(peer, now);
  if (peer.priority == kOwnerPriority) tell_owners(peer, now);
}

/// RFC 9568 8.3.2, conformance C29; erratum 8298, conformance B17: the election decides.
void VirtualRouter::tell_owners(const SeenPeer& peer, TimePoint now) {
  const bool we_too = standing_.effective_priority() == kOwnerPriority;
  const auto other = std::ranges::find_if(peers_.peers(), [&](const SeenPeer& each) {
    return each.address != peer.address && each.priority == kOwnerPriority && now - each.heard < 3 * each.interval;
  });
  if (!we_too && other == peers_.peers().end()) return;
  ++counters_.owner_conflict;
  if (owner_log_.passes(now))
    log_warning("{}: two address owners: {} has priority 255, and so {}", config_->name, peer.address.to_string(),
                we_too ? "have we" : "has " + other->address.to_string());
}

void VirtualRouter::tell_interval(const SeenPeer& peer, TimePoint now) {  // conformance B20
  if (peer.interval == config_->advert_interval || !interval_log_.passes(now)) return;
  log_warning("{}: {} advertises every {}, we are configured for {}", config_->name, peer.address.to_string(),
              format_duration(peer.interval), format_duration(config_->advert_interval));
}

void VirtualRouter::tell_addresses(const SeenPeer& peer, TimePoint now) {  // conformance B21
  if (peer.addresses == AddressMatch::same || !addresses_log_.passes(now)) return;
  if (peer.addresses == AddressMatch::some)
    log_warning("{}: {} lists other addresses than we do, or in another order", config_->name,
                peer.address.to_string());
  else
    log_warning("{}: {} uses our VRID {} for other addresses; a group of its own needs a VRID of its own",
                config_->name, peer.address.to_string(), config_->vrid);
}

/// Conformance B09: a sender follows the form last heard from a valid peer.
void VirtualRouter::learn_checksum_form(const Advert& advert, const IpAddress& source, TimePoint now) {
  if (config_->family() != Family::ipv4 || config_->ipv4_checksum != ChecksumPolicy::automatic) return;
  if (advert.checksum_form == checksum_form_) return;
  checksum_form_ = advert.checksum_form;
  if (!checksum_log_.passes(now)) return;
  log_info(
      "{}: {} forms its checksum {}; so do we from now on", config_->name, source.to_string(),
      checksum_form_ == ChecksumForm::message_only ? "over the message alone (RFC 9568)" : "with the pseudo-header");
}

ReceiveRules VirtualRouter::rules(std::span<const IpAddress> own_sources) const {
  return {.family = config_->family(),
          .vrid = config_->vrid,
          .version = config_->version,
          .checksum = config_->ipv4_checksum,
          .interval = std::chrono::duration_cast<Centiseconds>(config_->advert_interval),
          .password = password_,
          .peers = config_->peers,
          .local = source_.value_or(IpAddress()),
          .own_sources = own_sources};
}

void VirtualRouter::refused(Refusal refusal, const IpAddress& source, TimePoint now) {
  const std::uint64_t count = ++counters_.adverts_refused[refusal];
  if (refusal == Refusal::src_not_peer) last_stranger_ = source;
  if (refusal == Refusal::own_source) return;  // conformance B23: counted, silently
  if (!refusal_log_[refusal].passes(now)) return;
  log_warning("{}: refused an advert from {}: {} ({} so far; at most one line a minute)", config_->name,
              source.to_string(), to_string(refusal), count);
}

TimePoint VirtualRouter::deadline() const {
  return std::min({election_.deadline(), owner_.deadline(), reconsider_due(), reassert_due(), answer_due(),
                   defence_.due(), flaps_until_, give_up_removal_});
}

/// When something has to be judged anew of which nobody tells.
TimePoint VirtualRouter::reconsider_due() const {
  TimePoint due = std::min(prepare_again_, setback_due());
  for (const Link& link : links_) due = std::min(due, link.held);
  return due;
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
  if (now >= answer_due()) take_answer(now);
  if (now >= defence_.due()) defend(now);
  if (now >= flaps_until_) judge_flaps(now);
  if (now >= give_up_removal_) {
    removal_given_up_ = true;
    give_up_removal_ = kNever;
  }
}

void VirtualRouter::resign_for_the_dead() {
  judge_interfaces(TimePoint());
  send_advert(kResignPriority, TimePoint());
}

void VirtualRouter::stop(TimePoint now) {
  if (stopping_) return;
  wake(now);
  stopping_ = true;
  setback_.reset();
  prepare_again_ = kNever;
  if (election_.state() == State::active && !config_->hooks.before_release.empty()) return ask(Asked::release, now);
  if (config_->sync_group.empty()) let_go(now);
}

void VirtualRouter::let_go(TimePoint now, const Stop& stop) {
  step(stop, now);
  if (election_.state() == State::initialize) finish_stop(now);
}

/// Before anything else that is done after a time in which this process did not run.
void VirtualRouter::wake(TimePoint now) {
  if (!election_.stalled(now)) return;
  for (const Action& action : decide(Stalled{}, now)) carry_out(action, now);
}

void VirtualRouter::step(const Event& event, TimePoint now) {
  wake(now);
  for (const Action& action : decide(event, now))
    if (!carry_out(action, now)) break;
  follow_up(now);
}

/// What the election wants. A claim that ends with it is forgotten before anything else is done.
Actions VirtualRouter::decide(const Event& event, TimePoint now) {
  const bool was_claim = is_claim();
  const Actions wanted = election_.step(event, now);
  if (was_claim && !is_claim()) {
    claims_.drop(config_->name);
    defence_.forget();  // the address is another one's from now on
  }
  for (const Action& action : wanted)
    if (const auto* change = std::get_if<StateChanged>(&action)) decided_ = change->reason;
  return wanted;
}

/// What an event leads to besides what the election wants.
void VirtualRouter::follow_up(TimePoint now) {
  const bool takeover_is_void = asked_ == Asked::takeover && !election_.ready();
  const bool release_is_void = asked_ == Asked::release && election_.state() != State::active;
  if (takeover_is_void || release_is_void) asked_in_vain();
  judge_flaps(now);
  settle_patience(now);
  keep_claim();
  if (!config_->sync_group.empty()) return;
  if (may_take_over(now)) step(TakeOver{}, now);
  if (release_is_void) let_go(now);
}

void VirtualRouter::step_together(std::span<VirtualRouter* const> routers, const Event& event, TimePoint now) {
  std::vector<Actions> wanted;
  for (VirtualRouter* router : routers) router->wake(now);
  for (VirtualRouter* router : routers) wanted.push_back(router->decide(event, now));
  for (std::size_t nth = 0; nth < Actions::kMost; ++nth)
    for (std::size_t i = 0; i < routers.size(); ++i)
      if (nth < wanted[i].size() && !routers[i]->carry_out(wanted[i].begin()[nth], now)) return;
  for (VirtualRouter* router : routers) router->follow_up(now);
}

bool VirtualRouter::may_take_over(TimePoint now) {
  if (!election_.ready() || stopping_) return false;
  if (config_->hooks.before_active.empty()) return true;
  if (asked_ == Asked::nothing) ask(Asked::takeover, now);
  return cleared_;
}

void VirtualRouter::ask(Asked what, TimePoint now) {
  const bool takeover = what == Asked::takeover;
  const HookSettings& hooks = config_->hooks;
  const Duration timeout = takeover ? hooks.before_active_timeout : hooks.before_release_timeout;
  asked_ = what;
  cleared_ = false;
  answer_by_ = now + timeout;
  const auto reason = takeover ? election_.why_ready() : std::nullopt;
  const HookEvent event = hook_event(takeover ? HookState::before_active : HookState::before_release, shown_,
                                     reason ? to_string(*reason) : "stopped", reason ? reason->peer : std::nullopt);
  reason_ = event.reason + "; waits for hooks." + std::string(to_string(event.state)) + ", " +
            format_duration(timeout) + " at most";
  hooks_->ask(event, timeout);
  if (takeover) step(Prepare{}, now);
}

TimePoint VirtualRouter::answer_due() const {
  if (asked_ == Asked::nothing || cleared_) return kNever;
  return hooks_->answer() != nullptr ? TimePoint() : answer_by_;
}

/// The hook has ended, or the time for it is over. Neither keeps an address from being taken, if not wanted, or left.
void VirtualRouter::take_answer(TimePoint now) {
  const Outcome* outcome = hooks_->answer();
  if (outcome == nullptr || !outcome->ok()) {
    const bool takeover = asked_ == Asked::takeover;
    const std::string trouble = std::string(takeover ? "hooks.before_active" : "hooks.before_release") + ": " +
                                (outcome == nullptr ? "did not end in time" : to_string(*outcome));
    if (takeover && config_->hooks.before_active_failure == HookFailure::resign)
      return give_up(FaultCause::claim, trouble, now);
    log_warning("{}: {}; it is not waited for any longer", config_->name, trouble);
  }
  cleared_ = true;
  if (asked_ == Asked::takeover)
    follow_up(now);
  else if (config_->sync_group.empty())
    let_go(now);
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

/// What waits until everything is there, or gone.
void VirtualRouter::settle(TimePoint now) {
  if (owner_.adding() || owner_.letting_go()) return;
  tell_late();
  if (stopping_ && election_.state() == State::initialize) finish_stop(now);
}

/// What was asked for does not come: a Backup remains one, or an Active router is one no more. A hook that has prepared
/// for being Active already is told that it is Backup.
void VirtualRouter::asked_in_vain() {
  const bool started = hooks_->withdraw_question();
  const bool remains = asked_ == Asked::takeover && election_.state() == State::backup;
  asked_ = Asked::nothing;
  if (!remains) return;
  spoken_ = false;
  const auto& peer = election_.active_peer();
  reason_ = "was about to take over" +
            (peer ? ", but heard " + peer->address.to_string() + " (priority " + std::to_string(peer->priority) + ")"
                  : std::string());
  if (started) hooks_->push(hook_event(hook_state(shown_), shown_, reason_, peer));
}

void VirtualRouter::judge_flaps(TimePoint now) {
  const TimePoint quiet = flap_limit_.quiet_at(config_->flap_limit, config_->flap_window);
  const TimePoint until = quiet > now ? quiet : kNever;
  const bool flapped = std::exchange(flaps_until_, until) != kNever;
  const bool flaps = until != kNever;
  if (flapped == flaps) return;
  const std::string sentence = flaps ? "became Active more than " + std::to_string(config_->flap_limit) +
                                           " times within " + format_duration(config_->flap_window) +
                                           ": leaves a fit Active router alone until it has been quiet"
                                     : "has been quiet, preempts again";
  remark(flaps ? LogLevel::warning : LogLevel::info, sentence, now);
  take_settings(now);
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
    if (change->reason.why == Why::started && shown_ == ShownState::backup)
      return true;  // goes on, for the same reason
    judge_trial(change->to);
    const bool fault = shown() != ShownState::active && standing_.fault() != nullptr;
    show_change(fault ? *standing_.fault() : to_string(change->reason), change->reason.peer, now);
    if (change->to == State::active) question_ownership(now);
    if (stopping_ && change->to == State::initialize) finish_stop(now);
  }
  return true;
}

/// Being Active ends a setback, but for addresses of which the kernel does not know yet whether another host has them.
/// Until it does, the fault is shown as before. The members of a sync group are not on trial.
void VirtualRouter::judge_trial(State to) {
  if (!setback_) return;
  setback_->on_trial = to == State::active && config_->sync_group.empty() && !owner_.settled();
  if (to == State::active && !is_on_trial()) end_setback();
}

/// The first advert after a claim has been said, and what was claimed follows. Who is preempted goes on being Active if
/// that advert could not leave: then nobody is to hear of the claim. False: so it is void.
bool VirtualRouter::announce(TimePoint now) {
  if (!owner_.holding()) return true;  // while a takeover is prepared
  if (owner_.quiet() && decided_.why == Why::preempted) {
    wire_.release();
    if (!counted_) {
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

void VirtualRouter::claim_failed(FaultCause cause, const std::string& why, TimePoint now) {
  set_back(cause, why, now);
  decide(Fail{}, now);
  owner_.release();
  if (spoken_) send_advert(kResignPriority, now);
  show_change(*standing_.fault(), std::nullopt, now);
  if (stopping_) finish_stop(now);
}

void VirtualRouter::send_advert(std::uint8_t priority, TimePoint now) {
  if (!source_) return;
  const Advert advert{.version = config_->version,
                      .vrid = config_->vrid,
                      .priority = priority,
                      .interval = std::chrono::duration_cast<Centiseconds>(config_->advert_interval),
                      .addresses = AddressList(config_->family(), advertised_),
                      .checksum_form = checksum_form_,
                      .password = password_};
  counted_ = false;
  if (config_->peers.empty()) send_to(vrrp_group(config_->family()), advert, now);
  for (const auto& peer : config_->peers) send_to(peer.address, advert, now);
  spoken_ = spoken_ || priority != kResignPriority;
}

void VirtualRouter::send_to(const IpAddress& destination, const Advert& advert, TimePoint now) {
  static std::array<std::uint8_t, kMaxAdvertSize> buffer;
  const std::size_t size = encode(advert, *source_, destination, buffer);
  const auto message = std::span(buffer).first(size);
  const bool by_frame = config_->virtual_mac && config_->peers.empty();  // RFC 9568 7.2: the MAC of what is multicast
  const auto note = [this, now](const Result<void>& sent) { note_sent(sent, now); };
  if (by_frame)
    note(wire_.announce(ifindex_, advert_frame(virtual_mac(config_->family(), config_->vrid), *source_, message)));
  else
    wire_.send(ifindex_, *source_, destination, message, note);
}

/// An advert counts once, however many peers it went to.
void VirtualRouter::note_sent(const Result<void>& sent, TimePoint now) {
  if (!sent) {
    ++counters_.send_errors;
    if (send_log_.passes(now)) log_warning("{}: {}", config_->name, sent.error().message);
    return;
  }
  if (!std::exchange(counted_, true)) ++counters_.adverts_sent;
  if (setback_) setback_->sent = true;
  heard_until_ = now + 3 * config_->advert_interval;
}

void VirtualRouter::log_event(ShownState from, ShownState to, const std::string& reason, TimePoint now) {
  events_.add({.sequence = 0,
               .time = now,
               .instance = config_->name,
               .group = false,
               .from = from,
               .to = to,
               .reason = reason,
               .priority = standing_.effective_priority()});
}

/// Not another state, but what an operator wants to be told of.
void VirtualRouter::remark(LogLevel level, const std::string& sentence, TimePoint now) {
  log_event(shown_, shown_, sentence, now);
  log(level, "{}: {}", config_->name, sentence);
}

std::string VirtualRouter::with_fitness(const std::string& cause) const {
  const std::string* unfit = standing_.fault() == nullptr ? standing_.unfit() : nullptr;
  return unfit == nullptr ? cause : cause + "; unfit: " + *unfit;
}

void VirtualRouter::show_change(const std::string& cause, const std::optional<Peer>& peer, TimePoint now) {
  reason_ = cause;
  const ShownState from = shown_, to = shown();
  claim_changed_ = true;
  if (election_.state() != State::active) spoken_ = false;
  if (from == to) return;
  shown_ = to;
  since_ = asserted_ = now;
  rival_.reset();
  ++counters_.transitions;
  if (to == ShownState::active) flap_limit_.note(now);
  log_event(from, to, reason(), now);
  log_info("{}: {} -> {}: {}", config_->name, to_string(from), to_string(to), reason());
  tell_late();
  if (stopping_ && to == ShownState::initialize) return;  // finish_stop() tells the hooks
  late_event_ = std::make_unique<HookEvent>(hook_event(hook_state(to), from, reason(), peer));
  settle(now);
}

/// Hooks learn that we are Active when all addresses are there, or not to be had any more; and that we are not when
/// all are gone.
void VirtualRouter::tell_late() {
  if (const auto event = std::exchange(late_event_, nullptr)) hooks_->push(*event);
}

/// `from`: the state before, as shown. Its sequence is that of the last transition.
HookEvent VirtualRouter::hook_event(HookState state, ShownState from, const std::string& reason,
                                    const std::optional<Peer>& peer) const {
  return {.state = state,
          .old_state = std::string(to_string(from)),
          .reason = reason,
          .priority = standing_.effective_priority(),
          .peer = peer ? peer->address.to_string() : "",
          .sequence = events_.last_sequence()};
}

void VirtualRouter::finish_stop(TimePoint now) {
  if (stopped_ || owner_.letting_go()) return;
  stopped_ = true;
  give_up_removal_ = now + kRemovalPatience;
  owner_.withdraw();
  hooks_->push(hook_event(HookState::stop, shown_, reason(), std::nullopt));
}

}  // namespace vipd
