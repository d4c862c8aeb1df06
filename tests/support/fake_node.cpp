#include "support/fake_world.hpp"

#include <algorithm>
#include <cstdlib>

namespace vipd::test {
namespace {

constexpr int kFirstIndex = 2;

Interface interface_on(std::size_t lan, std::size_t node) {
  Interface interface{.index = kFirstIndex + static_cast<int>(lan),
                      .name = kLans[lan].name,
                      .mac = {{2, 0, 0, 0, static_cast<std::uint8_t>(lan), static_cast<std::uint8_t>(node + 1)}},
                      .up = true,
                      .running = true,
                      .addresses = {}};
  interface.addresses[{own_address(lan, node, Family::ipv4), 24}] = {};
  interface.addresses[{own_address(lan, node, Family::ipv6), 64}] = {};
  return interface;
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

std::size_t lan_of(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kLans, name, &Lan::name) - kLans.begin());
}

IpAddress own_address(std::size_t lan, std::size_t node, Family family) {
  const std::string host = std::to_string(node + 1);
  return *IpAddress::parse((family == Family::ipv4 ? kLans[lan].network : "fe80::") + host);
}

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
  if (const int error = keep(object); error != 0) return error;
  if (const auto* rule = std::get_if<RuleObject>(&object)) real_rules_.erase(*rule);
  if (const auto* route = std::get_if<RouteObject>(&object)) real_routes_.erase(as_told(*route));
  if (const auto* address = std::get_if<AddressObject>(&object))
    if (const auto interface = real_.find(address->ifindex); interface != real_.end())
      interface->second.addresses.erase(address->prefix);
  return 0;
}

/// The answer to a change that was made or refused.
int FakeKernel::told(const KernelObject& object, int error, std::uint64_t what) {
  const int misreported = misreport(object);
  world_.note(what << 32U | world_.nodes[node_]->index << 16U | static_cast<std::uint64_t>(error));
  if (const auto* address = std::get_if<AddressObject>(&object)) world_.note(address->prefix.address.octets().back());
  return error == 0 ? misreported : error;
}

std::vector<int> FakeKernel::add(std::span<const KernelObject> objects) {
  return change(objects, &FakeKernel::add_one, 1);
}

std::vector<int> FakeKernel::remove(std::span<const KernelObject> objects) {
  return change(objects, &FakeKernel::remove_one, 2);
}

/// `what` is for the digest. What changed nothing is told to nobody.
std::vector<int> FakeKernel::change(std::span<const KernelObject> objects, int (FakeKernel::*one)(const KernelObject&),
                                    std::uint64_t what) {
  std::vector<int> results;
  bool some = false;
  for (const auto& object : objects) {
    const int error = (this->*one)(object);
    some = some || error == 0;
    results.push_back(told(object, error, what));
  }
  if (some) changed();
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
  ++world_.changes;
  world_.at_node(node_, world_.between(microseconds(10), milliseconds(1)) + slow, [this] {
    std::vector<std::string> names = {""};
    for (const auto* links : {&view_.by_index, &real_})
      for (const auto& [index, interface] : *links) names.push_back(interface.name);
    catch_up();
    Node& node = *world_.nodes[node_];
    if (node.alive()) node.supervisor->network_changed(names, world_.now);
  });
}

Result<TimePoint> FakeWire::listen(int ifindex, Family family, const std::bitset<256>& vrids, bool group) {
  if (const int error = fault(); error != 0) return system_failure("cannot listen", error);
  listening[{ifindex, family}] = {vrids, group};
  return world_.now + joining_takes;
}

Result<void> FakeWire::send(int ifindex, const IpAddress& source, const IpAddress& destination,
                            std::span<const std::uint8_t> message) {
  const auto& interfaces = world_.nodes[node_]->kernel.real_;
  const auto interface = interfaces.find(ifindex);
  if (interface == interfaces.end()) return system_failure("cannot send an advert", ENODEV);
  if (!interface->second.running) return system_failure("cannot send an advert", ENETDOWN);
  if (const int error = fault(); error != 0) return system_failure("cannot send an advert", error);
  world_.transmit(node_, interface->second.name, source, destination, message);
  return {};
}

Result<void> FakeWire::announce(int ifindex, std::span<const std::uint8_t> frame) {
  if (is_advert(frame)) {
    const IpAddress source = source_of(frame);
    return send(ifindex, source, vrrp_group(source.family()), message_of(frame));
  }
  if (world_.keeps_records) announced.emplace_back(world_.now, std::vector<std::uint8_t>(frame.begin(), frame.end()));
  return {};
}

void FakeRunner::run(const Command& command, Done done) {
  if (world_.keeps_records) started.push_back(command);
  on_start(command);
  most_at_once = std::max(most_at_once, ++running);
  Outcome fated = fate ? fate(command) : Outcome{.took = duration()};
  const Duration took = fate ? fated.took : std::exchange(fated.took, {});
  world_.at(took, [this, command, fated, alive = alive_, done = std::move(done)] {
    if (!*alive) return;
    --running;
    on_end(command);
    done(fate ? fated : outcome(command));
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

void Node::start(const std::vector<InstanceConfig>& before) {
  kernel.catch_up();
  runner = std::make_unique<FakeRunner>(world_);
  runner->duration = [this] { return world_.between(milliseconds(1), milliseconds(300)); };
  if (world_.on_start) world_.on_start(*this);
  supervisor = std::make_unique<Supervisor>(std::make_shared<const Config>(config), kernel, wire, *runner, claims);
  supervisor->start(world_.now, before);
}

void Node::apply(const Config& wanted) { supervisor->apply(std::make_shared<const Config>(wanted), world_.now); }

/// What waits for it to wake has been told when that will be, so it never becomes earlier.
void Node::sleep(Duration duration) { asleep_until = std::max(asleep_until, world_.now + duration); }

bool Node::asleep() const { return world_.now < asleep_until; }

void Node::kill() {
  leaving_ = false;
  asleep_until = TimePoint();
  kernel.refused.clear();  // the table goes with the process
  supervisor.reset();
  runner.reset();
  wire.listening.clear();
  if (disk_full) claims = ClaimStore();
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
  if (!alive()) return;
  supervisor->stop(world_.now);
  leaving_ = true;
}

}  // namespace vipd::test
