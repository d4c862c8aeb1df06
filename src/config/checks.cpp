#include "vipd/config/checks.hpp"

#include <map>
#include <tuple>

namespace vipd {

namespace {

/// Where entry `index` of an instance's addresses is written.
const Place& address_place(const PlacedInstance& instance, std::size_t index) {
  return instance.table->find("addresses")->children[index].place;
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
  if (config.addresses.front().prefix.address.is_link_local()) return;
  report.error("address", address_place(instance, 0),
               "the first IPv6 virtual address must be link-local (RFC 9568 5.2.9)", "add \"fe80::10/64\" first");
}

void check_owner(const PlacedInstance& instance, Report& report) {
  if (instance.config.priority != kOwnerPriority || instance.config.preempt) return;
  report.error("owner", instance.table->find("preempt")->place,
               "preempt = false has no effect with priority 255: the owner always preempts (RFC 9568 6.1)",
               "use priority = 254");
}

/// Nothing is preempted by a node that does not preempt.
void check_preempt_delay(const PlacedInstance& instance, Report& report) {
  const InstanceConfig& config = instance.config;
  if (config.preempt_delay == Duration::zero() || config.preempt) return;
  report.error("conflict", instance.table->find("preempt_delay")->place,
               "\"preempt_delay\" has no effect with preempt = false", "remove one of them");
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
    const Place& place = instance.table->find("vrid")->place;
    const Place& other_place = first->second->table->find("vrid")->place;
    report.error("conflict", place,
                 "vrid " + std::to_string(config.vrid) + " is already used on " + config.interface + " for " +
                     std::string(display_name(config.family())) + " by instance " + in_quotes(other.name) + " (" +
                     report.where(other_place, place) + ")",
                 "each instance on an interface needs a vrid of its own", other_place);
  }
}

/// A link-local address means something else on each interface; others are the same everywhere.
std::string scope_of(const InstanceConfig& config, const IpAddress& address) {
  return address.is_link_local() ? config.interface : "";
}

void check_addresses_between(std::span<const PlacedInstance> instances, Report& report) {
  std::map<std::tuple<std::string, IpAddress>, std::tuple<const PlacedInstance*, std::size_t>> seen;
  for (const PlacedInstance& instance : instances) {
    for (std::size_t i = 0; i < instance.config.addresses.size(); ++i) {
      const IpAddress& address = instance.config.addresses[i].prefix.address;
      if (address.is_unspecified()) continue;
      const auto [first, is_new] =
          seen.emplace(std::tuple(scope_of(instance.config, address), address), std::tuple(&instance, i));
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
    check_duplicates_within(instance, report);
    check_link_local(instance, report);
    check_owner(instance, report);
    check_preempt_delay(instance, report);
  }
  check_vrids(instances, report);
  check_addresses_between(instances, report);
}

void choose_advertised(PlacedInstance& instance, Report& report) {
  if (!has_family(instance.config)) return;
  const Family family = instance.config.family();
  const std::size_t limit = max_advertised(family);
  std::size_t advertised = 0, left_over = 0;
  for (std::size_t i = 0; i < instance.config.addresses.size(); ++i) {
    VirtualAddress& entry = instance.config.addresses[i];
    const bool is_ours = entry.prefix.address.family() == family;
    entry.advertised = is_ours && advertised < limit;
    if (entry.advertised) ++advertised;
    if (!is_ours || entry.advertised || left_over++ > 0) continue;
    report.warning("address", address_place(instance, i),
                   "an advert lists at most " + std::to_string(limit) + " " + std::string(display_name(family)) +
                       " addresses; from this one on they are held but not listed");
  }
}

}  // namespace vipd
