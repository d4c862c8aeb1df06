#include "checker.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace vipd::sim {
namespace {

std::string name_of(const Node& node) { return "node " + std::to_string(node.index + 1); }

const VirtualRouter* router_of(const Node& node, const std::string& name) {
  for (const auto& router : node.supervisor->routers())
    if (router->config().name == name) return router.get();
  return nullptr;
}

std::uint64_t transitions_of(const Node& node) {
  std::uint64_t sum = 0;
  if (node.alive())
    for (const auto& router : node.supervisor->routers()) sum += router->counters().transitions;
  return sum;
}

bool tagged(const Node& node, const IpAddress& address) {
  for (const auto& [index, interface] : node.kernel.real_)
    for (const auto& [prefix, state] : interface.addresses)
      if (prefix.address == address) return state.tag == kKernelTag;
  return false;
}

bool wants(const VirtualRouter& router, const IpAddress& address) {
  return router.election().state() == State::active && router.config().is_virtual(address);
}

/// The addresses that the kernel may have from us, in order. A node keeps each of many until a peer has had time to add
/// it.
std::vector<IpAddress> addresses_of(const std::vector<std::unique_ptr<VirtualRouter>>& routers) {
  std::vector<IpAddress> held;
  for (const auto& router : routers)
    if (router->election().state() == State::active || router->addresses().letting_go())
      for (const auto& address : router->config().addresses) held.push_back(address.prefix.address);
  std::ranges::sort(held);
  return held;
}

std::string value_of(const Command& command, const std::string& variable) {
  for (const auto& entry : command.environment)
    if (entry.starts_with(variable + "=")) return entry.substr(variable.size() + 1);
  return "";
}

}  // namespace

Checker::Checker(World& world, const Scenario& scenario, Coverage& coverage)
    : world_(world), scenario_(scenario), coverage_(coverage) {
  for (const auto& instance : scenario.configs[0].instances) vips_.push_back(instance.addresses[0].prefix.address);
  for (auto& instance : together_)
    for (auto& row : instance) row.fill(kNever);
  astray_.fill(kNever);
  differs_.fill(kNever);
  duplicate_.fill(kNever);
  unheard_since_.fill(kNever);
}

std::uint64_t Checker::transitions() const {
  std::uint64_t sum = 0;
  for (const auto& node : world_.nodes) sum += transitions_of(*node);
  return sum;
}

/// Counts transitions of nodes that may have changed since. A new process is a change of the world.
std::uint64_t Checker::count_transitions() {
  const bool same_processes = world_.changes == seen_changes_;
  for (std::uint32_t touched = std::exchange(world_.touched, 0); touched != 0; touched &= touched - 1) {
    const Node& node = *world_.nodes[static_cast<std::size_t>(std::countr_zero(touched))];
    const std::uint64_t events = node.alive() ? node.supervisor->events().last_sequence() : 0;
    if (std::exchange(events_[node.index], events) == events && same_processes) continue;
    transitions_[node.index] = transitions_of(node);
  }
  return std::accumulate(transitions_.begin(), transitions_.end(), std::uint64_t{0});
}

void Checker::look() {
  const std::uint64_t now_transitions = count_transitions();
  const bool same = world_.changes == seen_changes_ && now_transitions == seen_transitions_;
  if (same && world_.now < next_look_) return;
  seen_changes_ = world_.changes;
  if (std::exchange(seen_transitions_, now_transitions) != now_transitions) note_transition();
  next_look_ = kNever;
  look_at_pairs();
  for (std::size_t i = 0; i < world_.nodes.size(); ++i) {
    look_at_kernel(i);
    look_at_duplicates(i);
  }
  for (std::size_t i = 0; i < vips_.size(); ++i) look_at_client(i);
}

void Checker::note_transition() {
  world_.note(4ULL << 32U | seen_transitions_);
  for (const auto& node : world_.nodes) {
    if (!node->alive()) continue;
    for (const auto& router : node->supervisor->routers())
      for (std::size_t cause = 0; router->shown() == ShownState::fault && cause < kFaultCauses; ++cause)
        if (router->standing().has(static_cast<FaultCause>(cause))) ++coverage_.faults_shown[cause];
  }
}

