#include "vipd/sim/world.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace vipd::sim {
void append_ipv4_header(std::vector<std::uint8_t>& packet, const IpAddress& source, const IpAddress& destination,
                        std::size_t size, std::uint8_t hop_limit) {
  const std::size_t total = 20 + size;
  const auto high = static_cast<std::uint8_t>(total >> 8), low = static_cast<std::uint8_t>(total);
  packet.insert(packet.end(), {0x45, 0xc0, high, low, 0, 0, 0, 0, hop_limit, kVrrpProtocol, 0, 0});
  packet.insert(packet.end(), source.octets().begin(), source.octets().end());
  packet.insert(packet.end(), destination.octets().begin(), destination.octets().end());
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(0, packet)));
  packet[10] = static_cast<std::uint8_t>(checksum >> 8);
  packet[11] = static_cast<std::uint8_t>(checksum);
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
  const auto width = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + Duration(static_cast<Duration::rep>(random() % width));
}

void World::note(std::uint64_t what) {
  const std::uint64_t mixed =
      (digest ^ what ^ static_cast<std::uint64_t>(now.time_since_epoch().count())) * 0x9E37'79B9'7F4A'7C15U;
  digest = mixed ^ mixed >> 29U;
}

void World::plan(TimePoint time, std::uint32_t index, std::uint32_t node) {
  planned_.push_back({time, ++order_, index, node});
  std::push_heap(planned_.begin(), planned_.end());
}

void World::at(Duration from_now, std::function<void()> what) {
  plan(now + from_now, pooled_task(std::move(what)), kTask);
}

void World::at_program(std::size_t node, Duration from_now, std::function<void()> what) {
  plan(now + from_now, pooled_task(std::move(what)), static_cast<std::uint32_t>(node) | kOfProgram);
}

std::uint32_t World::pooled_task(std::function<void()> what) {
  if (free_tasks_.empty()) {
    free_tasks_.push_back(static_cast<std::uint32_t>(tasks_.size()));
    tasks_.emplace_back();
  }
  const std::uint32_t index = free_tasks_.back();
  free_tasks_.pop_back();
  tasks_[index] = std::move(what);
  return index;
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
  connect_one_way(a, b, connected, lan_of(lan));
  connect_one_way(b, a, connected, lan_of(lan));
}

void World::connect_one_way(std::size_t from, std::size_t to, bool connected, std::size_t lan) {
  const std::uint32_t bit = 1U << to;
  cut_[lan][from] = connected ? cut_[lan][from] & ~bit : cut_[lan][from] | bit;
}

bool World::connected(std::size_t a, std::size_t b, const std::string& lan) const {
  return hears(a, b, lan_of(lan)) && hears(b, a, lan_of(lan));
}

std::uint32_t World::pooled_packet() {
  if (free_packets_.empty()) {
    free_packets_.push_back(static_cast<std::uint32_t>(packets_.size()));
    packets_.emplace_back();
  }
  const std::uint32_t index = free_packets_.back();
  free_packets_.pop_back();
  return index;
}

void World::transmit(std::size_t from, const std::string& lan, const IpAddress& source, const IpAddress& destination,
                     std::span<const std::uint8_t> message) {
  const SentAdvert advert{now, from, message[2]};
  const std::size_t number = lan_of(lan);
  note(3ULL << 32U | from << 16U | message[2]);
  if (keeps_records) adverts.push_back(advert);
  if (on_advert) on_advert(advert, number, message);
  const std::uint32_t index = pooled_packet();
  Packet& packet = packets_[index].packet;
  packet.lan = number;
  packet.family = source.family();
  packet.source = source;
  packet.destination = destination;
  packet.hop_limit = 255;
  packet.hostile = false;
  packet.octets.clear();
  if (packet.family == Family::ipv4) append_ipv4_header(packet.octets, source, destination, message.size());
  packet.octets.insert(packet.octets.end(), message.begin(), message.end());
  spread(index, from);
}

/// Sends a packet to all other nodes that the LAN connects.
void World::spread(std::uint32_t index, std::size_t from) {
  Pooled& pooled = packets_[index];
  pooled.receivers = 1;  // this function holds the packet until its end
  const std::size_t lan = pooled.packet.lan;
  const bool left = !resolves || pooled.packet.destination.is_multicast() || leaves(pooled.packet, from);
  for (std::size_t to = 0; to < nodes.size(); ++to) {
    if (to == from) {
      if (happens(noise.looped)) send_hostile(pooled.packet, to);
      continue;
    }
    if (!left || !hears(from, to, lan) || happens(loss)) {
      on_lost(from, to, kLans[lan].name);
      continue;
    }
    if (happens(noise.corrupted)) {
      on_lost(from, to, kLans[lan].name);
      Packet damaged = pooled.packet;
      damage(damaged);
      send_hostile(damaged, to);
      continue;
    }
    const Duration delay = std::max(Duration{}, nodes[from]->asleep_until - now) + between(delay_low, delay_high);
    const bool late = happens(noise.late);
    if (late) on_lost(from, to, kLans[lan].name);
    post(index, to, late ? delay + between({}, noise.late_by) : delay);
    if (happens(noise.duplicated)) post(index, to, delay + between({}, noise.late_by));
  }
  if (--pooled.receivers == 0) free_packets_.push_back(index);
}

