// A third machine in the network that sends what it should not. What is refused changes a counter and nothing else.
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>

#include "pair.hpp"
#include "support/packet_builder.hpp"

using namespace vipd;
using namespace vipd::lab;
using vipd::testing::PacketParts;

namespace {

/// Sends adverts from a node's eth0, whatever they are worth.
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

/// An advert of the client that would make both others Backup, were it right.
PacketParts winning_advert(const Pair& pair) {
  PacketParts parts = pair.family == Family::ipv4 ? testing::ipv4_parts() : testing::ipv6_parts();
  parts.source = testing::ip(pair.client.source(pair.family));
  parts.priority = 255;
  parts.interval = 10;
  return parts;
}

struct Defect {
  std::string reason;
  std::function<void(PacketParts&)> make;
};

std::vector<Defect> defects(Family family) {
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

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

/// Calls `act` once a millisecond.
void each_millisecond(Duration length, const std::function<void()>& act) {
  const auto start = std::chrono::steady_clock::now();
  int done = 0;
  wait_until(length, [&] {
    const auto due = (std::chrono::steady_clock::now() - start) / 1ms;
    for (; done < due; ++done) act();
    return false;
  });
}

}  // namespace

TEST_CASE("lab: a thousand refused adverts a second change counters and nothing else",
          "[lab][A06-][B01-][B02-][B05-][B07-][B12-][B14-][B18-][B19+][B19-][B22+]") {
  Pair pair(each_family());
  pair.start();
  Attacker attacker(pair.client, pair.family);
  const int transitions_a = pair.a.instance().at("transitions"), transitions_b = pair.b.instance().at("transitions");
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size();
  const auto all = defects(pair.family);
  std::size_t sent = 0;
  each_millisecond(2s, [&] {
    PacketParts parts = winning_advert(pair);
    all[sent++ % all.size()].make(parts);
    attacker.send(parts);
  });
  for (Node* node : {&pair.a, &pair.b}) {
    const auto refused = [&] { return node->instance().at("counters").at("adverts_refused"); };
    for (std::size_t i = 0; i < all.size(); ++i)
      REQUIRE(wait_until(
          5s, [&] { return refused().value(all[i].reason, 0U) == (sent + all.size() - 1 - i) / all.size(); }));
    REQUIRE(refused().size() == all.size());
    const std::string log = node->vipd().output() + node->vipd().errors();
    REQUIRE(count_of(log, "refused an advert") == all.size());  // one line a kind and minute
  }
  REQUIRE(pair.a.instance().at("transitions") == transitions_a);
  REQUIRE(pair.b.instance().at("transitions") == transitions_b);
  const Duration gap = longest_gap(pair.sniffer.adverts_from(pair.source_a), from);
  measured("longest time between adverts of 100 ms, with 1000 bad ones a second", gap);
  REQUIRE(gap <= kInterval + kSlack);
  REQUIRE(pair.sniffer.adverts_from(pair.source_b).empty());

  attacker.send(winning_advert(pair));  // the same advert without a defect is believed
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().at("transitions") > transitions_a; }));
}

TEST_CASE("lab: a flood of losing adverts is answered a few times and delays nothing", "[lab][C19+][C21+][C21-]") {
  Pair pair(Family::ipv4);
  std::string slow = web(pair.family, 254);
  pair.a.start_vipd(slow.replace(slow.find("100ms"), 5, "1s"));
  REQUIRE(pair.a.wait_state("active", 10s));
  Attacker attacker(pair.client, pair.family);
  PacketParts losing = winning_advert(pair);
  losing.priority = 1;
  losing.interval = 100;
  pair.lab.drop("oifname b ip saddr " + pair.client.source(pair.family));
  Sniffer sniffer(pair.b);  // which the flood does not reach, so it cannot miss anything
  constexpr int kSeconds = 3;
  each_millisecond(std::chrono::seconds(kSeconds), [&] {
    for (int i = 0; i < 10; ++i) attacker.send(losing);
  });
  const auto adverts = sniffer.adverts_from(pair.source_a);
  std::cout << "measured: " << adverts.size() << " adverts in " << kSeconds
            << " s of 10000 losing ones a second, should there be time for them" << std::endl;
  REQUIRE(adverts.size() >= 5);  // the burst
  REQUIRE(adverts.size() <= 5 + 10 * (kSeconds + 1));
  REQUIRE(longest_gap(adverts) <= 1s + kSlack);
  REQUIRE(pair.a.state() == "active");
}
