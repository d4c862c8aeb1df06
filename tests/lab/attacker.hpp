/// Attacker: a third machine in the network that sends hostile packets.
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>

#include "pair.hpp"
#include "support/packet_builder.hpp"

namespace vipd::lab {

using vipd::testing::PacketParts;

/// Sends adverts from a node's eth0, valid or not.
class Attacker {
 public:
  Attacker(const Node& node, Family family) : family_(family) {
    const Inside inside(node);
    fd_ = Fd(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 112));
    const auto ifindex = static_cast<int>(if_nametoindex("eth0"));
    ip_mreqn group{};
    group.imr_ifindex = ifindex;
    REQUIRE(ifindex > 0);
    set(IPPROTO_IP, IP_MULTICAST_IF, group, Family::ipv4);
    set(IPPROTO_IPV6, IPV6_MULTICAST_IF, ifindex, Family::ipv6);
  }

  void send(const PacketParts& parts) {
    const int limit = parts.hop_limit;
    set(IPPROTO_IP, IP_MULTICAST_TTL, limit, Family::ipv4);
    set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, limit, Family::ipv6);
    const testing::Octets message = testing::detail::message_of(parts);
    const auto destination = parts.destination.octets();
    sockaddr_in to4{};
    to4.sin_family = AF_INET;
    sockaddr_in6 to6{};
    to6.sin6_family = AF_INET6;
    const bool v4 = family_ == Family::ipv4;
    std::memcpy(v4 ? static_cast<void*>(&to4.sin_addr) : &to6.sin6_addr, destination.data(), destination.size());
    const auto* to = v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
    REQUIRE(::sendto(fd_.get(), message.data(), message.size(), 0, to, v4 ? sizeof to4 : sizeof to6) ==
            std::ssize(message));
  }

 private:
  template <typename Value>
  void set(int level, int name, const Value& value, Family family) {
    if (family == family_) REQUIRE(::setsockopt(fd_.get(), level, name, &value, sizeof value) == 0);
  }

  Family family_;
  Fd fd_;
};

/// A fault of an advert.
struct Defect {
  std::string reason;
  std::function<void(PacketParts&)> make;
};

/// A defect of each kind that a receiver has to refuse; `reason` is the name of its counter.
inline std::vector<Defect> defects(Family family) {
  std::vector<Defect> all = {
      {"ttl", [](PacketParts& parts) { parts.hop_limit = 254; }},
      {"version", [](PacketParts& parts) { parts.version = 4; }},
      {"type", [](PacketParts& parts) { parts.type = 2; }},
      {"count_zero", [](PacketParts& parts) { parts.addresses.clear(); }},
      {"length", [](PacketParts& parts) { parts.trailer.assign(3, 0); }},
      {"checksum", [](PacketParts& parts) { parts.checksum_xor = 1; }},
      {"interval_zero", [](PacketParts& parts) { parts.interval = 0; }},
  };
  if (family == Family::ipv6)
    all.push_back({"first_not_linklocal", [](PacketParts& parts) { std::ranges::reverse(parts.addresses); }});
  return all;
}

/// How often a word stands in a text.
inline std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

/// Calls `act` this often a second; missed calls are made up for.
inline void at_rate(int per_second, Duration length, const std::function<void()>& act) {
  const auto start = std::chrono::steady_clock::now();
  std::int64_t done = 0;
  wait_until(length, [&] {
    const auto due = (std::chrono::steady_clock::now() - start) * per_second / 1s;
    for (; done < due; ++done) act();
    return false;
  });
}

}  // namespace vipd::lab
