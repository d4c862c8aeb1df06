#include "scenario.hpp"

#include <algorithm>
#include <array>

namespace vipd::sim {
namespace {

constexpr std::array<std::string_view, kFaultKinds> kNames = {"crash",
                                                              "power_loss",
                                                              "stop",
                                                              "start",
                                                              "restart",
                                                              "reexec",
                                                              "pause",
                                                              "cut",
                                                              "cut_one_way",
                                                              "join",
                                                              "loss",
                                                              "duplication",
                                                              "lateness",
                                                              "corruption",
                                                              "loop",
                                                              "foreign_speaker",
                                                              "attack",
                                                              "garbage",
                                                              "link_down",
                                                              "interface_gone",
                                                              "source_gone",
                                                              "source_added",
                                                              "address_deleted",
                                                              "address_added",
                                                              "kernel_refuses",
                                                              "kernel_keeps",
                                                              "kernel_misreports",
                                                              "kernel_slow",
                                                              "send_errors",
                                                              "hook_trouble",
                                                              "check_trouble",
                                                              "disk_full",
                                                              "clock_set",
                                                              "reload",
                                                              "bad_reload",
                                                              "strangers",
                                                              "isolated",
                                                              "forgotten",
                                                              "second_down",
                                                              "narrow_mtu",
                                                              "swapped",
                                                              "enslaved"};
constexpr std::array<std::string_view, kTraits> kTraitNames = {
    "strangers", "partition", "false_takeover", "neighbours",     "second_interface", "sending",
    "deaf",      "many",      "grouping",       "macvlan_parent", "duplicates"};

VirtualAddress address(const char* text, std::uint8_t length) {
  return {{.prefix = {*IpAddress::parse(text), length}}};
}

/// Draws the settings that all nodes of a cluster share.
InstanceConfig draw_instance(Dice& dice) {
  InstanceConfig instance = web_instance(100);
  instance.advert_interval = dice.pick<Duration>({seconds(1), seconds(1), seconds(1), seconds(1), seconds(1),
                                                  seconds(1), seconds(2), milliseconds(250), milliseconds(100)});
  if (dice.one_in(6)) {
    instance.addresses = {address("fe80::100", 64), address("2001:db8::10", 64)};
  } else if (dice.one_in(6)) {
    instance.version = 2;
    instance.advert_interval = seconds(1 + dice.below(2));
    if (dice.one_in(3)) instance.auth_legacy = "secret";
  }
  if (dice.one_in(4)) instance.addresses.push_back(address("192.0.2.11", 24));
  if (instance.family() == Family::ipv6)
    instance.addresses.back().advertised = instance.addresses.back().prefix.address.family() == Family::ipv6;
  instance.preempt = !dice.one_in(4);
  if (dice.one_in(8)) instance.preempt_delay = dice.between(milliseconds(10), seconds(10));
  if (dice.one_in(8)) instance.startup_delay = dice.between(milliseconds(10), seconds(10));
  if (dice.one_in(8)) instance.link_hold = dice.between(milliseconds(10), seconds(5));
  if (dice.one_in(10)) {
    instance.flap_limit = static_cast<unsigned>(1 + dice.below(4));
    instance.flap_window = seconds(10 + dice.below(20));
  }
  if (dice.one_in(6)) instance.accept = false;
  if (dice.one_in(6)) instance.virtual_mac = true;
  if (dice.one_in(6))
    instance.routes = {VirtualRoute{{.to = {*IpAddress::parse("198.18.0.0"), 15}, .interface = "eth0", .table = 10}}};
  if (dice.one_in(6))
    instance.rules = {{.from = IpPrefix{*IpAddress::parse("192.0.2.10"), 32}, .table = 10, .priority = 100}};
  if (dice.one_in(5)) instance.hooks.before_active = {"/promote"};
  if (dice.one_in(5)) instance.hooks.before_release = {"/drain"};
  if (dice.one_in(3)) instance.hooks.before_active_failure = HookFailure::resign;
  if (dice.one_in(4)) instance.hooks.reassert = {"/assert"};
  if (dice.one_in(4)) instance.hooks.active = {"/active"};
  instance.hooks.timeout = seconds(5);
  return instance;
}

CheckConfig draw_check(Dice& dice) {
  CheckConfig check;
  check.name = "service";
  check.kind = CommandCheck{{"/check"}};
  check.rules.interval = seconds(1 + dice.below(3));
  check.rules.rise = static_cast<unsigned>(1 + dice.below(3));
  check.rules.fall = static_cast<unsigned>(1 + dice.below(3));
  using Effect = OnFail::Effect;
  check.rules.on_fail.effect = dice.pick({Effect::yield, Effect::yield, Effect::fault, Effect::weight});
  if (check.rules.on_fail.effect == Effect::weight) check.rules.on_fail.weight = dice.pick({-100, -20, 30});
  return check;
}

/// Makes a sync group of instances, each on a network of its own.
void make_group(Config& config) {
  InstanceConfig second = config.instances.front();
  second.name = "wan";
  second.interface = "eth1";
  for (auto& each : second.addresses) {
    const bool ipv4 = each.prefix.address.family() == Family::ipv4;
    const std::string host = std::to_string(each.prefix.address.octets().back());
    each.prefix.address = *IpAddress::parse((ipv4                                  ? "198.51.100."
                                             : each.prefix.address.is_link_local() ? "fe80::1:"
                                                                                   : "2001:db8:1::") +
                                            host);
  }
  second.routes.clear();
  second.rules.clear();
  second.checks.clear();
  config.instances.push_back(second);
  config.sync_groups = {{.name = "edge", .instances = {"web", "wan"}, .hooks = {}}};
  config.sync_groups[0].hooks.any = {"/group"};
  config.sync_groups[0].hooks.timeout = second.hooks.timeout;
  for (auto& instance : config.instances) instance.sync_group = "edge";
}

void speak_unicast(Config& config, std::size_t self, std::size_t nodes) {
  for (auto& instance : config.instances)
    for (std::size_t i = 0; i < nodes; ++i)
      if (i != self)
        instance.peers.push_back({.address = own_address(lan_of(instance.interface), i, instance.family())});
}

/// Draws priorities, mostly different ones.
std::vector<std::uint8_t> draw_priorities(Dice& dice, std::size_t nodes) {
  std::vector<std::uint8_t> priorities;
  const bool equal = dice.one_in(12);
  while (priorities.size() < nodes) {
    const auto priority = static_cast<std::uint8_t>(dice.one_in(2) ? 254 - dice.below(12) : 2 + dice.below(253));
    if (equal || std::ranges::find(priorities, priority) == priorities.end()) priorities.push_back(priority);
  }
  if (equal) priorities[1] = priorities[0];
  return priorities;
}

/// One cluster in so many has the trait: slow traits are rare.
std::uint64_t rarity(Trait trait) {
  if (trait == Trait::many) return 64;
  return trait == Trait::neighbours || trait == Trait::grouping ? 8 : 4;
}

/// Draws traits, by dice of their own.
Traits draw_traits(std::uint64_t seed) {
  Dice dice(~seed);
  Traits drawn;
  for (std::size_t i = 0; i < kTraits; ++i) drawn[i] = dice.one_in(rarity(static_cast<Trait>(i)));
  return drawn;
}

/// The trait without which a fault of this kind changes nothing.
std::optional<Trait> needed_by(FaultKind kind) {
  switch (kind) {
    case FaultKind::strangers:
      return Trait::strangers;
    case FaultKind::isolated:
      return Trait::partition;
    case FaultKind::forgotten:
      return Trait::neighbours;
    case FaultKind::second_down:
      return Trait::second_interface;
    case FaultKind::narrow_mtu:
    case FaultKind::swapped:
    case FaultKind::enslaved:
      return Trait::deaf;
    default:
      return std::nullopt;
  }
}

bool is_ipv6(const InstanceConfig& config) { return config.family() == Family::ipv6; }

/// Configures unicast, where a returning node must not take the addresses of another node.
void suit_neighbours(std::vector<Config>& configs, Dice& dice) {
  const Duration interval = dice.pick<Duration>({milliseconds(100), milliseconds(250), seconds(1)});
  const bool preempt = dice.one_in(3);
  for (std::size_t i = 0; i < configs.size(); ++i) {
    for (auto& instance : configs[i].instances) {
      if (instance.priority == kOwnerPriority) instance.priority = 254;
      if (instance.version == 3) instance.advert_interval = interval;
      instance.preempt = preempt;
      instance.peers.clear();
    }
    speak_unicast(configs[i], i, configs.size());
  }
}

/// Puts an address or a route on the second interface: each alone needs it.
void suit_second_interface(InstanceConfig& config, bool by_route) {
  if (by_route) {
    config.routes.push_back({{.to = {*IpAddress::parse("198.18.0.0"), 15}, .interface = "eth2", .table = 20}});
    return;
  }
  config.addresses.push_back(address("203.0.113.10", 24));
  config.addresses.back().interface = "eth2";
  config.addresses.back().advertised = !is_ipv6(config);
}

/// Enables duplicate address detection; an IPv4 instance gets an IPv6 address. There must be no owner: it keeps its
/// addresses when it is stopped, and no other node could use them.
void suit_duplicates(Config& config) {
  for (InstanceConfig& instance : config.instances) {
    if (instance.priority == kOwnerPriority) instance.priority = 254;
    if (!is_ipv6(instance)) {
      instance.addresses.push_back(address(instance.name == "web" ? "2001:db8::10" : "2001:db8:1::10", 64));
      instance.addresses.back().advertised = false;
    }
    for (auto& each : instance.addresses) each.nodad = false;
  }
}

/// Keeps three nodes, which have only each other as peers.
void keep_three(std::vector<Config>& configs) {
  const bool unicast = !configs[0].instances[0].peers.empty();
  configs.resize(std::min<std::size_t>(configs.size(), 3));
  for (std::size_t i = 0; unicast && i < configs.size(); ++i) {
    for (InstanceConfig& instance : configs[i].instances) instance.peers.clear();
    speak_unicast(configs[i], i, configs.size());
  }
}

/// Adds more addresses than an AddressOwner adds at once, except for an owner. The other member of a group keeps its
/// own interval, which may be shorter.
void suit_many(Config& whole) {
  for (InstanceConfig& each : whole.instances) {
    each.virtual_mac = false;
    each.hooks.before_active.clear();
  }
  InstanceConfig& config = whole.instances[0];
  config.advert_interval = std::max<Duration>(config.advert_interval, seconds(1));
  for (int i = 0; i < 70 && config.priority != kOwnerPriority; ++i) {
    config.addresses.push_back(address(("10.1.0." + std::to_string(1 + i)).c_str(), 24));
    config.addresses.back().advertised = false;
  }
}

/// Adapts the configurations so that a trait has an effect.
void suit(std::vector<Config>& configs, const Scenario& scenario, Dice& dice) {
  if (scenario.has(Trait::many)) keep_three(configs);
  if (scenario.has(Trait::neighbours)) suit_neighbours(configs, dice);
  if (scenario.has(Trait::duplicates)) std::ranges::for_each(configs, suit_duplicates);
  const bool by_route = scenario.has(Trait::second_interface) && dice.one_in(2);
  const bool has_owner =
      std::ranges::any_of(configs, [](const Config& config) { return config.instances[0].priority == kOwnerPriority; });
  for (Config& config : configs) {
    const bool multicast = config.instances[0].peers.empty();
    if (scenario.has(Trait::grouping) && multicast && config.sync_groups.empty() && !has_owner) make_group(config);
    InstanceConfig& first = config.instances[0];
    if (scenario.has(Trait::second_interface) && first.priority != kOwnerPriority)
      suit_second_interface(first, by_route);
    if (scenario.has(Trait::many)) suit_many(config);
    const bool by_turns = scenario.has(Trait::many);  // a virtual MAC excludes it (decision 0016)
    if (scenario.has(Trait::macvlan_parent) && multicast && !by_turns) first.virtual_mac = true;
  }
}

std::vector<Config> draw_configs(Dice& dice) {
  const std::size_t nodes = dice.one_in(2) ? 3 : 2 + dice.below(6);
  Config common;
  common.instances = {draw_instance(dice)};
  if (dice.one_in(3)) {
    common.checks = {draw_check(dice)};
    common.instances.front().checks = {"service"};
  }
  if (dice.one_in(5)) make_group(common);
  const bool unicast = dice.one_in(5);
  const bool owner = !unicast && dice.one_in(15) && common.sync_groups.empty();
  std::vector<Config> configs;
  auto priorities = draw_priorities(dice, nodes);
  if (owner) priorities[0] = kOwnerPriority;
  for (std::size_t i = 0; i < nodes; ++i) {
    Config config = common;
    for (auto& instance : config.instances) instance.priority = priorities[i];
    if (unicast) speak_unicast(config, i, nodes);
    configs.push_back(config);
  }
  return configs;
}

/// Draws a pause of 1 ms to 120 s, each order of magnitude as likely.
Duration draw_pause(Dice& dice) {
  Duration longest = milliseconds(2);
  for (std::uint64_t doubled = dice.below(16); doubled > 0; --doubled) longest *= 2;
  return std::min<Duration>(dice.between(milliseconds(1), longest), seconds(120));
}

/// Draws the weight of each kind of fault: each cluster has another mixture.
std::array<unsigned, kFaultKinds> draw_weights(Dice& dice, const Scenario& scenario) {
  std::array<unsigned, kFaultKinds> weights{};
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    const auto trait = needed_by(static_cast<FaultKind>(i));
    if (!trait || scenario.has(*trait)) weights[i] = dice.pick({0U, 0U, 1U, 1U, 4U, 12U});
  }
  weights[static_cast<std::size_t>(FaultKind::start)] = 8;
  return weights;
}

FaultKind draw_kind(Dice& dice, const std::array<unsigned, kFaultKinds>& weights) {
  std::uint64_t sum = 0;
  for (const unsigned weight : weights) sum += weight;
  std::uint64_t left = dice.below(sum);
  std::size_t kind = 0;
  while (left >= weights[kind]) left -= weights[kind++];
  return static_cast<FaultKind>(kind);
}

void draw_faults(Dice& dice, Scenario& scenario) {
  const auto weights = draw_weights(dice, scenario);
  const std::size_t nodes = scenario.configs.size();
  for (std::uint64_t count = 20 + dice.below(80); count > 0; --count) {
    Fault fault{.at = dice.between({}, scenario.length),
                .kind = draw_kind(dice, weights),
                .node = static_cast<std::uint8_t>(dice.below(nodes)),
                .other = static_cast<std::uint8_t>(dice.below(nodes)),
                .lan = static_cast<std::uint8_t>(dice.below(scenario.configs[0].instances.size())),
                .length = dice.between(milliseconds(1), dice.pick({seconds(1), seconds(5), seconds(20)})),
                .dice = dice.next()};
    if (fault.kind == FaultKind::pause) fault.length = draw_pause(dice);
    fault.length = std::min(fault.length, scenario.length - fault.at);
    scenario.faults.push_back(fault);
  }
  const auto moment = [](const Fault& fault) { return std::pair(fault.at, fault.dice); };
  std::ranges::sort(scenario.faults, {}, moment);
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t mixed = state_ += 0x9E37'79B9'7F4A'7C15U;
  mixed = (mixed ^ mixed >> 30U) * 0xBF58'476D'1CE4'E5B9U;
  mixed = (mixed ^ mixed >> 27U) * 0x94D0'49BB'1331'11EBU;
  return mixed ^ mixed >> 31U;
}

Duration Dice::between(Duration low, Duration high) {
  return low + Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

std::string_view to_string(FaultKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string_view to_string(Trait trait) { return kTraitNames[static_cast<std::size_t>(trait)]; }

std::string to_string(const Fault& fault) {
  return format_duration(fault.at) + " " + std::string(to_string(fault.kind)) + " node " +
         std::to_string(fault.node + 1) + " other " + std::to_string(fault.other + 1) + " lan " +
         std::to_string(fault.lan) + " for " + format_duration(fault.length) + " dice " + std::to_string(fault.dice);
}

std::string summary(const Config& config) {
  const InstanceConfig& first = config.instances[0];
  const auto said = [](const char* name, Duration duration) {
    return duration == Duration() ? "" : std::string(name) + format_duration(duration);
  };
  std::string text = "priority " + std::to_string(first.priority) + ", v" + std::to_string(first.version) + " " +
                     std::string(to_string(first.family())) + (first.peers.empty() ? "" : " unicast") + ", every " +
                     format_duration(first.advert_interval) + (first.preempt ? "" : ", no preempt") +
                     said(", preempt delay ", first.preempt_delay) + said(", startup delay ", first.startup_delay) +
                     said(", link hold ", first.link_hold) + (first.virtual_mac ? ", virtual MAC" : "") +
                     (first.accept ? "" : ", no accept") + (first.flap_limit != 0 ? ", flap limit" : "") +
                     (first.hooks.before_active.empty() ? "" : ", before_active") +
                     (first.hooks.before_release.empty() ? "" : ", before_release");
  for (const CheckConfig& check : config.checks) text += ", check " + to_string(check.rules.on_fail);
  for (const InstanceConfig& instance : config.instances)
    text += ", " + instance.name + " " + std::to_string(instance.addresses.size());
  return text + (config.sync_groups.empty() ? "" : ", sync group");
}

Scenario draw_scenario(std::uint64_t seed, const Traits& traits) {
  Dice dice(seed);
  Scenario scenario{.seed = seed, .traits = traits.any() ? traits : draw_traits(seed), .configs = {}, .faults = {}};
  scenario.configs = draw_configs(dice);
  suit(scenario.configs, scenario, dice);
  scenario.length = dice.between(seconds(60), seconds(300));
  draw_faults(dice, scenario);
  scenario.quiet = 3600 * std::min<Duration>(scenario.configs[0].instances[0].advert_interval, seconds(1));
  return scenario;
}

Config with_third_member(const Config& config) {
  Config grown = config;
  InstanceConfig third = config.instances[0];
  third.name = "third";
  third.vrid = 77;
  third.addresses = {is_ipv6(third) ? address("fe80::77", 64) : address("192.0.2.77", 24)};
  third.routes.clear();
  third.rules.clear();
  third.checks.clear();
  grown.instances.push_back(third);
  grown.sync_groups[0].instances.push_back("third");
  return grown;
}

Config reloaded(const Config& config, std::uint64_t seed) {
  Dice dice(seed);
  Config other = config;
  InstanceConfig& first = other.instances.front();
  switch (dice.below(16)) {
    case 0:
      for (auto& instance : other.instances) instance.priority = static_cast<std::uint8_t>(2 + dice.below(253));
      break;
    case 1:
      first.addresses.push_back(address("192.0.2.12", 24));
      first.addresses.back().advertised = first.family() == Family::ipv4;
      break;
    case 2:
      if (first.addresses.size() > 1) first.addresses.pop_back();
      break;
    case 3:
      first.hooks.before_active =
          first.hooks.before_active.empty() ? std::vector<std::string>{"/promote"} : std::vector<std::string>{};
      break;
    case 4:
      for (auto& instance : other.instances) instance.preempt = !instance.preempt;
      break;
    case 5:
      for (auto& instance : other.instances) instance.advert_interval *= 1 + static_cast<int>(dice.below(3));
      break;
    case 6:
      first.vrid = 52;
      break;
    case 7: {
      InstanceConfig extra = web_instance(static_cast<std::uint8_t>(2 + dice.below(253)));
      extra.name = "extra";
      extra.hooks.timeout = first.hooks.timeout;
      extra.vrid = 77;
      extra.addresses = {address("192.0.2.77", 24)};
      other.instances.push_back(extra);
      break;
    }
    case 8:
      first.virtual_mac = !first.virtual_mac;
      break;
    case 9:
      first.accept = !first.accept;
      break;
    case 10:
      other.checks = {draw_check(dice)};
      first.checks = {"service"};
      break;
    case 11:
      if (first.family() == Family::ipv4) first.version = first.version == 2 ? 3 : 2;
      if (first.version == 2) first.advert_interval = seconds(1);
      if (first.version == 3) first.auth_legacy.clear();
      break;
    case 12:
      other.sync_groups.clear();
      for (auto& instance : other.instances) instance.sync_group.clear();
      break;
    case 13:
      for (auto& instance : other.instances) instance.startup_delay = instance.preempt_delay = seconds(2);
      break;
    default:
      break;  // no change
  }
  return other;
}

}  // namespace vipd::sim
