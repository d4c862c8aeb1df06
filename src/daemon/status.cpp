#include "vipd/daemon/status.hpp"

#include "vipd/base/control.hpp"
#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

// Taking a status: it is only copied, which is quick.

HooksStatus hooks_status(const HookQueue& hooks) {
  HooksStatus status{.waiting = hooks.waiting(), .superseded = hooks.coalesced()};
  if (hooks.running() != nullptr) status.running = *hooks.running();
  if (hooks.last() != nullptr) status.last = *hooks.last();
  return status;
}

std::vector<HeldStatus> held_status(const AddressOwner& owner) {
  std::vector<HeldStatus> list;
  list.reserve(owner.entries().size());
  for (const auto& entry : owner.entries())
    list.push_back({.object = entry.object,
                    .present = owner.present(entry),
                    .foreign = entry.foreign,
                    .trouble = owner.trouble(entry)});
  return list;
}

std::vector<CheckStatus> checks_status(const VirtualRouter& router, const CheckSet& checks, TimePoint now) {
  std::vector<CheckStatus> list;
  for (const std::string& name : router.config().checks) {
    const Check* check = checks.find(name);
    if (check == nullptr) continue;
    list.push_back({.name = name,
                    .detail = check->detail(),
                    .stale_reason = check->stale_reason(now),
                    .state = check->state(),
                    .since = check->since(),
                    .on_fail = check->rules().on_fail,
                    .weight = check->weight()});
  }
  return list;
}

std::optional<Peer> active_router(const VirtualRouter& router) {
  if (router.election().state() == State::active) {
    if (!router.source()) return std::nullopt;
    return Peer{*router.source(), static_cast<std::uint8_t>(router.standing().effective_priority())};
  }
  const auto& peer = router.election().active_peer();
  return peer && peer->priority != kResignPriority ? peer : std::nullopt;
}

/// The state to show. A router that takes part although its fault is shown has not yet proved that it can be Active.
State state_of(const VirtualRouter& router) {
  return router.shown() == ShownState::fault ? State::initialize : router.election().state();
}

InstanceStatus instance_status(const VirtualRouter& router, const CheckSet& checks, TimePoint now) {
  const auto copy = [](const std::string* text) { return text != nullptr ? std::optional(*text) : std::nullopt; };
  const auto peers = router.peers().peers();
  return {.config = router.shared_config(),
          .state = state_of(router),
          .fault = copy(router.standing().fault()),
          .unfit = copy(router.standing().unfit()),
          .fit = router.standing().fit(),
          .stopping = router.stopping(),
          .ready = router.election().ready(),
          .checks = checks_status(router, checks, now),
          .reason = router.reason(),
          .since = router.since(),
          .flapping_until = router.flaps_until(),
          .base_priority = router.standing().base_priority(),
          .effective_priority = router.standing().effective_priority(),
          .held = held_status(router.addresses()),
          .active = active_router(router),
          .peers = {peers.begin(), peers.end()},
          .last_unknown_source = router.last_stranger(),
          .contest = router.contest(),
          .twin = router.twin(),
          .counters = router.counters(),
          .hooks = hooks_status(router.hooks())};
}

GroupStatus group_status(const SyncGroup& group) {
  return {.config = group.config(),
          .state = group.shown(),
          .reason = group.reason(),
          .since = group.since(),
          .waiting_for = group.awaited(),
          .hooks = hooks_status(group.hooks())};
}

// Writing a status out.

/// How many whole units a duration has.
template <typename Unit>
std::int64_t count_of(Duration duration) {
  return std::chrono::duration_cast<Unit>(duration).count();
}

