#include "cluster.hpp"

#include <algorithm>
#include <cstdio>

namespace vipd::sim {
namespace {

/// The time for an object on a slow machine; its peers are up to twice as fast (decision 0016).
constexpr Duration kObjectTakes = milliseconds(1);
constexpr Duration kLeaving = seconds(16);  ///< a stop with hooks before and after, and adverts every 2 s

}  // namespace

Cluster::Cluster(const Scenario& scenario, Coverage& coverage, bool tells)
    : scenario_(scenario),
      coverage_(coverage),
      tells_(tells),
      world_(scenario.seed),
      checker_(world_, scenario, coverage),
      places_(scenario.configs.size()) {
  world_.keeps_records = false;
  world_.after_each = [this] {
    checker_.look();
    if (tells_) tell_transitions();
  };
  world_.on_lost = [this](std::size_t from, std::size_t to, const auto&) { checker_.lost(from, to); };
  world_.on_hostile = [this](Node& node, const Packet& packet, bool over) {
    checker_.hostile_packet(node, packet, over);
  };
  world_.on_advert = [this](const SentAdvert& advert, std::size_t lan, auto) {
    checker_.advert_sent(advert.node, lan);
  };
  world_.on_announced = [this](std::size_t node, auto frame) { checker_.announced(node, frame); };
  world_.on_start = [this](Node& node) { prepare(node); };
  world_.on_step = [this](const VirtualRouter&, const ElectionStep& step) { coverage_.count(step); };
  if (scenario.has(Trait::strangers))
    world_.on_harm = [](std::size_t node) {
      violated("node " + std::to_string(node + 1) + " has removed what belongs to others");
    };
}

Ending Cluster::run() {
  Ending ending;
  try {
    live();
  } catch (const Violation& violation) {
    ending.violation = violation.what + ", at " + format_duration(world_.now - TimePoint(seconds(1000)));
  }
  ending.digest = world_.digest;
  ending.lasted = world_.now - TimePoint(seconds(1000));
  coverage_.digest += world_.digest;
  ++coverage_.clusters;
  coverage_.seconds += static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(ending.lasted).count());
  return ending;
}

void Cluster::live() {
  world_.resolves = scenario_.has(Trait::neighbours);
  add_nodes();
  for (const Fault& fault : scenario_.faults) world_.at(fault.at, [this, &fault] { carry_out(fault); });
  world_.run_for(scenario_.length);
  put_right();
  world_.run_for(kLeaving);
  for (const auto& node : world_.nodes) {
    if (node->leaving()) violated("node " + std::to_string(node->index + 1) + " does not come to the end of its stop");
    if (!node->alive()) start(*node);
  }
  world_.run_for(settling());
  checker_.require_settled();
  checker_.require_hooks_told();
  pull_the_plug();
  meet_demands();
  be_quiet();
  stop_all();
  checker_.require_nothing_left();
}

void Cluster::add_nodes() {
  for (const Config& config : scenario_.configs) {
    Node& node = world_.add_node(config);
    if (scenario_.has(Trait::many)) node.kernel.object_takes = world_.between(kObjectTakes / 2, kObjectTakes);
    for (auto& [index, interface] : node.kernel.real_)
      if (scenario_.has(Trait::macvlan_parent)) interface.macvlan = true, interface.parent = 1;  // in the host
    const InstanceConfig& first = config.instances[0];
    if (first.priority == kOwnerPriority)  // the owner's addresses are its interface's own
      for (const auto& address : first.addresses) node.kernel.real()->addresses[address.prefix] = {};
    places_[node.index].wanted = config;
    world_.at(world_.between({}, seconds(2)), [this, &node] {
      if (!node.alive()) start(node);
    });
  }
}

/// Sets the behaviour of the programs of a new process.
void Cluster::prepare(Node& node) {
  Place& place = places_[node.index];
  checker_.node_started(node.index);
  node.runner->fate = [this, &place](const Command& command) { return fate_of(place, command); };
  node.runner->on_start = [this, &node](const Command& command) { checker_.hook_started(node.index, command); };
  node.runner->on_end = [this, &node](const std::string& subject) { checker_.hook_ended(node.index, subject); };
}

