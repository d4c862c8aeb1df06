#include "vipd/daemon/status.hpp"

#include "vipd/base/control.hpp"
#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

/// What is held of one kind: [{"<name>": "…", "present": true}].
template <typename Object>
Json held_by(const AddressOwner& owner, const char* name, const std::string& interface) {
  Json list = Json::array();
  for (const auto& entry : owner.entries()) {
    const auto* object = std::get_if<Object>(&entry.object);
    if (object == nullptr) continue;
    Json held = {{name, to_string(*object)}, {"present", owner.present(entry)}};
    if constexpr (std::is_same_v<Object, AddressObject>)
      if (object->interface != interface) held["interface"] = object->interface;
    if (entry.foreign) held["foreign"] = true;
    if (const auto trouble = owner.trouble(entry)) held["error"] = *trouble;
    list.push_back(std::move(held));
  }
  return list;
}

/// Those that are put on an interface, and those that are not and of which nobody here knows where they are.
Json addresses_of(const VirtualRouter& router) {
  Json list = held_by<AddressObject>(router.addresses(), "address", router.config().interface);
  for (const VirtualAddress& address : router.config().addresses)
    if (!address.assigned) list.push_back({{"address", to_string(address)}, {"present", nullptr}, {"assigned", false}});
  return list;
}

Json active_router(const VirtualRouter& router) {
  if (router.election().state() == State::active) {
    if (!router.source()) return nullptr;
    return {{"address", router.source()->to_string()}, {"priority", router.standing().effective_priority()}};
  }
  const auto& peer = router.election().active_peer();
  if (!peer || peer->priority == kResignPriority) return nullptr;
  return {{"address", peer->address.to_string()}, {"priority", peer->priority}};
}

Json counters_of(const VirtualRouter::Counters& counters) {
  Json refused = Json::object();
  for (const auto& [kind, count] : counters.adverts_refused) refused[std::string(to_string(kind))] = count;
  return {{"adverts_sent", counters.adverts_sent},     {"adverts_received", counters.adverts_received},
          {"adverts_refused", std::move(refused)},     {"addr_list_mismatch", counters.addr_list_mismatch},
          {"owner_conflict", counters.owner_conflict}, {"send_errors", counters.send_errors}};
}

/// Who else was heard for this VRID, in no order.
Json peers_of(const PeerTable& table, const Clocks& clocks) {
  Json list = Json::array();
  for (const auto& peer : table.peers())
    list.push_back({{"address", peer.address.to_string()},
                    {"priority", peer.priority},
                    {"advert_interval", format_duration(peer.interval)},
                    {"addresses", to_string(peer.addresses)},
                    {"heard", clocks.rfc3339(peer.heard)}});
  return list;
}

Json claim_of(const AddressClaim& claim, TimePoint heard, const Clocks& clocks) {
  return {{"address", claim.address.to_string()}, {"mac", claim.mac.to_string()}, {"heard", clocks.rfc3339(heard)}};
}

/// Which other host last said that it has a virtual address.
Json contest_of(const VirtualRouter& router, const Clocks& clocks) {
  const auto& contest = router.contest();
  if (!contest) return nullptr;
  Json document = claim_of(contest->last, contest->heard, clocks);
  document["count"] = contest->count;
  document["answers"] = contest->answers;
  return document;
}

Json twin_of(const VirtualRouter& router, const Clocks& clocks) {
  return router.twin() ? claim_of(router.twin()->claim, router.twin()->heard, clocks) : Json(nullptr);
}