/// The held objects of one kind: [{"<name>": "…", "present": true}].
template <typename Object>
Json held_by(const InstanceStatus& instance, const char* name) {
  Json list = Json::array();
  for (const HeldStatus& each : instance.held) {
    const auto* object = std::get_if<Object>(&each.object);
    if (object == nullptr) continue;
    Json held = {{name, to_string(*object)}, {"present", each.present}};
    if constexpr (std::is_same_v<Object, AddressObject>)
      if (object->interface != instance.config->interface) held["interface"] = object->interface;
    if (each.foreign) held["foreign"] = true;
    if (each.trouble) held["error"] = *each.trouble;
    list.push_back(std::move(held));
  }
  return list;
}

/// The addresses that vipd adds to an interface, then those that something else assigns: vipd does not know where they
/// are.
Json addresses_of(const InstanceStatus& instance) {
  Json list = held_by<AddressObject>(instance, "address");
  for (const VirtualAddress& address : instance.config->addresses)
    if (!address.assigned) list.push_back({{"address", to_string(address)}, {"present", nullptr}, {"assigned", false}});
  return list;
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json active_of(const std::optional<Peer>& active) {
  if (!active) return nullptr;
  return {{"address", active->address.to_string()}, {"priority", active->priority}};
}

Json counters_of(const RouterCounters& counters) {
  Json refused = Json::object();
  for (const auto& [kind, count] : counters.adverts_refused) refused[std::string(to_string(kind))] = count;
  return {{"adverts_sent", counters.adverts_sent},     {"adverts_received", counters.adverts_received},
          {"adverts_refused", std::move(refused)},     {"address_list_mismatch", counters.addr_list_mismatch},
          {"owner_conflict", counters.owner_conflict}, {"send_errors", counters.send_errors}};
}

/// The peers that were heard for this VRID, in no order.
Json peers_of(const std::vector<SeenPeer>& peers, const Clocks& clocks) {
  Json list = Json::array();
  for (const SeenPeer& peer : peers)
    list.push_back({{"address", peer.address.to_string()},
                    {"priority", peer.priority},
                    {"advert_interval", format_duration(peer.interval)},
                    {"advert_interval_ms", count_of<std::chrono::milliseconds>(peer.interval)},
                    {"addresses", to_string(peer.addresses)},
                    {"heard", clocks.rfc3339(peer.heard)}});
  return list;
}

Json claim_of(const AddressClaim& claim, TimePoint heard, const Clocks& clocks) {
  return {{"address", claim.address.to_string()}, {"mac", claim.mac.to_string()}, {"heard", clocks.rfc3339(heard)}};
}

/// The host that last announced a virtual address of this instance.
Json contest_of(const std::optional<Defence::Contest>& contest, const Clocks& clocks) {
  if (!contest) return nullptr;
  Json document = claim_of(contest->last, contest->heard, clocks);
  document["count"] = contest->count;
  document["answers"] = contest->answers;
  return document;
}

Json twin_of(const std::optional<HostWatch::Twin>& twin, const Clocks& clocks) {
  return twin ? claim_of(twin->claim, twin->heard, clocks) : Json(nullptr);
}

Json hooks_of(const HooksStatus& hooks) {
  Json last = nullptr;
  if (hooks.last)
    last = {{"command", hooks.last->command},
            {"status", hooks.last->outcome.exit_status},
            {"outcome", to_string(hooks.last->outcome)},
            {"ok", hooks.last->outcome.ok()},
            {"duration", format_duration(hooks.last->outcome.took)},
            {"duration_ms", count_of<std::chrono::milliseconds>(hooks.last->outcome.took)},
            {"output", hooks.last->outcome.output}};
  return {{"running", or_null(hooks.running)},
          {"queued", hooks.waiting},
          {"superseded", hooks.superseded},
          {"last", std::move(last)}};
}

Json virtual_mac_of(const InstanceConfig& config) {
  if (!config.virtual_mac) return nullptr;
  return {{"address", virtual_mac(config.family(), config.vrid).to_string()},
          {"interface", virtual_mac_device(config)}};
}

Json sync_group_of(const InstanceConfig& config) {
  return config.sync_group.empty() ? Json(nullptr) : Json(config.sync_group);
}

/// The checks of an instance.
Json checks_of(const std::vector<CheckStatus>& checks, const Clocks& clocks) {
  Json list = Json::array();
  for (const CheckStatus& check : checks)
    list.push_back({{"name", check.name},
                    {"state", to_string(check.state)},
                    {"stale", !check.stale_reason.empty()},
                    {"stale_reason", check.stale_reason},
                    {"since", clocks.rfc3339(check.since)},
                    {"detail", check.detail},
                    {"on_fail", to_string(check.on_fail)},
                    {"weight", check.weight}});
  return list;
}

/// Until when the instance does not preempt after becoming Active too often; null if it may preempt.
Json flapping_until(const InstanceStatus& instance, const Clocks& clocks) {
  return instance.flapping_until == kNever ? Json(nullptr) : Json(clocks.rfc3339(instance.flapping_until));
}

Json instance_document(const InstanceStatus& instance, const Clocks& clocks) {
  const InstanceConfig& config = *instance.config;
  return {{"name", config.name},
          {"vrid", config.vrid},
          {"version", config.version},
          {"family", to_string(config.family())},
          {"interface", config.interface},
          {"state", to_string(instance.state)},
          {"fault", or_null(instance.fault)},
          {"fit", instance.fit},
          {"unfit", or_null(instance.unfit)},
          {"checks", checks_of(instance.checks, clocks)},
          {"reason", instance.reason},
          {"since", clocks.rfc3339(instance.since)},
          {"stopping", instance.stopping},
          {"sync_group", sync_group_of(config)},
          {"ready", instance.ready},
          {"preempt", config.preempt},
          {"flapping_until", flapping_until(instance, clocks)},
          {"virtual_mac", virtual_mac_of(config)},
          {"accept", config.accepts()},
          {"advert_interval", format_duration(config.advert_interval)},
          {"advert_interval_ms", count_of<std::chrono::milliseconds>(config.advert_interval)},
          {"priority", {{"base", instance.base_priority}, {"effective", instance.effective_priority}}},
          {"addresses", addresses_of(instance)},
          {"routes", held_by<RouteObject>(instance, "route")},
          {"rules", held_by<RuleObject>(instance, "rule")},
          {"active", active_of(instance.active)},
          {"peers", peers_of(instance.peers, clocks)},
          {"last_unknown_source",
           instance.last_unknown_source ? Json(instance.last_unknown_source->to_string()) : Json(nullptr)},
          {"contest", contest_of(instance.contest, clocks)},
          {"same_source", twin_of(instance.twin, clocks)},
          {"counters", counters_of(instance.counters)},
          {"hooks", hooks_of(instance.hooks)},
          {"transitions", instance.counters.transitions}};
}

Json group_document(const GroupStatus& group, const Clocks& clocks) {
  return {{"name", group.config.name},
          {"state", to_string(group.state)},
          {"reason", group.reason},
          {"since", clocks.rfc3339(group.since)},
          {"instances", group.config.instances},
          {"waiting_for", group.waiting_for},
          {"hooks", hooks_of(group.hooks)}};
}

Json fifo_document(const Status& status) {
  if (!status.fifo_path) return nullptr;
  return {{"path", *status.fifo_path}, {"dropped", status.fifo_dropped}};
}

Json transition_document(const Transition& transition, const Clocks& clocks) {
  Json document = {{"sequence", transition.sequence}, {"time", clocks.rfc3339(transition.time)}};
  document["instance"] = transition.group ? Json(nullptr) : Json(transition.instance);
  if (transition.group) document["sync_group"] = transition.instance;
  document.update({{"from", to_string(transition.from)},
                   {"to", to_string(transition.to)},
                   {"reason", transition.reason},
                   {"priority", transition.priority}});
  return document;
}

}  // namespace