Outcome Cluster::fate_of(Place& place, const Command& command) {
  const bool is_check = command.arguments[0] == "/check";
  const Trouble trouble = is_check ? place.checks : place.hooks;
  const auto count = [&](Coverage::ErrorPath hook, Coverage::ErrorPath check) {
    ++coverage_.errors[is_check ? check : hook];
  };
  Outcome outcome{.took = world_.between(milliseconds(1), milliseconds(200))};
  switch (trouble) {
    case Trouble::none:
      break;
    case Trouble::fails:
      count(Coverage::hook_failed, Coverage::check_failed);
      outcome.exit_status = 1;
      break;
    case Trouble::hangs:
      count(Coverage::hook_hung, Coverage::check_hung);
      outcome.took = command.timeout + seconds(2);
      outcome.timed_out = true;
      outcome.signal = 9;
      break;
    case Trouble::cannot_start:
      count(Coverage::hook_unstartable, Coverage::check_failed);
      outcome.took = milliseconds(1);
      outcome.error = "cannot start";
      break;
    case Trouble::lost:
      count(Coverage::hook_unstartable, Coverage::check_lost);
      outcome.error = "the runner is gone";
      outcome.lost = true;
      break;
  }
  return outcome;
}

void Cluster::start(Node& node) {
  for (const auto& [index, interface] : node.kernel.real_)
    for (const auto& [prefix, state] : interface.addresses)
      if (state.tag == kKernelTag) ++coverage_.errors[Coverage::leftovers_met];
  Place& place = places_[node.index];
  std::vector<InstanceConfig> before;
  for (const Config& config : place.in_force)
    before.insert(before.end(), config.instances.begin(), config.instances.end());
  std::erase_if(before, [&](const auto& each) { return std::ranges::count(place.wanted.instances, each) > 0; });
  put_in_force(node, place.wanted);
  node.start(before);
}

/// Records the configuration for the next process, with earlier ones that may have left objects, as the Daemon does.
void Cluster::put_in_force(Node& node, const Config& config) {
  std::vector<Config>& in_force = places_[node.index].in_force;
  if (node.alive() && node.supervisor->clear()) in_force = {node.config};
  if (in_force.empty() || in_force.back() != config) in_force.push_back(config);
  node.config = config;
}

void Cluster::kill(Node& node) {
  if (node.alive()) put_in_force(node, node.config);
  node.kill();
}

/// Ends all faults and the interference of others.
void Cluster::put_right() {
  world_.loss = 0;
  world_.noise = {};
  for (auto& client : world_.clients) client.cut = 0;
  for (std::size_t i = 0; i < world_.nodes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) world_.connect(i, j, true);
    Node& node = *world_.nodes[i];
    places_[i].hooks = places_[i].checks = Trouble::none;
    node.kernel.refuse = node.kernel.keep = node.kernel.misreport = [](const KernelObject&) { return 0; };
    node.disk_full = false;
    node.kernel.slow = {};
    node.kernel.can_refuse = true;
    node.wire.fault = [] { return 0; };
    put_interfaces_right(node);
    apply(node, scenario_.configs[i]);
  }
}

void Cluster::put_interfaces_right(Node& node) {
  for (std::size_t lan = 0; lan < kLans.size(); ++lan) {
    interface_back(node, lan);
    if (node.kernel.real(kLans[lan].name) == nullptr) continue;
    node.kernel.set_narrow(kLans[lan].name, false);
    Interface& interface = *node.kernel.real(kLans[lan].name);
    interface.running = interface.up = true;
    interface.port_of.clear();
    const std::array own = {IpPrefix{own_address(lan, node.index, Family::ipv4), 24},
                            IpPrefix{own_address(lan, node.index, Family::ipv6), 64}};
    const bool owner = node.config.instances[0].priority == kOwnerPriority;
    const auto addresses = interface.addresses;
    for (const IpPrefix& prefix : own) node.kernel.others_add(interface.name, prefix);
    for (const auto& [prefix, state] : addresses)
      if (!owner && state.tag != kKernelTag && std::ranges::find(own, prefix) == own.end())
        node.kernel.others_remove(interface.name, prefix);
    for (const IpPrefix& prefix : own) node.kernel.others_add(interface.name, prefix);  // it may be gone
  }
  node.kernel.changed();
}

/// The time that the cluster may need to settle after the last fault, with all processes running.
Duration Cluster::settling() const {
  const InstanceConfig& config = scenario_.configs[0].instances[0];
  // An advert may have promised the next one for ten intervals (max_adopted_interval).
  Duration longest = active_down_interval(1, 10 * config.advert_interval, config.version);
  longest += 3 * config.advert_interval + kPatience + 2 * kLongestHook + 2 * kLongestQuestion;
  longest += config.preempt_delay + config.startup_delay + config.link_hold + config.flap_window;
  for (const CheckConfig& check : scenario_.configs[0].checks)
    longest += (1 + check.rules.rise) * check.rules.interval + check.rules.timeout + seconds(2);
  return longest;
}

