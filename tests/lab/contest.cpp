// Another host announces an address of ours, or has the own address of a node.
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <csignal>

#include "attacker.hpp"
#include "vipd/vrrp/announcement.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr MacAddress kForged{{2, 0, 0, 0, 0, 0x63}};

/// The hardware address that the client's kernel has for an address; "" if none.
std::string believed(const Pair& pair, const std::string& address) {
  const std::string shown = must(pair.client, "ip -j neigh show to " + address + " dev eth0");
  const Json entries = shown.empty() ? Json::array() : Json::parse(shown);
  return entries.empty() ? "" : entries.at(0).value("lladdr", "");
}

/// Sends announcements in the name of a machine that does not exist.
class Forger {
 public:
  explicit Forger(const Node& node) {
    const Inside inside(node);
    fd_ = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    to_.sll_family = AF_PACKET;
    to_.sll_ifindex = static_cast<int>(if_nametoindex("eth0"));
    to_.sll_halen = 6;
    REQUIRE(to_.sll_ifindex > 0);
  }
  void say(const IpAddress& address) {
    if (address.family() == Family::ipv4)
      send(gratuitous_arp(kForged, address));
    else
      send(unsolicited_na(kForged, address, false));
  }

 private:
  void send(std::span<const std::uint8_t> frame) {
    const auto* to = reinterpret_cast<const sockaddr*>(&to_);
    REQUIRE(::sendto(fd_.get(), frame.data(), frame.size(), 0, to, sizeof to_) == std::ssize(frame));
  }
  Fd fd_;
  sockaddr_ll to_{};
};

}  // namespace

TEST_CASE("lab: F28: a forged ARP or neighbour advertisement for an address of ours is said, and answered at once") {
  Pair pair(each_family());
  const Process server(pair.a, {program("vipd-traffic"), "serve", "7"});
  pair.start("announce = {again_after = \"0s\", refresh = \"0s\"}");
  const IpAddress vip = *IpAddress::parse(pair.vip);
  REQUIRE(wait_until(5s, [&] {
    return run(pair.client, {program("vipd-traffic"), "watch", pair.vip, "7", "--for", "20ms"}).status == 0;
  }));
  Forger forger(pair.b);  // its own announcements do not reach the client's port twice
  const auto start = std::chrono::steady_clock::now();
  forger.say(vip);
  REQUIRE(wait_until(2s, [&] { return believed(pair, pair.vip) == kForged.to_string(); }));
  REQUIRE(wait_until(2s, [&] { return believed(pair, pair.vip) == mac_of(pair.a); }));
  measured("from a forged announcement to the client's right belief", std::chrono::steady_clock::now() - start);
  REQUIRE(wait_until(2s, [&] { return pair.a.instance().at("contest").is_object(); }));
  const Json contest = pair.a.instance().at("contest");
  CHECK(contest.at("mac") == kForged.to_string());
  CHECK(contest.at("address") == pair.vip);
  CHECK(pair.b.instance().at("contest").is_null());
  at_rate(2000, 2s, [&] { forger.say(vip); });  // a flood of announcements
  REQUIRE(wait_until(3s, [&] { return believed(pair, pair.vip) == mac_of(pair.a); }));
  CHECK(count_of(pair.a.vipd().errors(), "says that it has") == 1);
  const auto adverts = pair.sniffer.adverts_from(pair.source_a);
  CHECK(longest_gap(adverts, adverts.size() / 2) < kInterval + kSlack);
  CHECK(pair.sniffer.of_kind(pair.family == Family::ipv4 ? "garp" : "na").size() > 0);
  const Json after = pair.a.instance();
  CHECK(after.at("contest").at("answers") <= 4);
  CHECK(after.at("transitions") == 2);  // as at the start
}

TEST_CASE("lab: F28: a stop and a return with a peer are no contest") {
  Pair pair(each_family());
  pair.start();
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(pair.a.vipd().wait_exit(5s) == 0);
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
  pair.await_adverts(pair.source_a, 5);
  for (const Node* node : {&pair.a, &pair.b}) CHECK(node->instance().at("contest").is_null());
}

TEST_CASE("lab: F11: two nodes with the same own address are both Active, and each says why") {
  Pair pair(Family::ipv4);
  must(pair.b, "ip addr flush dev eth0 scope global");
  must(pair.b, "ip addr add 192.0.2.1/24 dev eth0");
  pair.a.start_vipd(web(Family::ipv4, 254));
  REQUIRE(pair.a.wait_state("active"));
  pair.b.start_vipd(web(Family::ipv4, 253));
  REQUIRE(pair.b.wait_state("active"));
  for (Node* node : {&pair.a, &pair.b}) {
    REQUIRE(wait_until(10s, [&] { return node->instance().at("same_source").is_object(); }));
    CHECK(node->instance().at("same_source").at("address") == "192.0.2.1");
    CHECK(node->vipd().errors().find("this node's own address") != std::string::npos);
  }
}
