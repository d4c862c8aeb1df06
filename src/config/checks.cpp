#include "vipd/config/checks.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

#include "vipd/config/schema.hpp"

namespace vipd {

namespace {

/// Where `key` of an entry is written; the whole entry if it stands there as a string.
const Place& entry_place(const TomlNode& entry, std::string_view key) {
  const TomlNode* node = entry.find(key);
  return node != nullptr ? node->place : entry.place;
}

/// What stands for `key`; the instance has it.
const Place& place_of(const PlacedInstance& instance, std::string_view key) { return instance.table->find(key)->place; }

const Place& address_place(const PlacedInstance& instance, std::size_t index) {
  return entry_place(instance.table->entry("addresses", index), "address");
}

/// An entry that was refused before, see read_value().
bool is_refused(const VirtualAddress& entry) { return entry.prefix.address.is_unspecified(); }

/// Is the family known, i.e. was the first address accepted?
bool has_family(const InstanceConfig& config) {
  return !config.addresses.empty() && !is_refused(config.addresses.front());
}

std::string_view display_name(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

void check_duplicates_within(const PlacedInstance& instance, Report& report) {
  std::map<IpAddress, std::size_t> seen;
  for (std::size_t i = 0; i < instance.config.addresses.size(); ++i) {
    const VirtualAddress& entry = instance.config.addresses[i];
    if (is_refused(entry)) continue;
    const auto [first, is_new] = seen.emplace(entry.prefix.address, i);
    if (is_new) continue;
    const Place& other = address_place(instance, first->second);
    report.error("address", address_place(instance, i),
                 "virtual address " + entry.prefix.address.to_string() + " is listed twice; first at line " +
                     std::to_string(other.line) + " column " + std::to_string(other.column),
                 "remove one of them", other);
  }
}

/// RFC 9568 5.2.9: the first address of an IPv6 virtual router is the link-local one, which hosts have as their router.
void check_link_local(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  if (!has_family(config) || config.family() == Family::ipv4) return;
  const auto first = std::ranges::find_if(config.addresses, [&](const VirtualAddress& entry) {
    return entry.advertised && entry.prefix.address.family() == Family::ipv6;
  });
  if (first == config.addresses.end() || is_refused(*first) || first->prefix.address.is_link_local()) return;
  report.error("address", address_place(instance, static_cast<std::size_t>(first - config.addresses.begin())),
               "the first IPv6 virtual address must be link-local (RFC 9568 5.2.9)", "add \"fe80::10/64\" first");
}

/// What is only of another kind on this machine, the daemon finds out.
void check_interface(const PlacedInstance& instance, Report& report) {
  if (instance.config.interface == "lo")
    report.error("conflict", place_of(instance, "interface"),
                 "\"interface\" is the loopback, where no other node can be heard",
                 "write the interface that the nodes have in common; the addresses may be on \"lo\": "
                 "{address = \"192.0.2.10/32\", interface = \"lo\"}");
}

void check_owner(const PlacedInstance& instance, Report& report) {
  if (instance.config.priority != kOwnerPriority || instance.config.preempt) return;
  report.error("owner", place_of(instance, "preempt"),
               "preempt = false has no effect with priority 255: the owner always preempts (RFC 9568 6.1)",
               "use priority = 254");
}

/// Nothing is preempted by a node that does not preempt.
void check_preempt_delay(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  if (config.preempt_delay == Duration::zero() || config.preempt) return;
  report.error("conflict", place_of(instance, "preempt_delay"), "\"preempt_delay\" has no effect with preempt = false",
               "remove one of them");
}

/// RFC 3768 5.3.7: VRRPv2 counts in whole seconds, in one octet. RFC 9568 5.2.7: VRRPv3 has twelve bits.
void check_interval(const PlacedInstance& instance, Report& report) {
  const Duration interval = instance.config.advert_interval;
  const auto in_ms = std::chrono::duration_cast<std::chrono::milliseconds>(interval).count();
  if (instance.config.version == 2 && interval % std::chrono::seconds(1) != Duration::zero())
    report.error("version", place_of(instance, "advert_interval"),
                 "VRRPv2 carries whole seconds; " + std::to_string(in_ms) + " ms needs version = 3",
                 "all nodes of a group speak one version; both at once (RFC 9568 8.4) are not offered");
  if (instance.config.version == 3 && interval > std::chrono::milliseconds(40'950))
    report.error(
        "range", place_of(instance, "advert_interval"),
        "\"advert_interval\" must be 10ms..40.95s with version = 3, got " + in_quotes(format_duration(interval)));
}

void check_version(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  check_interval(instance, report);
  if (config.version == 3) return;
  if (has_family(config) && config.family() == Family::ipv6)
    report.error("version", place_of(instance, "version"), "VRRPv2 knows IPv4 only (RFC 3768)", "use version = 3");
  for (const char* key : {"ipv4_checksum", "max_adopted_interval"})
    if (instance.table->find(key) != nullptr)
      report.error("conflict", place_of(instance, key), in_quotes(key) + " has no effect with version = 2",
                   "remove one of them");
}

/// RFC 3768 10 took passwords out of VRRP: everybody on the segment can read them.
void check_auth(const PlacedInstance& instance, Report& report) {
  if (instance.config.auth_legacy.empty()) return;
  if (instance.config.version == 3)
    report.error("auth", place_of(instance, "auth_legacy"),
                 "VRRPv3 has no passwords; \"auth_legacy\" is for version = 2", "remove it");
  else
    report.warning("auth", place_of(instance, "auth_legacy"),
                   "everybody on the network can read this password: it keeps out mistakes, not attackers",
                   "use it only while nodes that ask for it are being replaced");
}

/// Why an address cannot be where the adverts of this instance come from or go to, or nothing.
std::string why_not_ours(const InstanceConfig& config, const IpAddress& address) {
  if (address.family() == config.family()) return "";
  return address.to_string() + " is not an address of " + std::string(display_name(config.family())) +
         ", which this instance speaks (its first address decides)";
}

void check_source(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  if (!config.source || !has_family(config)) return;
  const Place& place = place_of(instance, "source");
  if (const std::string why = why_not_ours(config, *config.source); !why.empty()) {
    report.error("address", place, why);
  } else if (config.is_virtual(*config.source) && config.priority != kOwnerPriority) {
    report.error("address", place, "adverts cannot come from a virtual address (RFC 9568 5.1.1.1)");
  } else if (config.family() == Family::ipv6 && config.peers.empty() && !config.source->is_link_local()) {
    report.error("address", place, "adverts to the IPv6 group come from a link-local address (RFC 9568 5.1.2.1)",
                 "remove it, or list the other nodes as \"peers\"");
  }
}

void check_peers(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  if (!has_family(config)) return;
  std::set<IpAddress> virtual_ones, earlier;
  for (const VirtualAddress& each : config.addresses) virtual_ones.insert(each.prefix.address);
  for (std::size_t i = 0; i < config.peers.size(); ++i) {
    const IpAddress& address = config.peers[i].address;
    if (address.is_unspecified()) continue;  // refused before
    const auto complain = [&](const std::string& why) {
      report.error("address", instance.table->entry("peers", i).place, why);
    };
    const bool is_new = earlier.insert(address).second;
    if (const std::string why = why_not_ours(config, address); !why.empty())
      complain(why);
    else if (address == config.source)
      complain("peer " + address.to_string() + " is this node's own source");
    else if (virtual_ones.contains(address))
      complain("peer " + address.to_string() + " is a virtual address");
    else if (!is_new)
      complain("peer " + address.to_string() + " is listed twice");
  }
}

/// Each virtual router is one interface, family and VRID (RFC 9568 1.6).
void check_vrids(std::span<const PlacedInstance> instances, Report& report) {
  std::map<std::tuple<std::string, Family, int>, const PlacedInstance*> seen;
  for (const PlacedInstance& instance : instances) {
    const InstanceConfig& config = instance.config;
    if (!has_family(config) || config.vrid == 0 || config.interface.empty()) continue;
    const auto [first, is_new] = seen.emplace(std::tuple(config.interface, config.family(), config.vrid), &instance);
    if (is_new) continue;
    const InstanceConfig& other = first->second->config;
    const Place &place = place_of(instance, "vrid"), &other_place = place_of(*first->second, "vrid");
    report.error("conflict", place,
                 "vrid " + std::to_string(config.vrid) + " is already used on " + config.interface + " for " +
                     std::string(display_name(config.family())) + " by instance " + in_quotes(other.name) + " (" +
                     report.where(other_place, place) + ")",
                 "each instance on an interface needs a vrid of its own", other_place);
  }
}

/// Where an entry of the instance lives.
const std::string& interface_of(const InstanceConfig& config, const std::string& own) {
  return own.empty() ? config.interface : own;
}

/// Without its own interface no instance can do anything. A key that nobody knows may be meant to name another one.
void check_tracking(const InstanceConfig& config, bool tracked, const std::string& interface, const TomlNode& node,
                    Report& report) {
  const auto is_known = [](const TomlNode& key) { return find_key("address", key.key) || find_key("route", key.key); };
  if (!std::ranges::all_of(node.children, is_known)) return;
  if (!tracked && interface_of(config, interface) == config.interface)
    report.error("conflict", entry_place(node, "track"),
                 "track = false has no effect on " + in_quotes(config.interface) + ", the instance's own interface",
                 "remove it");
}

/// What only one of the families can do.
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

/// The destination of a route was accepted: an unspecified one is a default route or was refused.
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

/// One route or rule in two entries would be removed by the one while the other needs it.
template <typename Key>
void check_twice(std::map<Key, Place>& seen, const Key& key, const Place& place, const std::string& what,
                 Report& report) {
  const auto [first, is_new] = seen.emplace(key, place);
  if (!is_new)
    report.error("conflict", place, what + " is listed twice; first at " + report.where(first->second, place),
                 "remove one of them", first->second);
}

void check_routing_between(std::span<const PlacedInstance> instances, Report& report) {
  std::map<std::tuple<IpPrefix, std::uint32_t, std::uint32_t>, Place> routes;  // as the kernel tells them apart
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

/// A link-local address means something else on each interface; others are the same everywhere.
std::string scope_of(const InstanceConfig& config, const VirtualAddress& entry) {
  return entry.prefix.address.is_link_local() ? interface_of(config, entry.interface) : "";
}

void check_addresses_between(std::span<const PlacedInstance> instances, Report& report) {
  std::map<std::tuple<std::string, IpAddress>, std::tuple<const PlacedInstance*, std::size_t>> seen;
  for (const PlacedInstance& instance : instances) {
    for (std::size_t i = 0; i < instance.config.addresses.size(); ++i) {
      const VirtualAddress& entry = instance.config.addresses[i];
      const IpAddress& address = entry.prefix.address;
      if (address.is_unspecified()) continue;
      const auto [first, is_new] =
          seen.emplace(std::tuple(scope_of(instance.config, entry), address), std::tuple(&instance, i));
      const auto [other, index] = first->second;
      if (is_new || other == &instance) continue;
      const Place& place = address_place(instance, i);
      const Place& other_place = address_place(*other, index);
      report.error("conflict", place,
                   "virtual address " + address.to_string() + " is also in instance " + in_quotes(other->config.name) +
                       " (" + report.where(other_place, place) + ")",
                   "an address belongs to one instance", other_place);
    }
  }
}

/// Where entry `index` of a group's instances is written.
const Place& member_place(const PlacedGroup& group, std::size_t index) {
  return group.table->entry("instances", index).place;
}

/// Entry `index` of `group` was entry `first_index` of `first` before.
void refuse_second_mention(const PlacedGroup& group, std::size_t index, const PlacedGroup& first,
                           std::size_t first_index, Report& report) {
  const Place &place = member_place(group, index), &other_place = member_place(first, first_index);
  const bool same = &first == &group;
  const std::string where = same ? " is listed twice" : " is also in sync group " + in_quotes(first.config.name);
  report.error(
      "conflict", place,
      "instance " + in_quotes(group.config.instances[index]) + where + " (" + report.where(other_place, place) + ")",
      same ? "remove one of them" : "an instance belongs to one group", other_place);
}

}  // namespace

void check_members(std::span<const PlacedGroup> groups, Report& report) {
  std::map<std::string, std::tuple<const PlacedGroup*, std::size_t>> seen;
  for (const PlacedGroup& group : groups) {
    const std::vector<std::string>& members = group.config.instances;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].empty()) continue;  // refused before
      const auto [first, is_new] = seen.emplace(members[i], std::tuple(&group, i));
      const auto [other, index] = first->second;
      if (!is_new) refuse_second_mention(group, i, *other, index, report);
    }
    if (members.size() == 1)
      report.warning("conflict", member_place(group, 0),
                     "a sync group of one instance does no more than the instance alone", "list the others");
  }
}

void check_group_priorities(std::span<const PlacedGroup> groups, std::span<const PlacedInstance> instances,
                            Report& report) {
  for (const PlacedGroup& group : groups) {
    const auto is_member = [&](const PlacedInstance& one) { return one.config.sync_group == group.config.name; };
    const auto priority = [](const PlacedInstance& one) { return one.config.priority; };
    auto members = instances | std::views::filter(is_member);
    if (members.empty()) continue;
    const PlacedInstance& lowest = *std::ranges::min_element(members, {}, priority);
    if (priority(*std::ranges::max_element(members, {}, priority)) == priority(lowest)) continue;
    report.warning("conflict", member_place(group, 0),
                   "the instances of a sync group share one priority, the lowest: " + std::to_string(priority(lowest)) +
                       " of " + in_quotes(lowest.config.name),
                   "write that priority for all of them");
  }
}

void check_instances(std::span<const PlacedInstance> instances, Report& report) {
  for (const PlacedInstance& instance : instances) {
    check_interface(instance, report);
    check_duplicates_within(instance, report);
    check_link_local(instance, report);
    check_owner(instance, report);
    check_preempt_delay(instance, report);
    check_version(instance, report);
    check_auth(instance, report);
    check_source(instance, report);
    check_peers(instance, report);
    check_address_options(instance, report);
    check_routes(instance, report);
    check_rules(instance, report);
  }
  check_vrids(instances, report);
  check_addresses_between(instances, report);
  check_routing_between(instances, report);
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

void choose_advertised(PlacedInstance& instance, Report& report) {
  if (!has_family(instance.config)) return;
  const Family family = instance.config.family();
  const std::size_t limit = max_advertised(family);
  std::size_t advertised = 0, left_over = 0;
  for (std::size_t i = 0; i < instance.config.addresses.size(); ++i) {
    VirtualAddress& entry = instance.config.addresses[i];
    const bool is_ours = entry.prefix.address.family() == family && entry.advertised;
    entry.advertised = is_ours && advertised < limit;
    if (entry.advertised) ++advertised;
    if (!is_ours || entry.advertised || left_over++ > 0) continue;
    report.warning("address", address_place(instance, i),
                   "an advert lists at most " + std::to_string(limit) + " " + std::string(display_name(family)) +
                       " addresses; from this one on they are held but not listed");
  }
  if (advertised == 0)
    report.error("address", address_place(instance, 0),
                 "no " + std::string(display_name(family)) + " address of this instance is in its adverts",
                 "one of them needs advertise = true");
}

}  // namespace vipd