/// The time that many addresses add to a takeover. The claim may take longer than the skew between two nodes. Then both
/// take over, and the node that yields keeps its addresses for twice that time (decision 0016).
Duration Cluster::moving() const {
  if (!scenario_.has(Trait::many)) return {};
  std::size_t most = 0;
  for (const Config& config : scenario_.configs)
    for (const InstanceConfig& instance : config.instances) most = std::max(most, instance.addresses.size());
  return 3 * kObjectTakes * static_cast<Duration::rep>(most);
}

/// The time of a takeover by the best remaining node, from the last advert on (RFC 9568 6.1), with the hooks before it.
/// Two equally good nodes may both take over; one of them yields an interval later at most.
Duration Cluster::takeover(const Node& without) const {
  std::uint8_t best = 1;
  for (const auto& node : world_.nodes)
    if (node.get() != &without) best = std::max(best, scenario_.configs[node->index].instances[0].priority);
  const InstanceConfig& config = scenario_.configs[0].instances[0];
  const Duration asked = config.hooks.before_active.empty() ? Duration{} : kLongestQuestion;
  return active_down_interval(best, config.advert_interval, config.version) +
         skew_time(best, config.advert_interval, config.version) + asked + moving() + kSlack;
}

Node* Cluster::holder() {
  for (const auto& node : world_.nodes)
    if (node->active()) return node.get();
  violated("nobody is Active");
}

/// The exact demand: a remaining node takes the address in time, and the best node takes it back in time.
void Cluster::pull_the_plug() {
  Node& lost = *holder();
  tell("the plug of node " + std::to_string(lost.index + 1) + " is pulled");
  lost.power_off();
  world_.run_for(takeover(lost));
  checker_.require_settled();
  checker_.judge_clients();
  world_.run_for(2 * kLongestHook);
  start(lost);
  tell("node " + std::to_string(lost.index + 1) + " is back");
  world_.run_for(back(lost) + kLongestHook);
  checker_.require_settled();
}

/// The time that a starting node may need to get its addresses back.
Duration Cluster::back(const Node& node) const {
  const InstanceConfig& config = scenario_.configs[node.index].instances[0];
  Duration longest = active_down_interval(1, config.advert_interval, config.version) + config.startup_delay +
                     config.preempt_delay + config.link_hold + kLongestQuestion + kSlack;
  for (const CheckConfig& check : scenario_.configs[0].checks) longest += check.rules.timeout;
  return longest;
}

void Cluster::be_quiet() {
  const std::uint64_t before = checker_.transitions();
  tell("quiet");
  world_.run_for(scenario_.quiet);
  if (checker_.transitions() != before) violated("a transition while nothing happened");
  checker_.require_hooks_told();
  checker_.require_settled();
}

/// Promise 6: a stop moves the address without a hole. Only a slow hook before a takeover may cause a hole.
void Cluster::stop_all() {
  Node& first = *holder();
  const bool without_hole = scenario_.configs[0].instances[0].hooks.before_active.empty();
  tell("node " + std::to_string(first.index + 1) + " is stopped");
  const auto look = std::exchange(world_.after_each, [this, without_hole] {
    checker_.look();
    if (tells_) tell_transitions();
    for (std::size_t i = 0; without_hole && i < scenario_.configs[0].instances.size(); ++i)
      if (!checker_.held(i)) violated("nobody holds the address during a planned stop");
  });
  first.stop();
  world_.run_for(seconds(5));
  world_.after_each = look;
  for (const auto& node : world_.nodes)
    if (node->alive() && node.get() != &first) node->stop();
  world_.run_for(kLeaving + kLongestHook);
}

void Cluster::tell(const std::string& what) {
  const std::chrono::duration<double> time = world_.now - TimePoint(seconds(1000));
  if (tells_) std::printf("%12.6f  %s\n", time.count(), what.c_str());
}

void Cluster::tell_transitions() {
  for (const auto& node : world_.nodes) {
    if (!node->alive()) {
      told_.erase(node->index);
      continue;
    }
    for (const Transition& change : node->supervisor->events().transitions())
      if (change.sequence > told_[node->index]) {
        told_[node->index] = change.sequence;
        tell("node " + std::to_string(node->index + 1) + " " + change.instance + ": " +
             std::string(vipd::to_string(change.from)) + " -> " + std::string(vipd::to_string(change.to)) + ": " +
             change.reason);
      }
  }
}

Ending run_scenario(const Scenario& scenario, Coverage& coverage, bool tells) {
  return Cluster(scenario, coverage, tells).run();
}

}  // namespace vipd::sim