void Checker::look_at_pairs() {
  for (std::size_t instance = 0; instance < vips_.size(); ++instance) {
    std::array<bool, kMost> can_let_go{};
    for (const auto& node : world_.nodes)
      can_let_go[node->index] = node->alive() && !node->asleep() && holds(*node, instance);
    for (std::size_t a = 0; a < world_.nodes.size(); ++a)
      for (std::size_t b = a + 1; b < world_.nodes.size(); ++b)
        look_at_pair(a, b, instance, can_let_go[a] && can_let_go[b]);
  }
}

/// Promise 1. The bound is an interval, since the winner sends once an interval. A lost packet starts the time anew,
/// since a node cannot obey an advert that it has not heard.
void Checker::look_at_pair(std::size_t a, std::size_t b, std::size_t instance, bool both_hold) {
  const Node &first = *world_.nodes[a], &second = *world_.nodes[b];
  TimePoint& since = together_[instance][a][b];
  if (!both_hold || !contend(first, second, instance)) {
    since = kNever;
    return;
  }
  since = std::min(since, world_.now);
  const std::string& name = scenario_.configs[0].instances[instance].name;
  const VirtualRouter &one = *router_of(first, name), &other = *router_of(second, name);
  Duration bound = std::max(one.config().advert_interval, other.config().advert_interval);
  // Two unfit nodes may both have resigned just before they hear each other. Both are silent until a fit node has had
  // time to take over, which is an interval and a half (election.hpp).
  if (one.election().yielding() && other.election().yielding()) bound = bound * 3 / 2;
  // A node that cannot send gives way when it hears the other node. An unfit node may be silent for that time.
  if (unheard(first) || unheard(second)) bound *= 3;
  bound += std::max(departure(first), departure(second));
  if (world_.now - since > bound + kSlack)
    violated(name_of(first) + " and " + name_of(second) + " both hold " + vips_[instance].to_string() + " for " +
             format_duration(world_.now - since));
  due(since + bound + kSlack + Duration(1));
}

Duration Checker::longest_interval(const Node& node) {
  Duration longest{};
  for (const auto& router : node.supervisor->routers()) longest = std::max(longest, router->config().advert_interval);
  return longest;
}

/// A node keeps each of many addresses until a peer that is half as fast has had the time to add it (decision 0016).
Duration Checker::departure(const Node& node) const {
  std::size_t most = 0;
  for (const auto& router : node.supervisor->routers())
    if (router->addresses().letting_go()) most = std::max(most, router->config().addresses.size());
  return 2 * node.kernel.object_takes * static_cast<Duration::rep>(most);
}

/// True if at least one of two holders must release.
bool Checker::contend(const Node& a, const Node& b, std::size_t instance) const {
  if (world_.now < std::max(excused_[a.index], excused_[b.index])) return false;
  const std::string& name = scenario_.configs[0].instances[instance].name;
  const VirtualRouter *one = router_of(a, name), *other = router_of(b, name);
  if (one == nullptr || other == nullptr) return false;
  if (one->election().resigning() && other->election().resigning()) return false;  // until a third node is heard
  if (unheard(a) && unheard(b)) return false;
  return hears(a, b, *one, *other) && hears(b, a, *other, *one);
}

/// True if the node has the address on an interface, as an address of ours or as one that we take for ours.
bool Checker::holds(const Node& node, std::size_t instance) const {
  const IpAddress& vip = vips_[instance];
  if (!node.kernel.has(vip)) return false;
  if (tagged(node, vip)) return true;
  return std::ranges::any_of(node.supervisor->routers(), [&](const auto& router) { return wants(*router, vip); });
}

/// True if the network and both configurations let adverts through from one node to the other.
bool Checker::hears(const Node& from, const Node& to, const VirtualRouter& speaker,
                    const VirtualRouter& listener) const {
  const InstanceConfig &said = speaker.config(), &wanted = listener.config();
  if (!world_.hears(from.index, to.index, lan_of(said.interface))) return false;
  const Interface* interface = to.kernel.view().find(wanted.interface);
  const Interface* sender = from.kernel.view().find(said.interface);
  if (interface == nullptr || !interface->running || !interface->port_of.empty() || sender == nullptr ||
      !sender->running)
    return false;
  if (said.vrid != wanted.vrid || said.version != wanted.version || said.interface != wanted.interface) return false;
  if (said.auth_legacy != wanted.auth_legacy) return false;
  if (said.version == 2 && said.advert_interval != wanted.advert_interval) return false;
  if (!speaker.source() || !listener.source()) return false;
  // Linux drops packets from an address of its own (fib_validate_source).
  if (to.kernel.view().find(interface->index, *speaker.source()) != nullptr) return false;
  if (wanted.peers.empty()) return true;
  return std::ranges::count(wanted.peers, *speaker.source(), &UnicastPeer::address) > 0 &&
         std::ranges::count(said.peers, *listener.source(), &UnicastPeer::address) > 0;
}

