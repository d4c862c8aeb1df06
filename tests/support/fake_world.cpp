#include "support/fake_world.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace vipd::test {
namespace {

constexpr int kFirstIndex = 2;

struct Lan {
  const char *name, *network;
};
constexpr Lan kLans[] = {{"eth0", "192.0.2."}, {"eth1", "198.51.100."}, {"eth2", "203.0.113."}};

/// The interface of a node on the LAN number `lan`.
Interface interface_on(std::size_t lan, std::size_t node) {
  const std::string host = std::to_string(node + 1);
  Interface interface{.index = kFirstIndex + static_cast<int>(lan),
                      .name = kLans[lan].name,
                      .mac = {{2, 0, 0, 0, static_cast<std::uint8_t>(lan), static_cast<std::uint8_t>(node + 1)}},
                      .running = true,
                      .addresses = {}};
  interface.addresses[{*IpAddress::parse(kLans[lan].network + host), 24}] = {};
  interface.addresses[{*IpAddress::parse("fe80::" + host), 64}] = {};
  return interface;
}

/// An IPv4 packet as a raw socket delivers it.
std::vector<std::uint8_t> ipv4_packet(const IpAddress& source, const IpAddress& destination,
                                      std::span<const std::uint8_t> message) {
  const std::size_t total = 20 + message.size();
  std::vector<std::uint8_t> packet = {0x45,
                                      0xc0,
                                      static_cast<std::uint8_t>(total >> 8),
                                      static_cast<std::uint8_t>(total),
                                      0,
                                      0,
                                      0,
                                      0,
                                      255,
                                      kVrrpProtocol,
                                      0,
                                      0};
  packet.insert(packet.end(), source.octets().begin(), source.octets().end());
  packet.insert(packet.end(), destination.octets().begin(), destination.octets().end());
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(0, packet)));
  packet[10] = static_cast<std::uint8_t>(checksum >> 8);
  packet[11] = static_cast<std::uint8_t>(checksum);
  packet.insert(packet.end(), message.begin(), message.end());
  return packet;
}

/// Of a frame that carries an advert, see advert_frame(): IPv4 has a header of 20 octets, IPv6 of 40.
bool is_advert(std::span<const std::uint8_t> frame) {
  const bool ipv4 = frame[12] == 0x08 && frame[13] == 0x00, ipv6 = frame[12] == 0x86;
  return (ipv4 && frame[14 + 9] == kVrrpProtocol) || (ipv6 && frame[14 + 6] == kVrrpProtocol);
}
IpAddress source_of(std::span<const std::uint8_t> frame) {
  return frame[12] == 0x08 ? IpAddress(Family::ipv4, frame.subspan(14 + 12, 4))
                           : IpAddress(Family::ipv6, frame.subspan(14 + 8, 16));
}
std::span<const std::uint8_t> message_of(std::span<const std::uint8_t> frame) {
  return frame.subspan(frame[12] == 0x08 ? 14 + 20 : 14 + 40);
}

}  // namespace

InstanceConfig web_instance(std::uint8_t priority) {
  InstanceConfig instance;
  instance.name = "web";
  instance.interface = "eth0";
  instance.vrid = 51;
  instance.priority = priority;
  instance.addresses = {{{.prefix = {*IpAddress::parse("192.0.2.10"), 24}}}};
  instance.hooks.any = {"/etc/vipd/hooks/web"};
  return instance;
}

