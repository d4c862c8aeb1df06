// F13, F17 and F7 on the real kernel: adverts that cannot be sent, a membership that the kernel has dropped, an
// interface on which no advert can be heard.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr Duration kSpeaks = kInterval + 3 * kInterval + 2s;

void drop_output(const Node& node) {
  must(node, "nft add table inet mute");
  must(node, "nft add chain inet mute out { type filter hook output priority 0 ; policy drop ; }");
}

int received(const Node& node) { return node.instance().at("counters").at("adverts_received").get<int>(); }

}  // namespace

TEST_CASE("lab: F13 a node that nftables kept from sending takes part again as soon as it can", "[lab]") {
  Pair pair(each_family());
  pair.start();
  drop_output(pair.a);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return fault_of(pair.a).starts_with("adverts cannot be sent, and "); }));
  pair.await_adverts(pair.source_b, 20);
  const WallTime mended = std::chrono::system_clock::now();
  must(pair.a, "nft delete table inet mute");
  REQUIRE(pair.a.wait_state("active", kSpeaks));
  measured("F13 back after the rule was gone", std::chrono::system_clock::now() - mended);
  REQUIRE(pair.b.wait_state("backup"));
}

TEST_CASE("lab: F13 a node that returns and cannot be heard steals no client", "[lab]") {
  Pair pair(Family::ipv4);
  pair.b.start_vipd(web(Family::ipv4, 253));
  REQUIRE(pair.b.wait_state("active"));
  drop_output(pair.a);
  pair.a.start_vipd(web(Family::ipv4, 254));
  REQUIRE(wait_until(5s, [&] { return fault_of(pair.a).starts_with("adverts cannot be sent, and "); }));
  pair.await_adverts(pair.source_b, 30);
  for (const Json& frame : pair.sniffer.of_kind("garp")) CHECK(frame.at("source_mac") == mac_of(pair.b));
  CHECK_FALSE(pair.a.has(pair.vip));
  CHECK(pair.b.instance().at("transitions") == 2);
}

TEST_CASE("lab: F17 the MTU of an IPv6 interface was too small for a while", "[lab]") {
  Pair pair(Family::ipv6);
  pair.start();
  must(pair.b, "ip link set eth0 mtu 1000");
  REQUIRE(wait_until(5s, [&] { return !fault_of(pair.b).empty(); }));
  must(pair.b, "ip link set eth0 mtu 1500");
  must(pair.b, "ip addr add 2001:db8::2/64 dev eth0 nodad");  // the administrator has to restore it
  REQUIRE(pair.b.wait_state("backup"));
  const int before = received(pair.b);
  REQUIRE(wait_until(5s, [&] { return received(pair.b) > before + 10; }));
  CHECK(pair.b.state() == "backup");
  CHECK(pair.a.state() == "active");
}

TEST_CASE("lab: F17 an interface that another one of the same index replaced while vipd did not run", "[lab]") {
  Lab lab;
  const auto make_eth0 = [](const Node& node, int host) {
    must(node, "ip link add eth0 index 77 link wired type macvlan mode bridge");
    must(node, "ip link set eth0 up");
    must(node, "ip addr add 192.0.2." + std::to_string(host) + "/24 dev eth0");
  };
  Node &a = lab.add_bare_node("a", 1), &b = lab.add_bare_node("b", 2);
  for (const auto& [node, host] : {std::pair(&a, 1), std::pair(&b, 2)}) {
    lab.wire(*node, "wired");
    must(*node, "ip link set wired up");
    make_eth0(*node, host);
    node->start_vipd(web(Family::ipv4, 255 - host));
    REQUIRE(node->wait_state(host == 1 ? "active" : "backup"));
  }
  REQUIRE(wait_until(5s, [&] { return received(b) > 3; }));
  b.vipd().signal(SIGSTOP);
  must(b, "ip link del eth0");
  make_eth0(b, 2);
  b.vipd().signal(SIGCONT);
  const int before = received(b);
  REQUIRE(wait_until(5s, [&] { return received(b) > before + 10; }));
  CHECK(b.wait_state("backup"));
  CHECK(a.state() == "active");
}

TEST_CASE("lab: F7 an interface that becomes a port of a bridge hears nobody, and says so", "[lab]") {
  Pair pair(each_family());
  pair.start();
  must(pair.a, "ip link add br9 type bridge");
  must(pair.a, "ip link set eth0 master br9");
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return !fault_of(pair.a).empty(); }));
  CHECK(fault_of(pair.a) ==
        "interface eth0 is a port of a bridge, which takes all its packets: use the bridge's own interface");
  must(pair.a, "ip link set eth0 nomaster");
  REQUIRE(pair.a.wait_state("active", kSpeaks));
}

TEST_CASE("lab: F7 an interface without multicast needs peers, which --check knows, and the loopback never works",
          "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  must(a, "ip link set eth0 multicast off");  // like WireGuard, which has no multicast
  std::string config = web(Family::ipv4, 254);
  a.start_vipd(config);
  REQUIRE(wait_until(5s, [&] { return fault_of(a) == "interface eth0 has no multicast: it needs \"peers\""; }));
  auto check = a.vipd_command();
  check.push_back("--check");
  const auto hinted = run(a, check);
  INFO(hinted.errors);
  CHECK(hinted.status == 0);
  CHECK(hinted.errors.find("has no multicast") != std::string::npos);
  a.vipd().signal(SIGTERM);
  REQUIRE(a.vipd().wait_exit(5s) == 0);
  config.replace(config.find("eth0"), 4, "lo");
  std::ofstream(a.directory() / "vipd.toml", std::ios::trunc) << config;
  CHECK(run(a, check).status == 2);
}