void Checker::lost(std::size_t from, std::size_t to) {
  const auto [a, b] = std::minmax(from, to);
  for (auto& instance : together_)
    if (instance[a][b] != kNever) instance[a][b] = world_.now;
}

/// Promise 3: the kernel has the objects of the state, save for the 50 ms that a repair may take.
void Checker::look_at_kernel(std::size_t index) {
  const Node& node = *world_.nodes[index];
  TimePoint& since = differs_[index];
  const TimePoint excused = std::max(node.asleep_until, excused_[index]);
  if (!node.alive() || world_.now < excused) {
    since = kNever;
    if (node.alive()) due(excused);
    return;
  }
  const auto what = difference(node);
  if (!what) {
    since = kNever;
    return;
  }
  since = std::min(since, world_.now);
  const Duration bound = kSlack + node.kernel.slow;  // a repair begins when the change is known
  if (world_.now - since > bound) violated(name_of(node) + ": for " + format_duration(bound) + " " + *what);
  due(since + bound + Duration(1));
}

/// F7: no advert is heard on a port of a bridge or the like, and a deaf node must not be Active.
std::optional<std::string> Checker::deafness_of(const Node& node, const VirtualRouter& router) const {
  for (const auto& [index, interface] : node.kernel.real_)
    if (interface.name == router.config().interface && !interface.port_of.empty())
      return "Active on " + interface.name + ", which is a port of a " + interface.port_of;
  return std::nullopt;
}

/// Why packets to an address of an Active node do not arrive; nullopt if they do.
std::optional<std::string> Checker::lack_of(const Node& node, const AddressObject& address) const {
  if (!node.kernel.has(address.prefix.address)) return "Active without " + address.prefix.to_string();
  if (!address.interface.empty() && scenario_.has(Trait::second_interface))
    for (const auto& [index, interface] : node.kernel.real_)
      if (interface.name == address.interface && !interface.running)
        return "Active with " + address.prefix.to_string() + " on " + interface.name + ", which is down";
  return std::nullopt;
}

/// An object that the kernel has and should not have, or the other way round; nullopt if there is none.
std::optional<std::string> Checker::difference(const Node& node) const {
  const auto& routers = node.supervisor->routers();
  for (const auto& router : routers) {
    if (router->election().state() != State::active) continue;
    if (scenario_.has(Trait::deaf))
      if (const auto deaf = deafness_of(node, *router)) return deaf;
    for (const auto& address : router->config().addresses)
      if (address.assigned) {
        const auto lacks = lack_of(node, address);
        if (lacks) return lacks;
      }
  }
  const auto held = addresses_of(routers);
  for (const auto& [ifindex, interface] : node.kernel.real_)
    for (const auto& [prefix, state] : interface.addresses)
      if (state.tag == kKernelTag && !std::ranges::binary_search(held, prefix.address))
        return "not Active, with " + prefix.to_string();
  return std::nullopt;
}

/// F22: an address that another host has is not ours. A claim may meet the old holder, and is tried again for four
/// intervals (decision 0015). The last detection begins at their end.
void Checker::look_at_duplicates(std::size_t index) {
  if (!scenario_.has(Trait::duplicates)) return;
  const Node& node = *world_.nodes[index];
  TimePoint& since = duplicate_[index];
  const bool awake = node.alive() && world_.now >= std::max(node.asleep_until, excused_[index]);
  const auto found = awake ? duplicate_of(node) : std::nullopt;
  if (!found) {
    since = kNever;
    return;
  }
  since = std::min(since, world_.now);
  const Duration bound = 6 * longest_interval(node) + 2 * node.kernel.detection_takes + kSlack + node.kernel.slow;
  if (world_.now - since > bound)
    violated(name_of(node) + " is Active for " + format_duration(bound) + " with " + *found +
             ", which another host has");
  due(since + bound + Duration(1));
}