std::uint64_t seed_from_environment(std::uint64_t otherwise) {
  const char* text = std::getenv("VIPD_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : otherwise;
}

Interface* FakeKernel::real(const std::string& name) {
  for (auto& [index, interface] : real_)
    if (interface.name == name) return &interface;
  return nullptr;
}

bool FakeKernel::has(const IpAddress& address) const {
  for (const auto& [index, interface] : real_)
    for (const auto& [prefix, state] : interface.addresses)
      if (prefix.address == address) return true;
  return false;
}

int FakeKernel::add_one(const KernelObject& object) {
  if (const int error = refuse(object); error != 0) return error;
  const auto added = [](bool is_new) { return is_new ? 0 : EEXIST; };
  if (const auto* rule = std::get_if<RuleObject>(&object)) return added(real_rules_.insert(*rule).second);
  if (const auto* address = std::get_if<AddressObject>(&object)) {
    const auto interface = real_.find(address->ifindex);
    if (interface == real_.end()) return ENODEV;
    return added(interface->second.addresses.emplace(address->prefix, AddressState{.tag = kKernelTag}).second);
  }
  const RouteObject route = as_told(std::get<RouteObject>(object));
  if (route.type == RouteType::unicast && !real_.contains(route.ifindex)) return ENODEV;
  return added(!foreign_routes_.contains(route) && real_routes_.insert(route).second);
}

int FakeKernel::remove_one(const KernelObject& object) {
  if (const auto* rule = std::get_if<RuleObject>(&object)) real_rules_.erase(*rule);
  if (const auto* route = std::get_if<RouteObject>(&object)) real_routes_.erase(as_told(*route));
  if (const auto* address = std::get_if<AddressObject>(&object))
    if (const auto interface = real_.find(address->ifindex); interface != real_.end())
      interface->second.addresses.erase(address->prefix);
  return 0;
}

std::vector<int> FakeKernel::add(std::span<const KernelObject> objects) {
  std::vector<int> results;
  for (const auto& object : objects) results.push_back(add_one(object));
  changed();
  return results;
}

std::vector<int> FakeKernel::remove(std::span<const KernelObject> objects) {
  std::vector<int> results;
  for (const auto& object : objects) results.push_back(remove_one(object));
  changed();
  return results;
}

void FakeKernel::catch_up() {
  view_.by_index = real_;
  view_.routes = real_routes_;
  view_.rules = real_rules_;
}

int FakeKernel::add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) {
  if (!real_.contains(parent)) return ENODEV;
  for (const auto& [index, interface] : real_)
    if (interface.name == name) return EEXIST;
  const int index = real_.rbegin()->first + 1;
  real_[index] = {.index = index, .name = name, .mac = mac, .macvlan = true, .parent = parent, .alias = alias};
  for (const char* ipv4 : {"arp_ignore", "arp_announce", "rp_filter"}) settings["ipv4/conf/" + name + "/" + ipv4] = 0;
  for (const char* ipv6 : {"addr_gen_mode", "accept_ra", "autoconf"}) settings["ipv6/conf/" + name + "/" + ipv6] = 0;
  link_changed(index);
  return 0;
}

int FakeKernel::set_link(int ifindex, bool up, const std::string& alias) {
  const auto link = real_.find(ifindex);
  if (link == real_.end()) return ENODEV;
  link->second.up = link->second.running = up;
  link->second.alias = alias;
  link_changed(ifindex);
  return 0;
}

int FakeKernel::remove_link(int ifindex) {
  if (real_.erase(ifindex) == 0) return ENODEV;
  link_changed(ifindex);
  return 0;
}

/// The one link of the view is the kernel's at once, the rest follows.
void FakeKernel::link_changed(int ifindex) {
  view_.by_index.erase(ifindex);
  if (const auto link = real_.find(ifindex); link != real_.end()) view_.by_index.insert(*link);
  changed();
}

std::optional<int> FakeKernel::setting(const std::string& name) const {
  const auto found = settings.find(name);
  return found != settings.end() ? std::optional(found->second) : std::nullopt;
}

int FakeKernel::set_setting(const std::string& name, int value) {
  if (read_only.contains(name)) return EROFS;
  if (!settings.contains(name)) return ENOENT;
  settings[name] = value;
  return 0;
}

Result<void> FakeKernel::refuse_packets(std::span<const IpAddress> addresses) {
  if (!can_refuse) return failure("no nf_tables");
  refused.insert(addresses.begin(), addresses.end());
  return {};
}

Result<void> FakeKernel::accept_packets(std::span<const IpAddress> addresses) {
  for (const auto& address : addresses) refused.erase(address);
  return {};
}

