#include <algorithm>

#include "cluster.hpp"
#include "intruder.hpp"
#include "vipd/base/assert.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/daemon/status.hpp"

namespace vipd::sim {
namespace {

std::size_t index(FaultKind kind) { return static_cast<std::size_t>(kind); }

/// Configurations that an operator may write by mistake.
constexpr std::array kBadConfigs = {
    "",
    "[instance",
    "[instance.web]\nvrid = 51\n",
    "[instance.web]\ninterface = \"eth0\"\nvrid = 0\n",
    "[instance.web]\ninterface = \"eth0\"\nvrid = 51\npriority = 300\naddresses = [\"192.0.2.10/24\"]\n",
    "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = []\n",
    "\xff\xfe"};

}  // namespace

/// Carries a fault out. A sleeping node learns of it when it wakes; faults of its machine do not wait.
void Cluster::carry_out(const Fault& fault) {
  tell("-- " + to_string(fault));
  ++coverage_.injected[index(fault.kind)];
  Node& node = *world_.nodes[fault.node];
  const bool done = fault_of_process(fault, node) || fault_of_lan(fault, node) || fault_of_machine(fault, node) ||
                    fault_of_program(fault, node);
  VIPD_ASSERT(done);
}

bool Cluster::fault_of_process(const Fault& fault, Node& node) {
  switch (fault.kind) {
    case FaultKind::crash:
      kill(node);
      return true;
    case FaultKind::power_loss:
      node.power_off();
      places_[node.index].in_force.clear();
      return true;
    case FaultKind::stop:
      node.stop();
      return true;
    case FaultKind::start:
      if (!node.alive()) start(node);
      return true;
    case FaultKind::restart:
      if (!node.alive()) return true;
      kill(node);
      world_.at(milliseconds(10 + fault.dice % 700), [this, &node] {
        if (!node.alive()) start(node);
      });
      return true;
    case FaultKind::reexec:
      if (!node.alive() || node.leaving() || node.asleep()) return true;
      node.supervisor->hand_over(world_.now);
      kill(node);
      start(node);
      return true;
    case FaultKind::pause:
      if (node.alive()) node.sleep(fault.length);
      return true;
    default:
      return false;
  }
}

bool Cluster::fault_of_lan(const Fault& fault, Node& node) {
  switch (fault.kind) {
    case FaultKind::cut:
      world_.connect(fault.node, fault.other, fault.node == fault.other, kLans[fault.lan].name);
      return true;
    case FaultKind::cut_one_way:
      world_.connect_one_way(fault.node, fault.other, fault.node == fault.other, fault.lan);
      return true;
    case FaultKind::join:
      world_.connect(fault.node, fault.other, true);
      return true;
    case FaultKind::isolated:
      isolate(node, true);
      world_.at(fault.length, [this, &node] { isolate(node, false); });
      return true;
    case FaultKind::forgotten:
      world_.flush_neighbours(fault.node);
      return true;
    case FaultKind::loss:
    case FaultKind::duplication:
    case FaultKind::lateness:
    case FaultKind::corruption:
    case FaultKind::loop:
      noise(fault);
      return true;
    case FaultKind::foreign_speaker:
      foreign_speaker(fault);
      return true;
    case FaultKind::attack:
      attack(fault, node);
      return true;
    case FaultKind::garbage:
      garbage(fault, node);
      return true;
    default:
      return false;
  }
}

bool Cluster::fault_of_machine(const Fault& fault, Node& node) {
  switch (fault.kind) {
    case FaultKind::link_down:
      link_down(fault, node);
      return true;
    case FaultKind::second_down: {
      Fault other = fault;
      other.lan = 2;
      link_down(other, node);
      return true;
    }
    case FaultKind::narrow_mtu:
      narrow_mtu(fault, node);
      return true;
    case FaultKind::enslaved:
      enslave(fault, node);
      return true;
    case FaultKind::swapped:
      if (!node.alive()) return true;
      node.sleep(milliseconds(1 + fault.dice % 100));
      swap_interface(node, fault.lan);
      return true;
    case FaultKind::interface_gone:
      interface_gone(fault, node);
      return true;
    case FaultKind::source_gone:
    case FaultKind::source_added:
      move_source(fault, node);
      return true;
    case FaultKind::address_deleted:
      delete_address(fault, node);
      return true;
    case FaultKind::address_added:
      add_address(fault, node);
      return true;
    case FaultKind::strangers:
      strangers(fault, node);
      return true;
    case FaultKind::kernel_refuses:
    case FaultKind::kernel_keeps:
    case FaultKind::kernel_misreports:
    case FaultKind::kernel_slow:
      disturb_kernel(fault, node);
      return true;
    case FaultKind::send_errors:
      disturb_wire(fault, node);
      return true;
    default:
      return false;
  }
}

bool Cluster::fault_of_program(const Fault& fault, Node& node) {
  Place& place = places_[fault.node];
  switch (fault.kind) {
    case FaultKind::hook_trouble:
      place.hooks = static_cast<Trouble>(1 + fault.dice % 3);
      world_.at(fault.length, [&place] { place.hooks = Trouble::none; });
      return true;
    case FaultKind::check_trouble:
      place.checks = static_cast<Trouble>(1 + fault.dice % 4);
      world_.at(fault.length, [&place] { place.checks = Trouble::none; });
      return true;
    case FaultKind::disk_full:
      node.disk_full = true;
      world_.at(fault.length, [&node] { node.disk_full = false; });
      return true;
    case FaultKind::clock_set:
      set_clock(fault, node);
      return true;
    case FaultKind::reload:
      reload(fault, node);
      return true;
    case FaultKind::bad_reload:
      VIPD_ASSERT(!parse_config(kBadConfigs[fault.dice % kBadConfigs.size()]).config);
      ++coverage_.errors[Coverage::reload_refused];
      return true;
    default:
      return false;
  }
}

void Cluster::for_a_while(const Fault& fault, double& chance, double value) {
  chance = value;
  world_.at(fault.length, [&chance] { chance = 0; });
}

void Cluster::noise(const Fault& fault) {
  const double level = static_cast<double>(1 + fault.dice % 50) / 100;
  Noise& noise = world_.noise;
  switch (fault.kind) {
    case FaultKind::loss:
      return for_a_while(fault, world_.loss, fault.dice % 7 == 0 ? 1 : level);
    case FaultKind::duplication:
      noise.late_by = milliseconds(fault.dice / 64 % 5000);
      return for_a_while(fault, noise.duplicated, level);
    case FaultKind::lateness:
      noise.late_by = milliseconds(fault.dice / 64 % 5000);
      return for_a_while(fault, noise.late, level);
    case FaultKind::corruption:
      return for_a_while(fault, noise.corrupted, level);
    default:
      return for_a_while(fault, noise.looped, 1);
  }
}

const InstanceConfig& Cluster::instance_on(const Node& node, std::size_t lan) const {
  return scenario_.configs[node.index].instances[lan];
}

void Cluster::send_to_all(std::size_t lan, const InstanceConfig& instance, const Packet& packet) {
  for (const auto& node : world_.nodes) {
    if (!instance.peers.empty() && packet.destination != own_address(lan, node->index, packet.family)) continue;
    world_.send(packet, node->index, world_.between(world_.delay_low, world_.delay_high));
  }
}

/// A foreign node such as keepalived or FRR that hears no adverts. It uses either checksum, its own interval and order
/// of addresses, and may resign at its end.
void Cluster::foreign_speaker(const Fault& fault) {
  Dice dice(fault.dice);
  InstanceConfig instance = scenario_.configs[fault.node].instances[fault.lan];
  const Duration interval =
      instance.version == 2 || dice.one_in(2) ? instance.advert_interval : instance.advert_interval * 2;
  if (dice.one_in(2)) std::ranges::reverse(instance.addresses);
  if (instance.family() == Family::ipv6 && !instance.addresses[0].prefix.address.is_link_local())
    std::ranges::reverse(instance.addresses);
  const auto priority = static_cast<std::uint8_t>(1 + dice.below(255));
  const auto form = dice.pick({ChecksumForm::message_only, ChecksumForm::pseudo_header});
  const bool resigns = dice.one_in(2);
  const auto say = [this, fault, instance, interval, form](std::uint8_t word) {
    Packet packet = advert_packet(instance, stranger(fault.lan, instance.family()), fault.other, word, interval,
                                  instance.version == 3 ? form : ChecksumForm::message_only);
    packet.hostile = !instance.peers.empty();
    send_to_all(fault.lan, instance, packet);
  };
  for (Duration at{}; at < fault.length; at += interval) world_.at(at, [say, priority] { say(priority); });
  if (resigns) world_.at(fault.length, [say] { say(kResignPriority); });
}

/// Sends valid packets to one node or to all nodes; some pretend to come from one of them.
void Cluster::attack(const Fault& fault, const Node&) {
  Dice dice(fault.dice);
  for (std::uint64_t count = 1 + dice.below(40); count > 0; --count) {
    const Duration when = dice.between({}, fault.length);  // drawn before the seed, in a defined order
    world_.at(when, [this, fault, seed = dice.next()] {
      Dice own(seed);
      const std::size_t to = own.below(world_.nodes.size());
      const InstanceConfig& instance = instance_on(*world_.nodes[to], fault.lan);
      const bool spoofed = !instance.peers.empty() || own.one_in(2);
      const IpAddress source = spoofed ? own_address(fault.lan, (to + 1) % world_.nodes.size(), instance.family())
                                       : stranger(fault.lan, instance.family());
      const Duration interval =
          instance.version == 2 ? instance.advert_interval : Duration(milliseconds(10 * (1 + own.below(4095))));
      const auto priority = static_cast<std::uint8_t>(own.pick<std::uint64_t>({0, 255, own.below(256)}));
      const auto form = instance.version == 2 ? ChecksumForm::message_only : ChecksumForm::pseudo_header;
      const Packet packet = advert_packet(instance, source, to, priority, interval, form);
      if (own.one_in(2))
        world_.send(packet, to, world_.delay_low);
      else
        send_to_all(fault.lan, instance, packet);
    });
  }
}

void Cluster::garbage(const Fault& fault, const Node& node) {
  Dice dice(fault.dice);
  for (std::uint64_t count = 1 + dice.below(40); count > 0; --count) {
    const Packet packet = garbage_packet(instance_on(node, fault.lan), node.index, dice);
    world_.at(dice.between({}, fault.length),
              [this, packet, to = node.index] { world_.send(packet, to, world_.delay_low); });
  }
}

void Cluster::link_down(const Fault& fault, Node& node) {
  const auto set = [&node, lan = fault.lan](bool running) {
    Interface* interface = node.kernel.real(kLans[lan].name);
    if (interface == nullptr) return;
    interface->running = running;
    node.kernel.changed();
  };
  set(false);
  world_.at(fault.length, [set] { set(true); });
}

/// Removes an interface with its dependent objects, as the kernel does.
void Cluster::interface_gone(const Fault& fault, Node& node) {
  SimKernel& kernel = node.kernel;
  Interface* interface = kernel.real(kLans[fault.lan].name);
  if (interface == nullptr) return;
  Interface& kept = places_[node.index].gone[fault.lan] = *interface;
  std::erase_if(kept.addresses, [](const auto& each) { return each.second.tag == kKernelTag; });
  const int lost = interface->index;
  kernel.erase_links([lost](const Interface& each) { return each.index == lost || each.parent == lost; });
  std::erase_if(kernel.real_routes_, [&](const RouteObject& route) { return route.ifindex == lost; });
  kernel.changed();
  world_.at(fault.length, [this, &node, lan = fault.lan] { interface_back(node, lan); });
}

void Cluster::interface_back(Node& node, std::size_t lan) {
  auto& gone = places_[node.index].gone;
  const auto kept = gone.find(lan);
  if (kept == gone.end()) return;
  int free = 100;
  for (const auto& [number, interface] : node.kernel.real_) free = std::max(free, number + 1);
  kept->second.index = free;
  kept->second.running = kept->second.up = true;
  const auto addresses = std::exchange(kept->second.addresses, {});
  node.kernel.real_[free] = kept->second;
  node.kernel.settings["ipv6/conf/" + kept->second.name + "/addr_gen_mode"] = 0;  // the small MTU is gone, too
  for (const auto& [prefix, state] : addresses) node.kernel.others_add(kept->second.name, prefix);
  gone.erase(kept);
  node.kernel.changed();
}

/// Removes the own address of a node, or replaces it by another one.
void Cluster::move_source(const Fault& fault, Node& node) {
  const Family family = instance_on(node, fault.lan).family();
  const std::uint8_t length = family == Family::ipv4 ? 24 : 64;
  const IpPrefix own{own_address(fault.lan, node.index, family), length};
  const IpPrefix other{own_address(fault.lan, node.index + 100, family), length};
  const auto change = [&node, lan = fault.lan](const IpPrefix& from, const IpPrefix& to) {
    node.kernel.others_remove(kLans[lan].name, from);
    if (to.length != 0) node.kernel.others_add(kLans[lan].name, to);
  };
  change(own, fault.kind == FaultKind::source_added ? other : IpPrefix());
  world_.at(fault.length, [change, own, other] { change(other, own); });
}

void Cluster::delete_address(const Fault& fault, Node& node) {
  for (auto& [ifindex, interface] : node.kernel.real_) {
    std::vector<IpPrefix> ours;
    for (const auto& [prefix, state] : interface.addresses)
      if (state.tag == kKernelTag) ours.push_back(prefix);
    for (const IpPrefix& prefix : ours) node.kernel.others_remove(interface.name, prefix);
    if (!ours.empty() && fault.dice % 2 == 0) return;
  }
}

void Cluster::add_address(const Fault& fault, Node& node) {
  const auto& addresses = instance_on(node, fault.lan).addresses;
  node.kernel.others_add(kLans[fault.lan].name, addresses[fault.dice % addresses.size()].prefix);
}

void Cluster::narrow_mtu(const Fault& fault, Node& node) {
  node.kernel.set_narrow(kLans[fault.lan].name, true);
  world_.at(fault.length, [&node, lan = fault.lan] { node.kernel.set_narrow(kLans[lan].name, false); });
}

/// Makes the interface a port. Its addresses stay, and its packets go to the bridge.
void Cluster::enslave(const Fault& fault, Node& node) {
  constexpr std::array kKinds = {"bridge", "bond", "team", "openvswitch", "hsr", "batadv"};
  const auto set = [&node, lan = fault.lan](const std::string& kind) {
    Interface* interface = node.kernel.real(kLans[lan].name);
    if (interface == nullptr) return;
    interface->port_of = kind;
    node.kernel.changed();
  };
  set(kKinds[fault.dice % kKinds.size()]);
  world_.at(fault.length, [set] { set(""); });
}

/// Replaces the interface. The new one has the machine's own addresses and no memberships of groups.
void Cluster::swap_interface(Node& node, std::size_t lan) {
  const std::string& name = kLans[lan].name;
  Interface* interface = node.kernel.real(name);
  if (interface == nullptr) return;
  const int index = interface->index;
  interface->addresses.clear();
  node.kernel.erase_links([index](const Interface& each) { return each.parent == index; });
  std::erase_if(node.kernel.real_routes_, [&](const RouteObject& route) { return route.ifindex == index; });
  for (const Family family : {Family::ipv4, Family::ipv6}) node.wire.drop_membership(index, family);
  node.kernel.others_add(name, {own_address(lan, node.index, Family::ipv4), 24});
  node.kernel.others_add(name, {own_address(lan, node.index, Family::ipv6), 64});
}

/// Others add an address, in our subnet or in their own, and a route over the interface.
void Cluster::strangers(const Fault& fault, Node& node) {
  const Interface* interface = node.kernel.real(kLans[fault.lan].name);
  if (interface == nullptr) return;
  const std::string network = fault.dice % 4 == 0 ? "203.0.113." : kLans[fault.lan].network;
  const IpPrefix prefix{*IpAddress::parse(network + std::to_string(150 + fault.dice / 4 % 8)), 24};
  node.kernel.others_add(interface->name, prefix);
  node.kernel.foreign_routes_.insert(
      {.to = {*IpAddress::parse("198.19.0.0"), 16}, .ifindex = interface->index, .via = prefix.address});
  if (fault.dice / 32 % 2 == 0)
    world_.at(fault.length, [&node, name = interface->name, prefix] { node.kernel.others_remove(name, prefix); });
}

void Cluster::disturb_kernel(const Fault& fault, Node& node) {
  SimKernel& kernel = node.kernel;
  // By then removals are tried again (leftovers.cpp), and the last late report has come.
  const bool lingers = fault.kind == FaultKind::kernel_keeps || fault.kind == FaultKind::kernel_slow;
  const Duration retry = lingers ? milliseconds(100) : Duration();
  checker_.excuse_kernel(node.index, world_.now + fault.length + retry);
  const std::uint64_t always = fault.dice / 8 % 2;
  const auto error = [this, always, code = fault.dice / 16](Coverage::ErrorPath path,
                                                            std::initializer_list<int> errors) {
    if (always == 0 && world_.random() % 2 == 0) return 0;
    ++coverage_.errors[path];
    return errors.begin()[code % errors.size()];
  };
  if (fault.kind == FaultKind::kernel_keeps) {
    kernel.keep = [error](const KernelObject&) { return error(Coverage::removal_refused, {ENOBUFS, EPERM, ENOMEM}); };
    world_.at(fault.length, [&kernel] { kernel.keep = [](const KernelObject&) { return 0; }; });
  } else if (fault.kind == FaultKind::kernel_slow) {
    kernel.slow = milliseconds(fault.dice % 100);
    world_.at(fault.length, [&kernel] { kernel.slow = {}; });
  } else if (fault.kind == FaultKind::kernel_refuses) {
    kernel.refuse = [error](const KernelObject&) {
      return error(Coverage::add_refused, {ENOBUFS, EPERM, ENOMEM, EINVAL});
    };
    kernel.can_refuse = fault.dice / 64 % 2 == 0;
    world_.at(fault.length, [&kernel] {
      kernel.refuse = [](const KernelObject&) { return 0; };
      kernel.can_refuse = true;
    });
  } else {
    kernel.misreport = [error](const KernelObject&) { return error(Coverage::misreported, {EIO, ENOBUFS}); };
    world_.at(fault.length, [&kernel] { kernel.misreport = [](const KernelObject&) { return 0; }; });
  }
}

void Cluster::disturb_wire(const Fault& fault, Node& node) {
  const bool always = fault.dice / 8 % 2 == 0;
  node.wire.fault = [this, &node, always, code = fault.dice / 16] {
    if (!always && world_.random() % 2 == 0) return 0;
    checker_.send_failed(node.index);
    ++coverage_.errors[Coverage::send_failed];
    return std::array{ENOBUFS, EPERM, ENETUNREACH}[code % 3];
  };
  world_.at(fault.length, [&node] { node.wire.fault = [] { return 0; }; });
}

/// Sets the clock to any year from 1970 to 2169. The time of day is only shown and decides nothing.
void Cluster::set_clock(const Fault& fault, const Node& node) const {
  if (!node.alive()) return;
  const std::chrono::system_clock::time_point wall{std::chrono::years(static_cast<int>(fault.dice % 200))};
  const Clocks clocks{.monotonic = world_.now, .wall = wall};
  const auto status = status_document(*node.supervisor, {}, {.host = "node", .started = world_.now}, clocks);
  const Duration age = world_.now - node.supervisor->routers().front()->since();
  const std::string shown = status["instances"][0]["since"];
  if (shown != format_rfc3339(wall - std::chrono::duration_cast<std::chrono::system_clock::duration>(age)))
    throw Violation{"the status of node " + std::to_string(node.index + 1) + " has another time: " + shown};
}

void Cluster::reload(const Fault& fault, Node& node) {
  apply(node, reloaded(scenario_.configs[node.index], fault.dice));
}

void Cluster::apply(Node& node, const Config& config) {
  world_.at_node(node.index, {}, [this, &node, config] {
    places_[node.index].wanted = config;
    if (!node.alive() || node.leaving()) return;
    put_in_force(node, config);
    ++coverage_.errors[Coverage::reload_applied];
    node.apply(config);
  });
}

}  // namespace vipd::sim
