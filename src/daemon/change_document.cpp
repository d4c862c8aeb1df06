#include "vipd/daemon/change_document.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd {
namespace {

/// What changes in an instance: "priority 254 -> 200", "joins group edge".
std::vector<std::string> news_of(const InstanceChange& change) {
  std::vector<std::string> news;
  if (change.fate == Fate::changed || change.fate == Fate::restarted)
    for (const KeyChange& key : change.keys)
      news.push_back(std::string(key.key) + " " + (key.before.empty() ? "unset" : key.before) + " -> " +
                     (key.after.empty() ? "unset" : key.after));
  if (!change.leaves.empty()) news.push_back("leaves group " + change.leaves);
  if (!change.joins.empty()) news.push_back("joins group " + change.joins);
  return news;
}

/// A change as a line: "web: changed: priority 254 -> 200", "web: joins group edge".
std::string line_of(const InstanceChange& change) {
  const bool only_moves = change.fate == Fate::changed && change.keys.empty();
  std::string line = change.name + (only_moves ? "" : ": " + std::string(to_string(change.fate)));
  const char* before = ": ";
  for (const std::string& news : news_of(change)) line += std::exchange(before, ", ") + news;
  return line;
}

Effect effect_on(const std::string& would, const std::string& does, const IpAddress& peer) {
  return {would + " " + peer.to_string(), does + " " + peer.to_string()};
}

/// The effect of another priority, judged by the peers that have been heard.
Effect effect_of_priority(const VirtualRouter& router, int priority) {
  if (router.election().state() == State::active) {
    const auto rival = std::ranges::max_element(router.peers().peers(), {}, &SeenPeer::priority);
    const bool loses = rival != router.peers().peers().end() && rival->priority > priority;
    return loses ? effect_on("would hand over to", "hands over to", rival->address) : Effect{};
  }
  const auto& peer = router.election().active_peer();
  const bool wins = peer && peer->priority != kResignPriority && priority > peer->priority && router.config().preempt;
  return wins ? effect_on("would take over from", "takes over from", peer->address) : Effect{};
}

/// The effect of a change on the addresses.
Effect effect_of(const InstanceChange& change, const VirtualRouter* router) {
  if (router == nullptr) return {};
  const bool active = router->election().state() == State::active;
  if (change.fate == Fate::removed)
    return active ? Effect{"would send priority 0 and hand over", "sends priority 0 and hands over"} : Effect{};
  if (change.fate == Fate::restarted)
    return active ? Effect{"would send priority 0, hand over and start anew",
                           "sends priority 0, hands over and starts anew"}
                  : Effect{};
  const auto priority = std::ranges::find(change.keys, "priority", &KeyChange::key);
  return priority == change.keys.end() ? Effect{} : effect_of_priority(*router, std::stoi(priority->after));
}

Json keys_of(const std::vector<KeyChange>& keys) {
  Json list = Json::array();
  for (const KeyChange& key : keys) list.push_back({{"key", key.key}, {"before", key.before}, {"after", key.after}});
  return list;
}

/// A change as JSON. `what` is "instance", "sync_group", "check" or "table"; `prefix` begins the line.
Json change_document(const char* what, const InstanceChange& change, const char* prefix) {
  return {{what, change.name},
          {"change", to_string(change.fate)},
          {"effect", nullptr},
          {"keys", keys_of(change.keys)},
          {"text", prefix + line_of(change)}};
}

}  // namespace

Json diagnostics_of(const LoadedConfig& loaded) {
  Json list = Json::array();
  for (const Diagnostic& one : loaded.diagnostics)
    list.push_back({{"severity", one.severity == Severity::error ? "error" : "warning"},
                    {"kind", one.kind},
                    {"file", loaded.sources[static_cast<std::size_t>(one.file)].name},
                    {"line", one.line},
                    {"column", one.column},
                    {"message", one.message},
                    {"hint", one.hint}});
  return list;
}

Json document_of(const Plan& changes) {
  Json list = Json::array();
  if (!changes.node.empty()) list.push_back(change_document("table", {Fate::changed, "node", changes.node}, ""));
  for (const InstanceChange& change : changes.instances) list.push_back(change_document("instance", change, ""));
  for (const InstanceChange& change : changes.sync_groups)
    list.push_back(change_document("sync_group", change, "group "));
  for (const InstanceChange& change : changes.checks) list.push_back(change_document("check", change, "check "));
  return list;
}

Json with_effects(Json list, const Plan& changes, const Supervisor& supervisor, std::string Effect::* words) {
  std::map<std::string_view, const VirtualRouter*> routers;
  for (const auto& router : supervisor.routers())
    if (!router->stopping()) routers.emplace(router->config().name, router.get());
  std::size_t at = changes.node.empty() ? 0 : 1;
  for (const InstanceChange& change : changes.instances) {
    Json& document = list[at++];
    const auto router = routers.find(change.name);
    const std::string effect = effect_of(change, router == routers.end() ? nullptr : router->second).*words;
    if (effect.empty()) continue;
    document["effect"] = effect;
    document["text"] = document["text"].get<std::string>() + ": " + effect;
  }
  return list;
}

}  // namespace vipd