void FakeKernel::changed() {
  world_.at_node(node_, world_.between(microseconds(10), milliseconds(1)), [this] {
    std::vector<std::string> names = {""};
    for (const auto* links : {&view_.by_index, &real_})
      for (const auto& [index, interface] : *links) names.push_back(interface.name);
    catch_up();
    Node& node = *world_.nodes[node_];
    if (node.alive()) node.supervisor->network_changed(names, world_.now);
  });
}

Result<void> FakeWire::listen(int ifindex, Family, const std::bitset<256>& vrids, bool group) {
  listening[ifindex] = {vrids, group};
  return {};
}

Result<void> FakeWire::send(int ifindex, const IpAddress& source, const IpAddress& destination,
                            std::span<const std::uint8_t> message) {
  const auto& interfaces = world_.nodes[node_]->kernel.real_;
  const auto interface = interfaces.find(ifindex);
  if (interface == interfaces.end()) return system_failure("cannot send an advert", ENODEV);
  if (!interface->second.running) return system_failure("cannot send an advert", ENETDOWN);
  world_.transmit(node_, interface->second.name, source, destination, message);
  return {};
}

Result<void> FakeWire::announce(int ifindex, std::span<const std::uint8_t> frame) {
  if (is_advert(frame)) {
    const IpAddress source = source_of(frame);
    return send(ifindex, source, vrrp_group(source.family()), message_of(frame));
  }
  announced.emplace_back(world_.now, std::vector<std::uint8_t>(frame.begin(), frame.end()));
  return {};
}

void FakeRunner::run(const Command& command, Done done) {
  started.push_back(command);
  most_at_once = std::max(most_at_once, ++running);
  world_.at(duration(), [this, command, alive = alive_, done = std::move(done)] {
    if (!*alive) return;
    --running;
    done(outcome(command));
  });
}

Node::Node(World& world, std::size_t number, Config wanted)
    : index(number), config(std::move(wanted)), kernel(world, number), wire(world, number), world_(world) {
  kernel.settings = {{"ipv4/conf/all/rp_filter", 0}, {"ipv4/conf/all/arp_filter", 0}};
  for (std::size_t lan = 0; lan < std::size(kLans); ++lan) {
    const std::string name = kLans[lan].name;
    const bool used = std::ranges::count(config.instances, name, &InstanceConfig::interface) > 0;
    if (!used) continue;
    kernel.real_[kFirstIndex + static_cast<int>(lan)] = interface_on(lan, number);
    for (const char* setting : {"/arp_ignore", "/arp_announce"}) kernel.settings["ipv4/conf/" + name + setting] = 0;
  }
}

void Node::start() {
  kernel.catch_up();
  runner = std::make_unique<FakeRunner>(world_);
  runner->duration = [this] { return world_.between(milliseconds(1), milliseconds(300)); };
  supervisor = std::make_unique<Supervisor>(config, kernel, wire, *runner, claims);
  supervisor->start(world_.now);
}

void Node::sleep(Duration duration) { asleep_until = world_.now + duration; }

bool Node::asleep() const { return world_.now < asleep_until; }

void Node::kill() {
  leaving_ = false;
  asleep_until = TimePoint();
  kernel.refused.clear();  // the table goes with the process
  supervisor.reset();
  runner.reset();
  wire.listening.clear();
}

void Node::power_off() {
  kill();
  claims = ClaimStore();
  kernel.real_routes_.clear();
  kernel.real_rules_.clear();
  std::erase_if(kernel.real_, [](const auto& entry) { return entry.second.macvlan; });
  for (auto& [name, value] : kernel.settings) value = 0;
  for (auto& [ifindex, interface] : kernel.real_)
    std::erase_if(interface.addresses, [](const auto& entry) { return entry.second.tag == kKernelTag; });
}

void Node::stop() {
  if (asleep()) return world_.at_node(index, Duration::zero(), [this] { stop(); });
  if (alive()) supervisor->stop(world_.now);
  leaving_ = true;
}