/// An address of an Active router that duplicate address detection has refused; nullopt if there is none.
std::optional<std::string> Checker::duplicate_of(const Node& node) const {
  std::optional<std::string> found;
  for (const auto& router : node.supervisor->routers()) {
    if (!router->addresses().holding()) continue;
    for (const auto& entry : router->addresses().entries()) {
      const auto* address = std::get_if<AddressObject>(&entry.object);
      const auto* told =
          address != nullptr ? node.kernel.view().find(address->ifindex, address->prefix.address) : nullptr;
      if (told == nullptr || told->second.usable) continue;
      if (router->addresses().present(entry))
        violated(name_of(node) + " shows " + told->first.to_string() + " as present, and nobody can use it");
      if (told->second.duplicate) found = told->first.to_string();
    }
  }
  return found;
}

/// F22: a node must not announce an address that it cannot use yet.
void Checker::announced(std::size_t index, std::span<const std::uint8_t> frame) const {
  constexpr std::size_t kType = 12, kPayload = 14;
  const bool neighbour_advertisement =
      frame[kType] == 0x86 && frame[kPayload + 6] == 58 && frame[kPayload + 40] == 136;  // ICMPv6 and its type
  if (!neighbour_advertisement || !scenario_.has(Trait::duplicates)) return;
  const Node& node = *world_.nodes[index];
  const IpAddress address(Family::ipv6, frame.subspan(kPayload + 48, 16));
  for (const auto& [number, interface] : node.kernel.view().by_index)
    if (const auto* told = node.kernel.view().find(number, address); told != nullptr && !told->second.usable)
      violated(name_of(node) + " announces " + told->first.to_string() + ", which it cannot use");
}

void Checker::excuse_kernel(std::size_t node, TimePoint until) { excused_[node] = std::max(excused_[node], until); }

void Checker::node_started(std::size_t node) { subjects_[node].clear(); }

void Checker::hook_started(std::size_t node, const Command& command) {
  const std::string& who = command.environment.front();
  if (who.starts_with("VIPD_CHECK")) return;
  Subject& subject = subjects_[node][who];
  if (subject.running) violated("two hooks of " + who + " run at once on node " + std::to_string(node + 1));
  subject.running = true;
  const std::uint64_t sequence = std::stoull(value_of(command, "VIPD_SEQUENCE"));
  if (sequence < subject.told)
    violated(who + " on node " + std::to_string(node + 1) + ": transition " + std::to_string(sequence) +
             " is told after " + std::to_string(subject.told));
  subject.told = sequence;
}

void Checker::hook_ended(std::size_t node, const std::string& who) {
  if (!who.starts_with("VIPD_CHECK")) subjects_[node][who].running = false;
}

/// Checks the rate of adverts for each virtual router and each of its peers. An interval has two due adverts, five
/// answers at once and five more (conformance C21), and as many again after each transition.
void Checker::advert_sent(std::size_t index, std::size_t lan) {
  const Node& node = *world_.nodes[index];
  if (std::exchange(unheard_since_[index], kNever) != kNever) not_heard(index);
  if (!node.alive()) return;  // the last will resigns for a dead vipd
  Rate& rate = rates_[index][lan];
  std::uint64_t changes = 0;
  for (const auto& router : node.supervisor->routers()) changes += router->counters().transitions;
  if (world_.now - rate.began >= scenario_.configs[0].instances[0].advert_interval || changes < rate.transitions)
    rate = {.began = world_.now, .sent = 0, .transitions = changes};
  ++rate.sent;
  const std::size_t speakers = node.supervisor->routers().size() * world_.nodes.size();
  if (rate.sent > 12 * speakers * (1 + changes - rate.transitions))
    violated(name_of(node) + " sent " + std::to_string(rate.sent) + " adverts within an interval");
}

/// Notes an advert that was not sent. While peers may not have missed it, it counts as a lost packet.
void Checker::send_failed(std::size_t index) {
  const Node& sender = *world_.nodes[index];
  if (!sender.alive()) return;
  TimePoint& since = unheard_since_[index];
  since = std::min(since, world_.now);
  Duration patience{};
  for (const auto& router : sender.supervisor->routers())
    patience = std::max(patience, 3 * router->config().advert_interval);
  if (world_.now - since <= patience) not_heard(index);
}

/// Notes that no node has heard this node until now.
void Checker::not_heard(std::size_t index) {
  for (const auto& node : world_.nodes)
    if (node->index != index) lost(index, node->index);
}

