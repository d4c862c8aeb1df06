#include "vipd/daemon/status.hpp"

#include <cstring>

#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

using json = nlohmann::ordered_json;

/// What is held of one kind: [{"<name>": "…", "present": true}].
template <typename Object>
json held_by(const AddressOwner& owner, const char* name, const std::string& interface) {
  json list = json::array();
  for (const auto& entry : owner.entries()) {
    const auto* object = std::get_if<Object>(&entry.object);
    if (object == nullptr) continue;
    json held = {{name, to_string(*object)}, {"present", owner.present(entry)}};
    if constexpr (std::is_same_v<Object, AddressObject>)
      if (object->interface != interface) held["interface"] = object->interface;
    if (entry.foreign) held["foreign"] = true;
    if (entry.error != 0) held["error"] = std::strerror(entry.error);
    list.push_back(std::move(held));
  }
  return list;
}

/// Those that are put on an interface, and those that are not and of which nobody here knows where they are.
json addresses_of(const VirtualRouter& router) {
  json list = held_by<AddressObject>(router.addresses(), "address", router.config().interface);
  for (const VirtualAddress& address : router.config().addresses)
    if (!address.assigned) list.push_back({{"address", to_string(address)}, {"present", nullptr}, {"assigned", false}});
  return list;
}

json active_router(const VirtualRouter& router) {
  if (router.election().state() == State::active) {
    if (!router.source()) return nullptr;
    return {{"address", router.source()->to_string()}, {"priority", router.standing().effective_priority()}};
  }
  const auto& peer = router.election().active_peer();
  if (!peer || peer->priority == kResignPriority) return nullptr;
  return {{"address", peer->address.to_string()}, {"priority", peer->priority}};
}

json counters_of(const VirtualRouter::Counters& counters) {
  json refused = json::object();
  for (const auto& [kind, count] : counters.adverts_refused) refused[std::string(to_string(kind))] = count;
  return {{"adverts_sent", counters.adverts_sent},     {"adverts_received", counters.adverts_received},
          {"adverts_refused", std::move(refused)},     {"addr_list_mismatch", counters.addr_list_mismatch},
          {"owner_conflict", counters.owner_conflict}, {"send_errors", counters.send_errors}};
}

/// Who else was heard for this VRID, in no order.
json peers_of(const PeerTable& table, const Clocks& clocks) {
  json list = json::array();
  for (const auto& peer : table.peers())
    list.push_back({{"address", peer.address.to_string()},
                    {"priority", peer.priority},
                    {"advert_interval", format_duration(peer.interval)},
                    {"addresses", to_string(peer.addresses)},
                    {"heard", clocks.rfc3339(peer.heard)}});
  return list;
}

json hooks_of(const HookQueue& hooks) {
  json last = nullptr;
  if (const auto* ended = hooks.last())
    last = {{"command", ended->command},
            {"status", ended->outcome.exit_status},
            {"outcome", to_string(ended->outcome)},
            {"ok", ended->outcome.ok()},
            {"duration", format_duration(ended->outcome.took)},
            {"output", ended->outcome.output}};
  return {{"running", hooks.running() != nullptr ? json(*hooks.running()) : json(nullptr)},
          {"queued", hooks.waiting()},
          {"coalesced", hooks.coalesced()},
          {"last", std::move(last)}};
}

json virtual_mac_of(const InstanceConfig& config) {
  if (!config.virtual_mac) return nullptr;
  return {{"address", virtual_mac(config.family(), config.vrid).to_string()},
          {"interface", virtual_mac_device(config)}};
}

json sync_group_of(const InstanceConfig& config) {
  return config.sync_group.empty() ? json(nullptr) : json(config.sync_group);
}

/// What each of an instance's checks says.
json checks_of(const std::vector<std::string>& names, const CheckSet& checks, const Clocks& clocks) {
  json list = json::array();
  for (const std::string& name : names) {
    const Check* check = checks.find(name);
    if (check == nullptr) continue;
    list.push_back({{"name", name},
                    {"state", to_string(check->state())},
                    {"stale", check->is_stale(clocks.monotonic)},
                    {"since", clocks.rfc3339(check->since())},
                    {"detail", check->detail()},
                    {"on_fail", to_string(check->rules().on_fail)},
                    {"weight", check->weight()}});
  }
  return list;
}

