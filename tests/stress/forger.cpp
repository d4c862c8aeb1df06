#include "forger.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace vipd::stress {
namespace {

Fd raw_socket(Site& site, int hop_limit) {
  const bool v4 = site.scene().family == Family::ipv4;
  const lab::Inside inside(site.stranger());
  Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 112));
  const auto index = static_cast<int>(::if_nametoindex("eth0"));
  ip_mreqn group{};
  group.imr_ifindex = index;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  ::setsockopt(fd.get(), level, v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, &hop_limit, sizeof hop_limit);
  ::setsockopt(fd.get(), level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &hop_limit, sizeof hop_limit);
  if (v4)
    ::setsockopt(fd.get(), level, IP_MULTICAST_IF, &group, sizeof group);
  else
    ::setsockopt(fd.get(), level, IPV6_MULTICAST_IF, &index, sizeof index);
  return fd;
}

void send_to(const Fd& fd, const IpAddress& destination, const testing::Octets& message) {
  const auto octets = destination.octets();
  sockaddr_in6 to6{};
  to6.sin6_family = AF_INET6;
  sockaddr_in to4{};
  to4.sin_family = AF_INET;
  const bool v4 = destination.family() == Family::ipv4;
  std::memcpy(v4 ? static_cast<void*>(&to4.sin_addr) : &to6.sin6_addr, octets.data(), octets.size());
  const auto* to = v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
  (void)::sendto(fd.get(), message.data(), message.size(), 0, to, v4 ? sizeof to4 : sizeof to6);
}

std::vector<IpAddress> destinations(Site& site) {
  const Scene& scene = site.scene();
  if (!scene.unicast) return {testing::ip(scene.family == Family::ipv4 ? "224.0.0.18" : "ff02::12")};
  std::vector<IpAddress> all;
  for (const Server& server : site.servers()) all.push_back(testing::ip(server.node->unicast(scene.family)));
  return all;
}

}  // namespace

testing::PacketParts forged_advert(Site& site, std::uint8_t priority) {
  const Scene& scene = site.scene();
  const bool v4 = scene.family == Family::ipv4;
  testing::PacketParts parts = scene.version == 2 ? testing::v2_parts()
                               : v4               ? testing::ipv4_parts()
                                                  : testing::ipv6_parts();
  const std::string source =
      scene.unicast ? site.stranger().unicast(scene.family) : site.stranger().source(scene.family);
  if (!source.empty()) parts.source = testing::ip(source);
  parts.priority = priority;
  parts.addresses.clear();
  for (const Virtual& each : scene.virtuals("web")) parts.addresses.push_back(testing::ip(each.address));
  if (scene.version == 3)
    parts.interval =
        static_cast<std::uint16_t>(std::chrono::duration_cast<std::chrono::milliseconds>(scene.interval) / 10ms);
  return parts;
}

void send_advert(Site& site, testing::PacketParts parts) {
  const Fd fd = raw_socket(site, parts.hop_limit);
  for (const IpAddress& destination : destinations(site)) {
    parts.destination = destination;
    send_to(fd, destination, testing::detail::message_of(parts));
  }
}

void send_octets(Site& site, const testing::Octets& octets) {
  const Fd fd = raw_socket(site, 255);
  for (const IpAddress& destination : destinations(site)) send_to(fd, destination, octets);
}

}  // namespace vipd::stress
