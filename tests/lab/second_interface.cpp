// F6: an instance with an object on a second interface. A fault of that interface is a fault of the instance, and ends
// when the kernel reports a change. A claim that the kernel refuses ends in the same way.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// The time to be Active again: an Active_Down_Interval at priority 254, and slack for a busy machine.
constexpr Duration kBack = 3 * kInterval + 2s;

/// A pair whose nodes have eth1, too: 203.0.113.9/29 and .11.
struct OuterPair : Pair {
  explicit OuterPair(const std::string& more_on_eth1) : Pair(Family::ipv4), more(more_on_eth1) {
    for (const auto& [node, host] : {std::pair(&a, 9), std::pair(&b, 11)}) {
      lab.wire(*node, "eth1");
      must(*node, "ip link set eth1 up");
      must(*node, "ip addr add 203.0.113." + std::to_string(host) + "/29 dev eth1");
    }
  }
  std::string config(int priority) const {
    const bool is_address = more.starts_with("{address");
    std::string text = web(Family::ipv4, priority, is_address ? "" : "routes = [" + more + "]");
    if (is_address) text.replace(text.find("24\"]"), 4, "24\", " + more + "]");
    return text;
  }
  void start_both() {
    a.start_vipd(config(254));
    REQUIRE(a.wait_state("active"));
    b.start_vipd(config(253));
    REQUIRE(b.wait_state("backup"));
  }
  std::string more;
};

}  // namespace

TEST_CASE("lab: F6 an address on a second interface without carrier is a fault, and back by the kernel's word",
          "[lab]") {
  OuterPair pair(R"({address = "203.0.113.10/29", interface = "eth1"})");
  pair.start_both();
  const AddressMonitor monitor(pair.b);
  const WallTime cut = std::chrono::system_clock::now();
  pair.lab.set_port(pair.a, false, "eth1");
  const Duration took = moment_of(monitor, "203.0.113.10", true, cut) - cut;
  measured("F6 takeover after the second interface lost its carrier", took);
  CHECK(took <= kInterval + kSlack);  // by priority 0, and not by the silence of a dead node
  CHECK(fault_of(pair.a) == "interface eth1 of 203.0.113.10/29 is down");
  CHECK_FALSE(pair.a.has(pair.vip));

  const WallTime mended = std::chrono::system_clock::now();
  pair.lab.set_port(pair.a, true, "eth1");
  REQUIRE(pair.a.wait_state("active", kBack));
  measured("F6 back after the carrier", std::chrono::system_clock::now() - mended);
  CHECK(pair.a.has("203.0.113.10"));
}

TEST_CASE("lab: F6 a route over a second interface that comes late, goes and comes again", "[lab]") {
  OuterPair pair(R"({to = "198.51.100.0/24", via = "203.0.113.12", interface = "eth1"})");
  must(pair.a, "ip link set eth1 down");
  must(pair.a, "ip addr flush dev eth1");
  pair.a.start_vipd(pair.config(254));
  REQUIRE(wait_until(5s, [&] { return !fault_of(pair.a).empty(); }));
  CHECK(fault_of(pair.a) == "interface eth1 of route 198.51.100.0/24 via 203.0.113.12 is down");
  must(pair.a, "ip link set eth1 up");
  REQUIRE(wait_until(2s, [&] { return fault_of(pair.a).find("Network is unreachable") != std::string::npos; }));
  must(pair.a, "ip addr add 203.0.113.9/29 dev eth1");  // the router can be reached from now on
  REQUIRE(pair.a.wait_state("active", kBack));
  pair.b.start_vipd(pair.config(253));
  REQUIRE(pair.b.wait_state("backup"));

  must(pair.a, "ip link set eth1 down");
  REQUIRE(pair.b.wait_state("active"));
  CHECK(fault_of(pair.a) == "interface eth1 of route 198.51.100.0/24 via 203.0.113.12 is down");
  must(pair.a, "ip link set eth1 up");
  REQUIRE(pair.a.wait_state("active", kBack));
  REQUIRE(pair.b.wait_state("backup"));
  for (const Json& route : pair.b.instance().at("routes")) CHECK_FALSE(route.contains("error"));
}

TEST_CASE("lab: F6 with track = false the address comes and goes with its interface, and nothing else does", "[lab]") {
  OuterPair pair(R"({address = "203.0.113.10/29", interface = "eth1", track = false})");
  pair.start_both();
  must(pair.a, "ip link set eth1 down");
  must(pair.a, "ip link del eth1");
  pair.await_adverts(pair.source_a, 5);
  CHECK(pair.a.state() == "active");
  pair.lab.wire(pair.a, "eth1");
  must(pair.a, "ip link set eth1 up");
  CHECK(wait_until(2s, [&] { return pair.a.has("203.0.113.10"); }));
  CHECK(pair.a.instance().at("transitions") == 2);
}

TEST_CASE("lab: F6 a node that the kernel refuses an address disturbs nobody and takes part by the kernel's word",
          "[lab]") {
  OuterPair pair(R"({address = "2001:db8:9::10/64", interface = "eth1"})");
  pair.b.start_vipd(pair.config(253));
  REQUIRE(pair.b.wait_state("active"));
  pair.a.write_sysctl("ipv6/conf/eth1/disable_ipv6", "1");
  pair.a.start_vipd(pair.config(254));
  REQUIRE(wait_until(5s, [&] { return !fault_of(pair.a).empty(); }));
  CHECK(fault_of(pair.a) == "cannot add 2001:db8:9::10/64 on eth1: Permission denied");
  pair.await_adverts(pair.source_b, 40);  // it takes part again meanwhile
  CHECK(pair.a.instance().at("transitions") == 2);
  CHECK(pair.b.instance().at("transitions") == 2);
  CHECK(pair.sniffer.adverts_from(pair.source_a).empty());
  for (const Json& frame : pair.sniffer.of_kind("garp")) CHECK(frame.at("source_mac") == mac_of(pair.b));

  SECTION("the kernel's word") {
    pair.a.write_sysctl("ipv6/conf/eth1/disable_ipv6", "0");
    REQUIRE(pair.a.wait_state("active", kBack));
  }
  SECTION("nobody else is there") {
    pair.a.write_sysctl("ipv6/conf/eth1/addr_gen_mode", "1");  // keeps the kernel from reporting a change
    pair.a.write_sysctl("ipv6/conf/eth1/disable_ipv6", "0");
    pair.b.vipd().signal(SIGKILL);
    REQUIRE(pair.a.wait_state("active", kBack + 2s));
  }
}