Json hooks_of(const HookQueue& hooks) {
  Json last = nullptr;
  if (const auto* ended = hooks.last())
    last = {{"command", ended->command},
            {"status", ended->outcome.exit_status},
            {"outcome", to_string(ended->outcome)},
            {"ok", ended->outcome.ok()},
            {"duration", format_duration(ended->outcome.took)},
            {"output", ended->outcome.output}};
  return {{"running", hooks.running() != nullptr ? Json(*hooks.running()) : Json(nullptr)},
          {"queued", hooks.waiting()},
          {"coalesced", hooks.coalesced()},
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

/// What each of an instance's checks says.
Json checks_of(const std::vector<std::string>& names, const CheckSet& checks, const Clocks& clocks) {
  Json list = Json::array();
  for (const std::string& name : names) {
    const Check* check = checks.find(name);
    if (check == nullptr) continue;
    list.push_back({{"name", name},
                    {"state", to_string(check->state())},
                    {"stale", check->is_stale(clocks.monotonic)},
                    {"stale_reason", check->stale_reason(clocks.monotonic)},
                    {"since", clocks.rfc3339(check->since())},
                    {"detail", check->detail()},
                    {"on_fail", to_string(check->rules().on_fail)},
                    {"weight", check->weight()}});
  }
  return list;
}

/// Until when it does not preempt since it has become Active too often.
Json flaps_until(const VirtualRouter& router, const Clocks& clocks) {
  return router.flaps_until() == kNever ? Json(nullptr) : Json(clocks.rfc3339(router.flaps_until()));
}

/// One that takes part while its fault is shown has not proved yet that it can be Active.
State state_of(const VirtualRouter& router) {
  return router.shown() == ShownState::fault ? State::initialize : router.election().state();
}

Json instance_document(const VirtualRouter& router, const CheckSet& checks, const Clocks& clocks) {
  const InstanceConfig& config = router.config();
  const std::string* fault = router.standing().fault();
  const std::string* unfit = router.standing().unfit();
  return {{"name", config.name},
          {"vrid", config.vrid},
          {"version", config.version},
          {"family", to_string(config.family())},
          {"interface", config.interface},
          {"state", to_string(state_of(router))},
          {"fault", fault != nullptr ? Json(*fault) : Json(nullptr)},
          {"fit", router.standing().fit()},
          {"unfit", unfit != nullptr ? Json(*unfit) : Json(nullptr)},
          {"checks", checks_of(config.checks, checks, clocks)},
          {"reason", router.reason()},
          {"since", clocks.rfc3339(router.since())},
          {"stopping", router.stopping()},
          {"sync_group", sync_group_of(config)},
          {"ready", router.election().ready()},
          {"preempt", config.preempt},
          {"flaps_until", flaps_until(router, clocks)},
          {"virtual_mac", virtual_mac_of(config)},
          {"accept", config.accepts()},
          {"advert_interval", format_duration(config.advert_interval)},
          {"priority",
           {{"base", router.standing().base_priority()}, {"effective", router.standing().effective_priority()}}},
          {"addresses", addresses_of(router)},
          {"routes", held_by<RouteObject>(router.addresses(), "route", config.interface)},
          {"rules", held_by<RuleObject>(router.addresses(), "rule", config.interface)},
          {"active", active_router(router)},
          {"peers", peers_of(router.peers(), clocks)},
          {"last_stranger", router.last_stranger() ? Json(router.last_stranger()->to_string()) : Json(nullptr)},
          {"contest", contest_of(router, clocks)},
          {"same_source", twin_of(router, clocks)},
          {"counters", counters_of(router.counters())},
          {"hooks", hooks_of(router.hooks())},
          {"transitions", router.counters().transitions}};
}

Json group_document(const SyncGroup& group, const Clocks& clocks) {
  return {{"name", group.config().name},
          {"state", to_string(group.shown())},
          {"reason", group.reason()},
          {"since", clocks.rfc3339(group.since())},
          {"instances", group.config().instances},
          {"awaited", group.awaited()},
          {"hooks", hooks_of(group.hooks())}};
}

Json fifo_document(const NotifyFifo& fifo) {
  if (fifo.path().empty()) return nullptr;
  return {{"path", fifo.path()}, {"dropped", fifo.dropped()}};
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

Json status_document(const Supervisor& supervisor, std::optional<TimePoint> trial_ends, const DaemonInfo& info,
                     const Clocks& clocks) {
  Json instances = Json::array();
  for (const auto& router : supervisor.routers())
    instances.push_back(instance_document(*router, supervisor.checks(), clocks));
  Json groups = Json::array();
  for (const auto& group : supervisor.groups()) groups.push_back(group_document(*group, clocks));
  return {{"schema", "vipd.status/1"},
          {"node", supervisor.config().node.empty() ? info.host : supervisor.config().node},
          {"version", VIPD_VERSION},
          {"pid", info.pid},
          {"uptime", format_duration(clocks.monotonic - info.started)},
          {"reload_to_confirm", trial_ends ? Json(clocks.rfc3339(*trial_ends)) : Json(nullptr)},
          {"notify_fifo", fifo_document(supervisor.hooks().fifo())},
          {"instances", std::move(instances)},
          {"sync_groups", std::move(groups)}};
}

Json version_document(const DaemonInfo& info, const Clocks& clocks) {
  return {{"schema", "vipd.version/1"}, {"version", VIPD_VERSION}, {"pid", info.pid},
          {"program", info.program},    {"config", info.config},   {"started", clocks.rfc3339(info.started)}};
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
