#include "vipd/node/listeners.hpp"

#include <algorithm>

#include "vipd/os/log.hpp"

namespace vipd {
namespace {

constexpr auto kListenRetry = std::chrono::seconds(1);
/// How soon after a message of the kernel, or a lost one, memberships are compared.
constexpr auto kMembershipGap = std::chrono::milliseconds(100);
constexpr auto kMembershipPace = std::chrono::seconds(10);

bool is_in(const std::vector<std::string>& interfaces, const std::string& name) {
  return std::ranges::find(interfaces, name) != interfaces.end();
}

/// The IP packet in a datagram; nullopt if it is none, which no kernel delivers.
std::optional<IpPacket> unpack(const Datagram& datagram) {
  if (datagram.family == Family::ipv6)
    return IpPacket{.source = datagram.source,
                    .destination = datagram.destination,
                    .hop_limit = datagram.hop_limit,
                    .payload = datagram.octets};
  const auto parsed = parse_ipv4(datagram.octets);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

}  // namespace

void Listeners::serve(Routers routers) {
  std::map<Key, Listener> before = std::exchange(listeners_, {});
  for (const auto& router : routers) {
    const InstanceConfig& config = router->config();
    Listener& listener = listeners_[{config.interface, config.family()}];
    listener.vrids.set(config.vrid);
    listener.group = listener.group || config.peers.empty();
    listener.by_vrid[config.vrid] = router.get();
  }
  for (auto& [key, listener] : listeners_) {
    const auto known = before.find(key);
    if (known == before.end()) continue;
    if (known->second.vrids == listener.vrids && known->second.group == listener.group) {
      listener.ifindex = known->second.ifindex;
      listener.retry_at = known->second.retry_at;
      listener.dropped_log = known->second.dropped_log;
      before.erase(known);
    }
  }
  for (const auto& [key, listener] : before)
    if (listener.ifindex != 0 && !listeners_.contains(key)) wire_.leave(listener.ifindex, key.second);
}

std::vector<std::string> Listeners::interfaces() const {
  std::vector<std::string> names;
  for (const auto& [key, listener] : listeners_) names.push_back(key.first);
  return names;
}

std::vector<std::string> Listeners::find_dropped(TimePoint now) {
  if (now >= compared_at_ + kMembershipGap) return compare_memberships(now);
  compare_at_ = std::min(compare_at_, compared_at_ + kMembershipGap);
  return {};
}

/// Ends each listener whose membership the kernel has dropped; returns their interfaces.
std::vector<std::string> Listeners::compare_memberships(TimePoint now) {
  const auto is_joined = [](const auto& each) { return each.second.group && each.second.ifindex != 0; };
  const bool some_joined = std::ranges::any_of(listeners_, is_joined);
  compared_at_ = now;
  compare_at_ = some_joined ? now + kMembershipPace : kNever;
  std::vector<std::string> deaf;
  if (!some_joined) return deaf;
  const auto members = wire_.memberships();
  if (!members) return deaf;
  for (auto& [key, listener] : listeners_) {
    if (!listener.group || listener.ifindex == 0 || members->contains({listener.ifindex, key.second})) continue;
    if (listener.dropped_log.passes(now))
      log_warning("the kernel has dropped the membership of the VRRP group on {} ({}); joining again", key.first,
                  to_string(key.second));
    wire_.leave(listener.ifindex, key.second);
    listener.ifindex = 0;
    deaf.push_back(key.first);
  }
  return deaf;
}

TimePoint Listeners::listen(const std::vector<std::string>& interfaces, TimePoint now) {
  for (auto& [key, listener] : listeners_)
    if (is_in(interfaces, key.first)) now = listen(key, listener, now);
  return now;
}

TimePoint Listeners::listen(const Key& key, Listener& listener, TimePoint now) {
  const Interface* interface = kernel_.view().find(key.first);
  const int ifindex = interface != nullptr ? interface->index : 0;
  if (listener.ifindex != 0 && listener.ifindex != ifindex) {
    wire_.leave(listener.ifindex, key.second);
    listener.ifindex = 0;
  }
  listener.retry_at = kNever;
  if (interface == nullptr || !interface->running || listener.ifindex == ifindex) return now;
  const auto listening = wire_.listen(ifindex, key.second, listener.vrids, listener.group);
  if (listening)
    listener.ifindex = ifindex;
  else
    listener.retry_at = now + kListenRetry;
  for (auto* router : listener.by_vrid)
    if (router != nullptr)
      router->set_wire_problem(
          listening ? std::nullopt : std::optional("cannot listen on " + key.first + ": " + listening.error().message));
  return listening.value_or(now);
}

/// Collects the distinct sources: they are few, and each advert is compared with all.
void Listeners::note_sources(const std::vector<std::string>& interfaces) {
  for (auto& [key, listener] : listeners_) {
    if (!is_in(interfaces, key.first)) continue;
    auto& sources = listener.own_sources;
    sources.clear();
    for (const auto* router : listener.by_vrid)
      if (router != nullptr && router->source() && std::ranges::find(sources, *router->source()) == sources.end())
        sources.push_back(*router->source());
  }
}

std::optional<Listeners::Delivery> Listeners::deliver(const Datagram& datagram) const {
  const auto found = std::ranges::find_if(listeners_, [&](const auto& each) {
    return each.second.ifindex == datagram.ifindex && each.first.second == datagram.family;
  });
  if (found == listeners_.end()) return std::nullopt;
  const auto packet = unpack(datagram);
  if (!packet || packet->payload.size() < 2) return std::nullopt;
  VirtualRouter* const router = found->second.by_vrid[packet->payload[1]];
  if (router == nullptr) return std::nullopt;  // the socket's filter passes configured VRIDs only
  return Delivery{.router = router, .packet = *packet, .own_sources = found->second.own_sources};
}

TimePoint Listeners::deadline() const {
  TimePoint earliest = compare_at_;
  for (const auto& [key, listener] : listeners_) earliest = std::min(earliest, listener.retry_at);
  return earliest;
}

std::vector<std::string> Listeners::take_due(TimePoint now) {
  std::vector<std::string> due;
  if (now >= compare_at_) due = compare_memberships(now);
  for (const auto& [key, listener] : listeners_)
    if (now >= listener.retry_at) due.push_back(key.first);
  return due;
}

}  // namespace vipd