/// Until when it does not preempt since it has become Active too often.
json flaps_until(const VirtualRouter& router, const Clocks& clocks) {
  return router.flaps_until() == kNever ? json(nullptr) : json(clocks.rfc3339(router.flaps_until()));
}

json instance_document(const VirtualRouter& router, const CheckSet& checks, const Clocks& clocks) {
  const InstanceConfig& config = router.config();
  const std::string* fault = router.standing().fault();
  const std::string* unfit = router.standing().unfit();
  return {{"name", config.name},
          {"vrid", config.vrid},
          {"version", config.version},
          {"family", to_string(config.family())},
          {"interface", config.interface},
          {"state", to_string(router.election().state())},
          {"fault", fault != nullptr ? json(*fault) : json(nullptr)},
          {"fit", router.standing().fit()},
          {"unfit", unfit != nullptr ? json(*unfit) : json(nullptr)},
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
          {"last_stranger", router.last_stranger() ? json(router.last_stranger()->to_string()) : json(nullptr)},
          {"counters", counters_of(router.counters())},
          {"hooks", hooks_of(router.hooks())},
          {"transitions", router.counters().transitions}};
}

json group_document(const SyncGroup& group, const Clocks& clocks) {
  return {{"name", group.config().name},
          {"state", to_string(group.shown())},
          {"reason", group.reason()},
          {"since", clocks.rfc3339(group.since())},
          {"instances", group.config().instances},
          {"awaited", group.awaited()},
          {"hooks", hooks_of(group.hooks())}};
}

json fifo_document(const NotifyFifo& fifo) {
  if (fifo.path().empty()) return nullptr;
  return {{"path", fifo.path()}, {"dropped", fifo.dropped()}};
}

json transition_document(const Transition& transition, const Clocks& clocks) {
  json document = {{"sequence", transition.sequence}, {"time", clocks.rfc3339(transition.time)}};
  document["instance"] = transition.group ? json(nullptr) : json(transition.instance);
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

json status_document(const Supervisor& supervisor, std::optional<TimePoint> trial_ends, const DaemonInfo& info,
                     const Clocks& clocks) {
  json instances = json::array();
  for (const auto& router : supervisor.routers())
    instances.push_back(instance_document(*router, supervisor.checks(), clocks));
  json groups = json::array();
  for (const auto& group : supervisor.groups()) groups.push_back(group_document(*group, clocks));
  return {{"schema", "vipd.status/1"},
          {"node", supervisor.config().node.empty() ? info.host : supervisor.config().node},
          {"version", VIPD_VERSION},
          {"pid", info.pid},
          {"uptime", format_duration(clocks.monotonic - info.started)},
          {"reload_to_confirm", trial_ends ? json(clocks.rfc3339(*trial_ends)) : json(nullptr)},
          {"notify_fifo", fifo_document(supervisor.hooks().fifo())},
          {"instances", std::move(instances)},
          {"sync_groups", std::move(groups)}};
}

json version_document(const DaemonInfo& info, const Clocks& clocks) {
  return {{"schema", "vipd.version/1"}, {"version", VIPD_VERSION}, {"pid", info.pid},
          {"program", info.program},    {"config", info.config},   {"started", clocks.rfc3339(info.started)}};
}

json events_document(const EventLog& events, const Clocks& clocks) {
  json list = json::array();
  for (const auto& transition : events.transitions()) list.push_back(transition_document(transition, clocks));
  return {{"schema", "vipd.events/1"}, {"events", std::move(list)}};
}

json event_document(const Transition& transition, const Clocks& clocks) {
  return {{"schema", "vipd.event/1"}, {"event", transition_document(transition, clocks)}};
}

json error_document(const std::string& sentence) { return {{"schema", "vipd.error/1"}, {"error", sentence}}; }

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