/// True if the sender knows the MAC of its neighbour, or learns it now. The neighbour that is asked learns the asker's.
bool World::leaves(const Packet& packet, std::size_t from) {
  const std::size_t lan = packet.lan;
  const auto answers = [&](const auto& node) {
    const Interface* interface = node->kernel.real(kLans[lan].name);
    return node->index != from && node->powered && hears(from, node->index, lan) && hears(node->index, from, lan) &&
           interface != nullptr && interface->running && node->kernel.has(packet.destination);
  };
  Neighbour& entry = neighbours_[{from, lan, packet.destination}];
  if (!answers(nodes[entry.node])) {  // checked first, since most packets go to a known neighbour
    const auto neighbour = std::ranges::find_if(nodes, answers);
    entry.node = neighbour != nodes.end() ? (*neighbour)->index : from;
  }
  if (!entry.passes(entry.node != from, now)) return false;
  neighbours_[{entry.node, lan, packet.source}].confirm(now);
  return true;
}

bool World::is_elsewhere(const IpAddress& address, std::size_t lan, std::size_t node) const {
  return std::ranges::any_of(nodes, [&](const auto& other) {
    return other->index != node && other->powered && hears(node, other->index, lan) && hears(other->index, node, lan) &&
           other->kernel.has(address);
  });
}

void World::flush_neighbours(std::size_t node) {
  for (auto& [key, neighbour] : neighbours_)
    if (std::get<0>(key) == node) neighbour.flush();
}

void World::announced(std::size_t from, int ifindex, std::span<const std::uint8_t> frame) {
  const auto& interfaces = nodes[from]->kernel.real_;
  auto interface = interfaces.find(ifindex);
  if (interface == interfaces.end() || !interface->second.running) return;
  const std::size_t lan = lan_below(interface->second.name);
  if (on_announced) on_announced(from, frame);
  if (lan >= kLanCount || now < forwards_from[lan][from]) return;
  clients[lan].hear(from, frame);
  const Duration sleeps = std::max(Duration{}, nodes[from]->asleep_until - now);  // its kernel is awake before
  for (const auto& node : nodes)
    if (node->index != from && hears(from, node->index, lan)) announce_to(node->index, lan, frame, sleeps);
}

void World::announce_to(std::size_t node, std::size_t lan, std::span<const std::uint8_t> frame, Duration later) {
  constexpr std::size_t kType = 12, kMessage = 14 + 40;
  const Family family = frame[kType] == 0x08 ? Family::ipv4 : Family::ipv6;
  for (const auto& [key, addresses] : nodes[node]->wire.watched) {
    const Interface* interface = nodes[node]->kernel.view().find(key.first);
    if (key.second != family || interface == nullptr || !interface->running) continue;
    if (!std::string_view(interface->name).ends_with(kLans[lan].name)) continue;
    const auto octets = family == Family::ipv4 ? frame : frame.subspan(kMessage);
    at_node(
        node, later + delay_high,
        [this, node, ifindex = key.first, family, copy = std::vector(octets.begin(), octets.end())] {
          Node& receiver = *nodes[node];
          if (!receiver.alive()) return;
          receiver.supervisor->overheard(
              {.ifindex = ifindex, .family = family, .octets = copy, .source = {}, .destination = {}, .hop_limit = 255},
              now);
          touch(receiver);
        });
  }
}

bool World::client_sees(std::size_t lan, std::size_t node) const {
  return nodes[node]->powered && (clients[lan].cut >> node & 1) == 0 && now >= forwards_from[lan][node];
}

/// A client that has learnt nothing asks, and each holder of the address answers.
bool World::client_reaches(std::size_t lan, const IpAddress& address, std::size_t node) const {
  if (!client_sees(lan, node)) return false;
  const Client& client = clients[lan];
  const auto believed = client.neighbours.find(address);
  if (believed == client.neighbours.end()) return nodes[node]->kernel.has(address);
  const MacAddress& mac = believed->second;
  const auto& interfaces = nodes[node]->kernel.real_;
  const bool takes_it = std::ranges::any_of(interfaces, [&](const auto& each) {
    return each.second.mac == mac && each.second.running && nodes[node]->kernel.has(address);
  });
  return takes_it && client.port_of(mac).value_or(node) == node;
}