Node& World::add_node(std::uint8_t priority, const std::function<void(InstanceConfig&)>& adjust) {
  Config config;
  config.instances.push_back(web_instance(priority));
  if (adjust) adjust(config.instances.front());
  return add_node(config);
}

Node& World::add_node(const Config& config) {
  nodes.push_back(std::make_unique<Node>(*this, nodes.size(), config));
  return *nodes.back();
}

Duration World::between(Duration low, Duration high) {
  return Duration(std::uniform_int_distribution<Duration::rep>(low.count(), high.count())(random));
}

void World::at(Duration from_now, std::function<void()> what) {
  planned_.push({now + from_now, ++order_, std::move(what)});
}

void World::at_node(std::size_t index, Duration from_now, const std::function<void()>& what) {
  at(from_now, [this, index, what] {
    const Node& node = *nodes[index];
    if (!node.asleep()) return what();
    at_node(index, node.asleep_until - now, what);
  });
}

void World::connect(std::size_t a, std::size_t b, bool connected) {
  for (const Lan& lan : kLans) connect(a, b, connected, lan.name);
}

void World::connect(std::size_t a, std::size_t b, bool connected, const std::string& lan) {
  const std::tuple key{lan, std::min(a, b), std::max(a, b)};
  if (connected)
    cut_.erase(key);
  else
    cut_.insert(key);
}

void World::transmit(std::size_t from, const std::string& lan, const IpAddress& source, const IpAddress& destination,
                     std::span<const std::uint8_t> message) {
  adverts.push_back({now, from, message[2]});
  const Family family = source.family();
  const auto octets = family == Family::ipv4 ? ipv4_packet(source, destination, message)
                                             : std::vector<std::uint8_t>(message.begin(), message.end());
  for (const auto& node : nodes) {
    const std::size_t to = node->index;
    if (to == from) continue;
    if (!connected(from, to, lan) || chance() < loss) {
      on_lost(from, to, lan);
      continue;
    }
    at_node(to, between(delay_low, delay_high), [this, to, lan, family, source, destination, octets] {
      Node& receiver = *nodes[to];
      Interface* interface = receiver.kernel.real(lan);
      if (!receiver.alive() || interface == nullptr || !interface->running) return;
      const auto listening = receiver.wire.listening.find(interface->index);
      if (listening == receiver.wire.listening.end()) return;
      if (destination.is_multicast() ? !listening->second.group : !receiver.kernel.has(destination)) return;
      receiver.supervisor->received({.ifindex = interface->index,
                                     .family = family,
                                     .octets = octets,
                                     .source = source,
                                     .destination = destination,
                                     .hop_limit = 255},
                                    now);
    });
  }
}

World::World(std::uint64_t seed) : random(seed) {
  spdlog::set_level(std::getenv("VIPD_LOG") != nullptr ? spdlog::level::info : spdlog::level::off);
}

TimePoint World::next_deadline() const {
  TimePoint earliest = kNever;
  for (const auto& node : nodes)
    if (node->alive()) earliest = std::min(earliest, std::max(node->supervisor->deadline(), node->asleep_until));
  return earliest;
}

void World::run_for(Duration duration) {
  const TimePoint end = now + duration;
  while (true) {
    const TimePoint deadline = next_deadline();
    const TimePoint next = planned_.empty() ? deadline : std::min(deadline, planned_.top().time);
    if (next > end) break;
    now = std::max(now, next);
    if (!planned_.empty() && planned_.top().time <= now) {  // what has arrived comes before what is due
      const auto what = planned_.top().what;
      planned_.pop();
      what();
    } else {
      for (const auto& node : nodes)
        if (node->alive() && !node->asleep() && now >= node->supervisor->deadline()) node->supervisor->on_deadline(now);
    }
    for (const auto& node : nodes)
      if (node->has_left()) node->kill();
    after_each();
  }
  now = end;
}

std::size_t World::holders() const {
  const IpAddress& address = nodes.front()->config.instances.front().addresses.front().prefix.address;
  return static_cast<std::size_t>(
      std::ranges::count_if(nodes, [&](const auto& node) { return node->kernel.has(address); }));
}

}  // namespace vipd::test