std::string Clocks::rfc3339(TimePoint time) const {
  return format_rfc3339(wall + std::chrono::duration_cast<std::chrono::system_clock::duration>(time - monotonic));
}

std::size_t Status::size() const {
  std::size_t size = instances.size() + groups.size();
  for (const InstanceStatus& each : instances) size += each.held.size();
  return size;
}

Status status_of(const Supervisor& supervisor, const ConfigState& config, const DaemonInfo& info,
                 const Clocks& clocks) {
  const NotifyFifo& fifo = supervisor.hooks().fifo();
  Status status{.node = supervisor.config().node.empty() ? info.host : supervisor.config().node,
                .info = info,
                .clocks = clocks,
                .config = config,
                .fifo_path = fifo.path().empty() ? std::nullopt : std::optional(fifo.path()),
                .fifo_dropped = fifo.dropped()};
  status.instances.reserve(supervisor.routers().size());
  for (const auto& router : supervisor.routers())
    status.instances.push_back(instance_status(*router, supervisor.checks(), clocks.monotonic));
  for (const auto& group : supervisor.groups()) status.groups.push_back(group_status(*group));
  return status;
}

Json status_document(const Status& status) {
  const Clocks& clocks = status.clocks;
  Json instances = Json::array();
  for (const InstanceStatus& each : status.instances) instances.push_back(instance_document(each, clocks));
  Json groups = Json::array();
  for (const GroupStatus& each : status.groups) groups.push_back(group_document(each, clocks));
  return {
      {"schema", "vipd.status/1"},
      {"node", status.node},
      {"version", VIPD_VERSION},
      {"pid", status.info.pid},
      {"uptime", format_duration(clocks.monotonic - status.info.started)},
      {"uptime_s", count_of<std::chrono::seconds>(clocks.monotonic - status.info.started)},
      {"reload_to_confirm", status.config.trial_ends ? Json(clocks.rfc3339(*status.config.trial_ends)) : Json(nullptr)},
      {"files_in_force", status.config.files_in_force},
      {"notify_fifo", fifo_document(status)},
      {"instances", std::move(instances)},
      {"sync_groups", std::move(groups)}};
}