/// Changes one octet: a checksum detects it, wherever it is.
void World::damage(Packet& packet) {
  std::uint8_t& octet = packet.octets[random() % packet.octets.size()];
  octet = static_cast<std::uint8_t>(octet ^ (1 + random() % 255));
}

void World::send_hostile(Packet packet, std::size_t to) {
  packet.hostile = true;
  send(std::move(packet), to, between(delay_low, delay_high));
}

void World::send(Packet packet, std::size_t to, Duration delay) {
  const std::uint32_t index = pooled_packet();
  packets_[index].packet = std::move(packet);
  packets_[index].receivers = 0;
  post(index, to, delay);
}

void World::post(std::uint32_t index, std::size_t to, Duration delay) {
  ++packets_[index].receivers;
  plan(now + delay, index, static_cast<std::uint32_t>(to));
}

void World::deliver(const Packet& packet, Node& receiver) {
  const Interface* interface = receiver.kernel.real(kLans[packet.lan].name);
  if (!receiver.alive() || interface == nullptr || !interface->running || !interface->port_of.empty()) return;
  const auto listening = receiver.wire.listening.find({interface->index, packet.family});
  if (listening == receiver.wire.listening.end()) return;
  const bool to_group = packet.destination.is_multicast();
  if (to_group ? !listening->second.member : !receiver.kernel.has(packet.destination)) return;
  const bool watched = packet.hostile && on_hostile;
  if (watched) on_hostile(receiver, packet, false);
  receiver.supervisor->received({.ifindex = interface->index,
                                 .family = packet.family,
                                 .octets = packet.octets,
                                 .source = packet.source,
                                 .destination = packet.destination,
                                 .hop_limit = packet.hop_limit},
                                now);
  touch(receiver);
  if (watched) on_hostile(receiver, packet, true);
}

World::World(std::uint64_t seed) : random(seed) {
  spdlog::set_level(std::getenv("VIPD_LOG") != nullptr ? spdlog::level::info : spdlog::level::off);
}

void World::touch(Node& node) {
  due_[node.index] = node.alive() ? std::max(node.supervisor->deadline(), node.asleep_until) : kNever;
  touched |= 1U << node.index;
}

TimePoint World::next_deadline() {
  TimePoint earliest = kNever;
  for (std::size_t i = 0; i < nodes.size(); ++i) earliest = std::min(earliest, due_[i]);
  return earliest;
}

void World::carry_out_task(const Planned& planned) {
  const auto what = std::exchange(tasks_[planned.index], nullptr);
  free_tasks_.push_back(planned.index);
  if (planned.node == kTask) ++changes;
  what();
  for (const auto& node : nodes)
    if (planned.node == kTask || planned.node == (node->index | kOfProgram)) touch(*node);
}

void World::carry_out(const Planned& planned) {
  if ((planned.node & kOfProgram) != 0) return carry_out_task(planned);
  Node& receiver = *nodes[planned.node];
  if (receiver.asleep()) return plan(receiver.asleep_until, planned.index, planned.node);
  Pooled& pooled = packets_[planned.index];
  deliver(pooled.packet, receiver);
  if (--pooled.receivers == 0) free_packets_.push_back(planned.index);
}

void World::fire_deadlines() {
  for (const auto& node : nodes) {
    if (now < due_[node->index] || node->asleep()) continue;
    node->supervisor->on_deadline(now);
    touch(*node);
  }
}

void World::bury_those_who_left() {
  for (const auto& node : nodes) {
    if (!node->has_left()) continue;
    if (on_leave) on_leave(*node);
    node->kill();
    touch(*node);
    ++changes;
  }
}

void World::run_for(Duration duration) {
  const TimePoint end = now + duration;
  for (const auto& node : nodes) touch(*node);
  while (true) {
    const TimePoint deadline = next_deadline();
    const TimePoint next = planned_.empty() ? deadline : std::min(deadline, planned_.front().time);
    if (next > end) break;
    now = std::max(now, next);
    if (!planned_.empty() && planned_.front().time <= now) {  // packets that have arrived come before deadlines
      std::pop_heap(planned_.begin(), planned_.end());
      const Planned planned = planned_.back();
      planned_.pop_back();
      carry_out(planned);
    } else {
      fire_deadlines();
    }
    if (leaving > 0) bury_those_who_left();
    after_each();
  }
  now = end;
}

std::size_t World::holders() const {
  const IpAddress& address = nodes.front()->config.instances.front().addresses.front().prefix.address;
  return static_cast<std::size_t>(
      std::ranges::count_if(nodes, [&](const auto& node) { return node->kernel.has(address); }));
}

}  // namespace vipd::sim