/// Promise 4. An own packet from an address that the node no longer has counts as a packet of others.
void Checker::hostile_packet(const Node& node, const Packet& packet, bool over) {
  const bool was_own = packet.source == own_address(packet.lan, node.index, packet.family) ||
                       packet.source == own_address(packet.lan, node.index + 100, packet.family);
  const auto& routers = node.supervisor->routers();
  const auto sends_from = [&](const auto& router) {
    return router->source() == packet.source && lan_of(router->config().interface) == packet.lan;
  };
  if (was_own && std::ranges::none_of(routers, sends_from)) return;
  Before now{.deadline = node.supervisor->deadline(), .changes = world_.changes};
  for (const auto& router : routers) {
    now.sent += router->counters().adverts_sent;
    now.received += router->counters().adverts_received;
    now.transitions += router->counters().transitions;
    for (const auto& [kind, count] : router->counters().adverts_refused)
      now.refused[static_cast<std::size_t>(kind)] += count;
  }
  if (!over) {
    before_ = now;
    return;
  }
  for (std::size_t i = 0; i < kRefusalKinds; ++i) coverage_.refusals[i] += now.refused[i] - before_.refused[i];
  if (now.received != before_.received) violated(name_of(node) + " took a packet that nobody may take");
  if (now.deadline != before_.deadline || now.sent != before_.sent || now.transitions != before_.transitions ||
      now.changes != before_.changes)
    violated(name_of(node) + " let a refused packet change something");
}

bool Checker::held(std::size_t instance) const {
  return std::ranges::any_of(world_.nodes, [&](const auto& node) { return node->alive() && holds(*node, instance); });
}

/// Requires exactly one Active node, the right one.
void Checker::require_settled() const {
  for (std::size_t i = 0; i < vips_.size(); ++i) {
    std::vector<const Node*> holders;
    bool strict = true;
    std::uint8_t best = 0;
    for (const auto& node : world_.nodes) {
      if (!node->alive()) continue;
      const InstanceConfig& config = scenario_.configs[node->index].instances[i];
      const VirtualRouter* router = router_of(*node, config.name);
      if (router == nullptr) violated(name_of(*node) + " has no instance " + config.name);
      best = std::max(best, config.priority);
      // Without preempt the holder keeps the address; with flap_limit an unsteady node waits longer than the test.
      strict = strict && config.preempt && config.flap_limit == 0;
      const bool active = router->shown() == ShownState::active;
      if (active) holders.push_back(node.get());
      if (!active && router->shown() != ShownState::backup)
        violated(name_of(*node) + " is in " + std::string(to_string(router->shown())) + ": " + router->reason());
      if (active != holds(*node, i) && !router->addresses().letting_go())
        violated(name_of(*node) + (active ? " is Active without" : " is Backup with") + " the address");
    }
    if (holders.size() != 1) violated(std::to_string(holders.size()) + " nodes hold " + vips_[i].to_string());
    const std::uint8_t priority = scenario_.configs[holders[0]->index].instances[i].priority;
    if ((strict || best == kOwnerPriority) && priority != best)
      violated(name_of(*holders[0]) + " holds the address, and is not the best");
  }
}

/// Requires that hooks were told of each instance's state in this process, and that no hook runs any more.
void Checker::require_hooks_told() const {
  for (const auto& node : world_.nodes) require_hooks_told(*node);
}

void Checker::require_hooks_told(const Node& node) const {
  for (const auto& router : node.supervisor->routers()) {
    const auto subject = subjects_[node.index].find("VIPD_INSTANCE=" + router->config().name);
    const bool changed = router->counters().transitions > 0;
    if (changed && subject == subjects_[node.index].end()) violated("no hook was told of " + router->config().name);
    if (!router->hooks().idle() || router->hooks().waiting() > 0)
      violated("hooks of " + name_of(node) + " are still busy");
  }
}

void Checker::require_nothing_left() const {
  for (const auto& node : world_.nodes) {
    if (node->alive()) violated(name_of(*node) + " has not stopped");
    const SimKernel& kernel = node->kernel;
    for (const auto& [ifindex, interface] : kernel.real_) {
      if (interface.name.starts_with("vrrp")) violated(name_of(*node) + " has left " + interface.name + " behind");
      for (const auto& [prefix, state] : interface.addresses)
        if (state.tag == kKernelTag) violated(name_of(*node) + " has left " + prefix.to_string() + " behind");
    }
    if (!kernel.real_routes_.empty()) violated(name_of(*node) + " has left a route behind");
    if (!kernel.real_rules_.empty()) violated(name_of(*node) + " has left a rule behind");
  }
}

}  // namespace vipd::sim
