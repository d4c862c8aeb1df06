#include "vipd/config/checks.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

#include "vipd/config/entry_checks.hpp"

namespace vipd {

namespace {

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

/// RFC 9568 5.2.9: the first address of an IPv6 virtual router is link-local; hosts use it as their router.
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

/// Checks the name of the interface. The daemon finds out what kind of interface the machine has.
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

/// Warns of a preempt_delay without effect: the node does not preempt.
void check_preempt_delay(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  if (config.preempt_delay == Duration::zero() || config.preempt) return;
  report.error("conflict", place_of(instance, "preempt_delay"), "\"preempt_delay\" has no effect with preempt = false",
               "remove one of them");
}

/// RFC 3768 5.3.7: VRRPv2 has whole seconds in one octet. RFC 9568 5.2.7: VRRPv3 has centiseconds in twelve bits.
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

/// RFC 3768 10 removed passwords from VRRP, since everybody on the segment can read them.
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

/// Why an address can be neither source nor destination of the adverts of this instance; "" if it can.
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
    if (address.is_unspecified()) continue;  // it was refused before
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

/// Interface, family and VRID identify a virtual router (RFC 9568 1.6).
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

/// The scope in which an address is unique: the interface for a link-local address, everywhere for others.
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

}  // namespace

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
    check_entries(instance, report);
  }
  check_vrids(instances, report);
  check_addresses_between(instances, report);
  check_routing_between(instances, report);
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