Json version_document(const DaemonInfo& info, const Clocks& clocks) {
  return {{"schema", "vipd.version/1"},   {"version", VIPD_VERSION}, {"pid", info.pid},
          {"program", info.program},      {"config", info.config},   {"started", clocks.rfc3339(info.started)},
          {"given_back", info.given_back}};
}

Json events_document(const EventLog& events, const Clocks& clocks) {
  Json list = Json::array();
  for (const auto& transition : events.transitions()) list.push_back(transition_document(transition, clocks));
  return {{"schema", "vipd.events/1"}, {"events", std::move(list)}};
}

Json event_document(const Transition& transition, const Clocks& clocks) {
  return {{"schema", "vipd.event/1"}, {"event", transition_document(transition, clocks)}};
}

Json error_document(const std::string& sentence, const std::string& kind) {
  Json document = {{"schema", "vipd.error/1"}, {"error", sentence}};
  if (!kind.empty()) document["kind"] = kind;
  return document;
}

std::string answer_line(const Json& document) {
  std::string line = to_text(document);
  if (line.size() > kLongestAnswer)
    line = to_text(error_document("the answer is longer than " + std::to_string(kLongestAnswer >> 20) + " MiB"));
  return line + "\n";
}

std::string summary_line(const Supervisor& supervisor) {
  constexpr std::size_t kNamed = 8;
  std::string line;
  for (std::size_t i = 0; i < supervisor.routers().size() && i < kNamed; ++i) {
    const VirtualRouter& router = *supervisor.routers()[i];
    line += (i == 0 ? "" : ", ") + router.config().name + " " + std::string(to_string(router.shown()));
  }
  if (supervisor.routers().size() > kNamed) line += ", ...";
  return line;
}

}  // namespace vipd
