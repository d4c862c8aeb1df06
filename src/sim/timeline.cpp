#include "vipd/sim/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vipd/vrrp/announcement.hpp"

namespace vipd::sim {
namespace {

constexpr const char* kScenario = "--";          // stands in place of the name of a node
constexpr std::size_t kMostNamed = 4;            // most addresses in one line
constexpr Duration kBetweenBursts = seconds(1);  // announcements that are closer are one line

std::string joined(const std::vector<std::string>& words) {
  const std::size_t named = words.size() > kMostNamed + 1 ? kMostNamed : words.size();
  const std::string text =
      fmt::format("{}", fmt::join(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  return named == words.size() ? text : fmt::format("{} and {} more", text, words.size() - named);
}

/// A time since the start in seconds: "12.345".
std::string seconds_of(Duration since) {
  const auto milliseconds_since = (since.count() + 500'000) / 1'000'000;
  return fmt::format("{}.{:03}", milliseconds_since / 1000, milliseconds_since % 1000);
}

std::string value_of(const Command& command, std::string_view variable) {
  for (const std::string& entry : command.environment)
    if (entry.starts_with(variable) && entry.size() > variable.size() && entry[variable.size()] == '=')
      return entry.substr(variable.size() + 1);
  return "";
}

/// A transition as a line: "web  backup -> active  REASON", or "web  active  REASON" if the state is the same.
std::string told_of(const Transition& event) {
  const std::string who = (event.group ? "group " : "") + event.instance;
  const std::string from = event.from == event.to ? "" : std::string(to_string(event.from)) + " -> ";
  return fmt::format("{}  {}{}  {}", who, from, to_string(event.to), event.reason);
}

std::string counted(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string state_of(const VirtualRouter& router) {
  const Standing& standing = router.standing();
  std::string text = fmt::format("{}  {}{}, priority {}, {}, {} sent, {} heard  {}", router.config().name,
                                 to_string(router.shown()), router.stopping() ? ", stopping" : "",
                                 standing.effective_priority(), counted(router.counters().transitions, "transition"),
                                 counted(router.counters().adverts_sent, "advert"), router.counters().adverts_received,
                                 router.reason());
  const std::string* fault = standing.fault();
  if (fault != nullptr && text.find(*fault) == std::string::npos) text += "; fault: " + *fault;
  if (router.counters().send_errors > 0) text += fmt::format("; {} not sent", router.counters().send_errors);
  if (router.hooks().coalesced() > 0) text += fmt::format("; {} not told to hooks", router.hooks().coalesced());
  if (router.contest())
    text += fmt::format("; {} says it has {}", router.contest()->last.mac.to_string(),
                        router.contest()->last.address.to_string());
  for (const auto& entry : router.addresses().entries())
    if (entry.foreign) text += fmt::format("; {} is not ours", describe(entry.object));
  if (router.flaps_until() != kNever) text += "; preempts nobody until it was quiet";
  return text;
}

}  // namespace

std::string format_measured(Duration duration) {
  const auto tenths = (duration.count() + 50'000) / 100'000;  // tenths of a millisecond
  if (duration < seconds(1)) return fmt::format("{}.{} ms", tenths / 10, tenths % 10);
  return seconds_of(duration) + " s";
}

Timeline::Timeline(World& world, std::vector<std::string> names, std::vector<IpAddress> addresses)
    : world_(world), names_(std::move(names)), addresses_(std::move(addresses)), start_(world.now) {
  for (const std::string& name : names_) width_ = std::max(width_, name.size());
  holdings_.resize(addresses_.size(), {.since = world.now});
  seen_.resize(names_.size());
}

void Timeline::write(const std::string& who, std::string what) { lines_.push_back({world_.now, who, std::move(what)}); }

void Timeline::say(const std::string& words) {
  look();
  write(kScenario, words);
}

void Timeline::look() {
  look_at_addresses();
  for (std::size_t node = 0; node < names_.size(); ++node) look_at_states(node);
}

// --- Addresses.

std::uint32_t Timeline::holders_of(const IpAddress& address) const {
  std::uint32_t holders = 0;
  for (const auto& node : world_.nodes) {
    const auto has_it = [&](const auto& each) {
      const auto found = each.second.addresses.lower_bound({address, 0});
      return each.second.running && found != each.second.addresses.end() && found->first.address == address;
    };
    if (node->powered && std::ranges::any_of(node->kernel.real_, has_it)) holders |= 1U << node->index;
  }
  return holders;
}

std::string Timeline::names_of(std::uint32_t nodes) const {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if ((nodes >> i & 1) != 0) words.push_back(names_[i]);
  return fmt::format("{}", fmt::join(words, " and "));
}

/// The words for a time in which not exactly one node had an address; empty for other times.
std::string Timeline::told_of(const Holding& holding, Duration length) const {
  if (length == Duration::zero() || !holding.began) return "";
  if (holding.nodes == 0) return fmt::format("with nobody for {}", format_measured(length));
  if (std::popcount(holding.nodes) > 1)
    return fmt::format("with {} for {}", names_of(holding.nodes), format_measured(length));
  return "";
}

void Timeline::look_at_addresses() {
  std::vector<std::uint32_t> before;
  std::map<std::string, std::vector<std::string>> over;  // addresses, by the words for the time that is over
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    Holding& holding = holdings_[i];
    const std::uint32_t now = holders_of(addresses_[i]);
    before.push_back(holding.nodes);
    if (now == holding.nodes) continue;
    const Duration length = world_.now - holding.since;
    if (holding.nodes == 0 && holding.began) longest_gap_ = std::max(longest_gap_, length);
    const std::string told = told_of(holding, length);
    if (!told.empty()) over[told].push_back(addresses_[i].to_string());
    holding = {.nodes = now, .since = world_.now, .began = true};
  }
  tell_addresses(before);
  for (const auto& [told, addresses] : over)
    write(kScenario, fmt::format("{} {} {}", joined(addresses), addresses.size() == 1 ? "was" : "were", told));
}

/// Writes which nodes got and lost addresses.
void Timeline::tell_addresses(const std::vector<std::uint32_t>& before) {
  for (std::size_t node = 0; node < names_.size(); ++node) {
    std::vector<std::string> gained, lost;
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
      const bool had = (before[i] >> node & 1) != 0, has = (holdings_[i].nodes >> node & 1) != 0;
      if (had != has) (has ? gained : lost).push_back(addresses_[i].to_string());
    }
    if (!lost.empty()) write(node, "no longer has " + joined(lost));
    if (!gained.empty()) write(node, "has " + joined(gained));
  }
}

// --- States.

void Timeline::look_at_states(std::size_t node) {
  const Node& one = *world_.nodes[node];
  if (!one.alive() || one.supervisor->events().last_sequence() == seen_[node]) return;
  for (const Transition& event : one.supervisor->events().transitions())
    if (event.sequence > seen_[node]) write(node, sim::told_of(event));
  seen_[node] = one.supervisor->events().last_sequence();
}

void Timeline::left(std::size_t node) {
  look();
  const std::string left = world_.nodes[node]->supervisor->left_behind();
  write(node, left.empty() ? "vipd has ended" : "vipd has ended, and leaves " + left);
}

void Timeline::forget(std::size_t node) {
  seen_[node] = 0;
  std::erase_if(said_, [&](const auto& each) { return std::get<0>(each.first) == node; });
}

// --- Adverts, announcements and hooks.

void Timeline::hook_called(std::size_t node, const Command& command) {
  look();
  std::string text = fmt::format("calls {}", fmt::join(command.arguments, " "));
  if (command.arguments.size() < 4)
    text += fmt::format("  [{}, was {}]  {}", value_of(command, "VIPD_STATE"), value_of(command, "VIPD_OLD_STATE"),
                        value_of(command, "VIPD_REASON"));
  write(node, text);
}

std::string Timeline::instance_of(std::size_t node, std::size_t lan, std::uint8_t vrid) const {
  for (const auto& router : world_.nodes[node]->supervisor->routers())
    if (router->config().vrid == vrid && lan_of(router->config().interface) == lan) return router->config().name;
  return fmt::format("VRID {}", vrid);
}

void Timeline::advert_sent(const SentAdvert& advert, std::size_t lan, std::span<const std::uint8_t> message) {
  const std::uint8_t vrid = message[1];
  const auto [said, first] = said_.try_emplace({advert.node, lan, vrid}, advert.priority);
  if (!first && std::exchange(said->second, advert.priority) == advert.priority) return;
  look();
  write(advert.node, fmt::format("{}  advert with priority {}", instance_of(advert.node, lan, vrid), advert.priority));
}

void Timeline::announced(std::size_t node, std::span<const std::uint8_t> frame) {
  constexpr std::size_t kMessage = 14 + 40;  // the offset behind the headers of Ethernet and IPv6
  const bool arp = frame.size() < kMessage;
  const auto claim = arp ? claim_in_arp(frame) : claim_in_advertisement(frame.subspan(kMessage), kVrrpHopLimit);
  if (!claim) return;
  look();
  Burst& burst = bursts_[{node, claim->address}];
  if (burst.count == 0 || world_.now - burst.last >= kBetweenBursts) {
    burst = {.line = lines_.size(), .count = 0, .last = {}};
    write(node, "");
  }
  burst.last = world_.now;
  lines_[burst.line].what = fmt::format("announces {}, {}", claim->address.to_string(), counted(++burst.count, "time"));
}

// --- The present state.

std::string Timeline::held_by(std::size_t node) const {
  const SimKernel& kernel = world_.nodes[node]->kernel;
  std::vector<std::string> held;
  for (const IpAddress& address : addresses_)
    if (kernel.has(address)) held.push_back(address.to_string());
  std::string text = held.empty() ? "has no virtual address" : "has " + joined(held);
  for (const RouteObject& route : kernel.real_routes_) text += ", " + describe(route);
  for (const RuleObject& rule : kernel.real_rules_) text += ", " + describe(rule);
  for (const auto& [index, interface] : kernel.real_)
    if (interface.macvlan) text += fmt::format(", device {} {}", interface.name, interface.up ? "up" : "down");
  if (!kernel.refused.empty())
    text += fmt::format(", refuses packets to {}", counted(kernel.refused.size(), "address"));
  return text;
}

/// The settings below /proc/sys/net of existing interfaces that are not 0.
std::string Timeline::settings_of(std::size_t node) const {
  SimKernel& kernel = world_.nodes[node]->kernel;
  std::vector<std::string> set;
  for (const auto& [path, value] : kernel.settings) {
    const std::size_t begin = path.find("/conf/") + 6, end = path.rfind('/');
    const std::string of = begin < end && end != std::string::npos ? path.substr(begin, end - begin) : "all";
    if (value != 0 && (of == "all" || kernel.real(of) != nullptr)) set.push_back(fmt::format("{} = {}", path, value));
  }
  return fmt::format("{}", fmt::join(set, ", "));
}

void Timeline::show(std::size_t node) {
  const Node& one = *world_.nodes[node];
  const std::string state = !one.powered   ? "power off, "
                            : !one.alive() ? "vipd does not run, "
                            : one.asleep() ? "vipd is paused, "
                                           : "";
  write(node, state + held_by(node));
  const std::string settings = settings_of(node);
  if (!settings.empty()) write(node, "settings: " + settings);
  if (!one.alive()) return;
  for (const auto& router : one.supervisor->routers()) write(node, state_of(*router));
  for (const auto& group : one.supervisor->groups())
    write(node, fmt::format("group {}  {}  {}", group->config().name, to_string(group->shown()), group->reason()));
  for (const CheckConfig& each : one.supervisor->config().checks) {
    const Check* check = one.supervisor->checks().find(each.name);
    if (check == nullptr) continue;
    write(node, fmt::format("check {}  {}{}", each.name, check->passes() ? "passes" : "fails",
                            check->is_stale(world_.now) ? ", stale" : ""));
  }
  const std::string left = one.supervisor->left_behind();
  if (!left.empty()) write(node, "cannot remove " + left);
}

void Timeline::show() {
  look();
  for (std::size_t node = 0; node < names_.size(); ++node) show(node);
}

void Timeline::end() {
  look();
  write(kScenario, "end");
  show();
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const Duration length = world_.now - holdings_[i].since;
    if (holdings_[i].nodes == 0 && holdings_[i].began) longest_gap_ = std::max(longest_gap_, length);
    const std::string told = told_of(holdings_[i], length);
    if (!told.empty()) write(kScenario, fmt::format("{} is {} by now", addresses_[i].to_string(), told));
  }
}

std::string Timeline::text() const {
  std::string text;
  for (const Line& line : lines_)
    text += fmt::format("{:>9}  {:<{}}  {}\n", seconds_of(line.time - start_), line.who, width_, line.what);
  return text;
}

}  // namespace vipd::sim
