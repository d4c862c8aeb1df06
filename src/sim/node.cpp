#include "vipd/sim/world.hpp"

#include <algorithm>
#include <cstdlib>

namespace vipd::sim {
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

/// True for a frame that carries an advert, see advert_frame(). The IPv4 header has 20 octets, the IPv6 header 40.
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

bool names(const InstanceConfig& config, const std::string& interface) {
  const auto is_on = [&](const auto& object) { return object.interface == interface; };
  return config.interface == interface || std::ranges::any_of(config.addresses, is_on) ||
         std::ranges::any_of(config.routes, is_on);
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

Result<TimePoint> SimWire::listen(int ifindex, Family family, const std::bitset<256>& vrids, bool group) {
  if (const int error = fault(); error != 0) return system_failure("cannot listen", error);
  listening[{ifindex, family}] = {vrids, group, group};
  return world_.now + joining_takes;
}

Result<std::set<std::pair<int, Family>>> SimWire::memberships() const {
  std::set<std::pair<int, Family>> members;
  for (const auto& [key, socket] : listening)
    if (socket.member) members.insert(key);
  return members;
}

void SimWire::drop_membership(int ifindex, Family family) {
  const auto socket = listening.find({ifindex, family});
  if (socket != listening.end()) socket->second.member = false;
}

Result<void> SimWire::send(int ifindex, const IpAddress& source, const IpAddress& destination,
                           std::span<const std::uint8_t> message) {
  const auto& interfaces = world_.nodes[node_]->kernel.real_;
  const auto interface = interfaces.find(ifindex);
  if (interface == interfaces.end()) return system_failure("cannot send an advert", ENODEV);
  if (!interface->second.running) return system_failure("cannot send an advert", ENETDOWN);
  if (const int error = fault(); error != 0) return system_failure("cannot send an advert", error);
  world_.transmit(node_, interface->second.name, source, destination, message);
  return {};
}

Result<void> SimWire::announce(int ifindex, std::span<const std::uint8_t> frame) {
  if (is_advert(frame)) {
    const IpAddress source = source_of(frame);
    auto sent = send(ifindex, source, vrrp_group(source.family()), message_of(frame));
    if (sent) world_.announced(node_, ifindex, frame);
    return sent;
  }
  world_.announced(node_, ifindex, frame);
  if (world_.keeps_records) announced.emplace_back(world_.now, std::vector<std::uint8_t>(frame.begin(), frame.end()));
  return {};
}

void SimRunner::run(const Command& command, Done done) {
  if (world_.keeps_records) started.push_back(command);
  on_start(command);
  most_at_once = std::max(most_at_once, ++running);
  Outcome fated = fate ? fate(command) : Outcome{.took = duration()};
  const Duration took = fate ? fated.took : std::exchange(fated.took, {});
  const std::string subject = command.environment.empty() ? "" : command.environment.front();
  const auto asked = fate ? std::nullopt : std::optional(command);
  world_.at_program(node_, took, [this, subject, asked, fated, alive = alive_, done = std::move(done)] {
    if (!*alive) return;
    --running;
    on_end(subject);
    done(asked ? outcome(*asked) : fated);
  });
}

Node::Node(World& world, std::size_t number, Config wanted)
    : index(number), config(std::move(wanted)), kernel(world, number), wire(world, number), world_(world) {
  kernel.settings = {{"ipv4/conf/all/rp_filter", 0}, {"ipv4/conf/all/arp_filter", 0}};
  for (std::size_t lan = 0; lan < std::size(kLans); ++lan) {
    const std::string name = kLans[lan].name;
    if (!std::ranges::any_of(config.instances, [&](const auto& each) { return names(each, name); })) continue;
    kernel.real_[kFirstIndex + static_cast<int>(lan)] = interface_on(lan, number);
    for (const char* setting : {"/arp_ignore", "/arp_announce"}) kernel.settings["ipv4/conf/" + name + setting] = 0;
    kernel.settings["ipv6/conf/" + name + "/addr_gen_mode"] = 0;
  }
}

void Node::start(const std::vector<InstanceConfig>& before) {
  powered = true;
  kernel.catch_up();
  runner = std::make_unique<SimRunner>(world_, index);
  runner->duration = [this] { return world_.between(milliseconds(1), milliseconds(300)); };
  if (world_.on_start) world_.on_start(*this);
  claims = std::make_unique<ClaimStore>(store, kClaimsFile);
  supervisor = std::make_unique<Supervisor>(std::make_shared<const Config>(config), kernel, wire, *runner, *claims,
                                            journal.empty() ? HookJournal() : HookJournal(store, journal));
  supervisor->observe(world_.on_step);
  supervisor->start(world_.now, before);
}

void Node::apply(const Config& wanted) { supervisor->apply(std::make_shared<const Config>(wanted), world_.now); }

/// The end of the sleep never becomes earlier: waiting events have been planned for it.
void Node::sleep(Duration duration) { asleep_until = std::max(asleep_until, world_.now + duration); }

bool Node::asleep() const { return world_.now < asleep_until; }

void Node::kill() {
  if (std::exchange(leaving_, false)) --world_.leaving;
  asleep_until = TimePoint();
  kernel.refused.clear();  // the table of nf_tables ends with the process
  supervisor.reset();
  claims.reset();
  runner.reset();
  wire.listening.clear();
  if (disk_full) store.clear();
}

void Node::power_off() {
  kill();
  powered = false;
  store.clear();  // the runtime directory is in memory
  kernel.real_routes_.clear();
  kernel.real_rules_.clear();
  kernel.erase_links([](const Interface& each) { return each.name.starts_with("vrrp"); });
  for (auto& [name, value] : kernel.settings) value = 0;
  for (auto& [ifindex, interface] : kernel.real_)
    std::erase_if(interface.addresses, [](const auto& entry) { return entry.second.tag == kKernelTag; });
}

void Node::stop() {
  if (asleep()) return world_.at_node(index, Duration::zero(), [this] { stop(); });
  if (!alive()) return;
  supervisor->stop(world_.now);
  if (!std::exchange(leaving_, true)) ++world_.leaving;
}

}  // namespace vipd::sim
