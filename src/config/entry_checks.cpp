#include "vipd/config/entry_checks.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "vipd/config/checks.hpp"
#include "vipd/config/schema.hpp"

namespace vipd {
namespace {

/// An entry on the interface of the instance is always tracked. A misspelt key may have named another interface.
void check_tracking(const InstanceConfig& config, bool tracked, const std::string& interface, const TomlNode& node,
                    Report& report) {
  const auto is_known = [](const TomlNode& key) { return find_key("address", key.key) || find_key("route", key.key); };
  if (!std::ranges::all_of(node.children, is_known)) return;
  if (!tracked && interface_of(config, interface) == config.interface)
    report.error("conflict", entry_place(node, "track"),
                 "track = false has no effect on " + in_quotes(config.interface) + ", the instance's own interface",
                 "remove it");
}

/// Reports options that the other family does not have.
void check_address_options(const PlacedInstance& instance, Report& report) {
  for (std::size_t i = 0; i < instance.config.addresses.size(); ++i) {
    const VirtualAddress& entry = instance.config.addresses[i];
    if (is_refused(entry)) continue;
    const TomlNode& node = instance.table->entry("addresses", i);
    const bool is_ipv4 = entry.prefix.address.family() == Family::ipv4;
    const std::string& interface = interface_of(instance.config, entry.interface);
    for (const std::string_view key : {"interface", "label", "scope", "peer", "nodad", "preferred_lifetime", "track"})
      if (!entry.assigned && node.find(key) != nullptr)
        report.error("conflict", entry_place(node, key), in_quotes(key) + " has no effect with assign = false",
                     "remove it");
    if (!entry.assigned) continue;
    check_tracking(instance.config, entry.tracked, entry.interface, node, report);
    for (const std::string_view key : {"label", "scope"})
      if (!is_ipv4 && node.find(key) != nullptr)
        report.error("conflict", entry_place(node, key), "an IPv6 address has no " + in_quotes(key), "remove it");
    for (const std::string_view key : {"nodad", "preferred_lifetime"})
      if (is_ipv4 && node.find(key) != nullptr)
        report.error("conflict", entry_place(node, key), in_quotes(key) + " has no effect on an IPv4 address",
                     "remove it");
    if (is_ipv4 && !entry.label.empty() && !entry.label.starts_with(interface)) {
      const TomlNode* named = (entry.interface.empty() ? *instance.table : node).find("interface");
      report.error(
          "name", entry_place(node, "label"),
          "the label " + in_quotes(entry.label) + " must begin with the name of the interface, " + in_quotes(interface),
          "write " + in_quotes(interface + ":vip"), named != nullptr ? std::optional(named->place) : std::nullopt);
    }
    if (entry.peer && entry.peer->family() != entry.prefix.address.family())
      report.error("address", entry_place(node, "peer"),
                   entry.peer->to_string() + " is of another family than " + entry.prefix.address.to_string());
  }
}

/// True if the destination of a route was accepted. An unspecified one is a default route or was refused.
bool has_destination(const RouteObject& route, const TomlNode& node) {
  const TomlNode* to = node.find("to");
  return to != nullptr && (route.to.length > 0 || to->text == "default" || to->text.ends_with("/0"));
}

void check_routes(const PlacedInstance& instance, Report& report) {
  for (std::size_t i = 0; i < instance.config.routes.size(); ++i) {
    const VirtualRoute& route = instance.config.routes[i];
    const TomlNode& node = instance.table->entry("routes", i);
    if (!has_destination(route, node)) continue;
    const auto check_family = [&](const std::optional<IpAddress>& address, std::string_view key) {
      if (address && address->family() != route.to.address.family())
        report.error("address", entry_place(node, key),
                     address->to_string() + " is of another family than " + node.find("to")->text);
    };
    check_family(route.via, "via");
    check_family(route.source, "source");
    if (route.type == RouteType::unicast) check_tracking(instance.config, route.tracked, route.interface, node, report);
    for (const std::string_view key : {"via", "interface", "source", "track"})
      if (route.type != RouteType::unicast && node.find(key) != nullptr)
        report.error("conflict", entry_place(node, key),
                     "a route of type " + in_quotes(node.find("type")->text) + " leads nowhere; " + in_quotes(key) +
                         " has no effect",
                     "remove it");
  }
}

void check_rules(const PlacedInstance& instance, Report& report) {
  for (std::size_t i = 0; i < instance.config.rules.size(); ++i) {
    const RuleObject& rule = instance.config.rules[i];
    const TomlNode& node = instance.table->entry("rules", i);
    if (node.type != TomlType::table) continue;
    if (node.find("from") == nullptr && node.find("to") == nullptr)
      report.error("missing-key", node.place, "a rule needs \"from\" or \"to\": it would catch every packet",
                   "write from = \"192.0.2.10/32\"");
    for (const auto& [key, network] : {std::pair("from", &rule.from), std::pair("to", &rule.to)})
      if (*network && (*network)->length == 0)
        report.error("address", entry_place(node, key), "a rule with " + (*network)->to_string() + " says nothing",
                     "leave the key out");
    if (rule.from && rule.to && rule.from->address.family() != rule.to->address.family())
      report.error("address", entry_place(node, "to"),
                   rule.to->to_string() + " is of another family than " + rule.from->to_string());
  }
}

/// Reports a route or rule in two entries: one instance would remove it while the other needs it.
template <typename Key>
void check_twice(std::map<Key, Place>& seen, const Key& key, const Place& place, const std::string& what,
                 Report& report) {
  const auto [first, is_new] = seen.emplace(key, place);
  if (!is_new)
    report.error("conflict", place, what + " is listed twice; first at " + report.where(first->second, place),
                 "remove one of them", first->second);
}

}  // namespace

void check_entries(const PlacedInstance& instance, Report& report) {
  check_address_options(instance, report);
  check_routes(instance, report);
  check_rules(instance, report);
}

void check_routing_between(std::span<const PlacedInstance> instances, Report& report) {
  std::map<std::tuple<IpPrefix, std::uint32_t, std::uint32_t>, Place> routes;  // as the kernel identifies them
  std::map<RuleObject, Place> rules;
  for (const PlacedInstance& instance : instances) {
    for (std::size_t i = 0; i < instance.config.routes.size(); ++i) {
      const RouteObject& route = instance.config.routes[i];
      const TomlNode& node = instance.table->entry("routes", i);
      if (has_destination(route, node))
        check_twice(routes, {route.to, route.table, route.metric}, node.find("to")->place, "route " + to_string(route),
                    report);
    }
    for (std::size_t i = 0; i < instance.config.rules.size(); ++i) {
      const RuleObject& rule = instance.config.rules[i];
      if (rule.from || rule.to)
        check_twice(rules, rule, instance.table->entry("rules", i).place, "rule " + to_string(rule), report);
    }
  }
}

void choose_family_of_routes(PlacedInstance& instance) {
  for (std::size_t i = 0; i < instance.config.routes.size(); ++i) {
    RouteObject& route = instance.config.routes[i];
    const TomlNode* to = instance.table->entry("routes", i).find("to");
    if (to == nullptr || to->text != "default") continue;
    const auto& named = route.via ? route.via : route.source;
    const bool is_ipv6 = named ? named->family() == Family::ipv6
                               : has_family(instance.config) && instance.config.family() == Family::ipv6;
    if (is_ipv6) route.to.address = *IpAddress::parse("::");
  }
}

}  // namespace vipd
