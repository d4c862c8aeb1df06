// nodad = false: the kernel runs duplicate address detection before an address is used.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

const std::string kTrouble = "2001:db8::10/64 is used by another host (duplicate address detection)";

/// Switches detection on. Here it begins at once and takes a tenth of a second instead of a second.
void detect_duplicates(const Node& node) {
  node.write_sysctl("ipv6/conf/eth0/accept_dad", "1");
  node.write_sysctl("ipv6/conf/eth0/router_solicitation_delay", "0");
  node.write_sysctl("ipv6/neigh/eth0/retrans_time_ms", "100");
}

std::string detecting(int priority) {
  std::string config = web(Family::ipv6, priority);
  const std::string plain = "\"2001:db8::10/64\"";
  return config.replace(config.find(plain), plain.size(), "{address = \"2001:db8::10/64\", nodad = false}");
}

/// True if status shows 2001:db8::10 as present.
bool is_present(const Node& node) {
  const Json instance = node.instance();
  return instance.contains("addresses") && instance.at("addresses").at(1).at("present") == true;
}

}  // namespace

TEST_CASE("lab: F22: an address that another host has is not present, and the reason is said", "[lab]") {
  Lab lab;
  Node &a = lab.add_node("a", 1), &other = lab.add_node("other", 100);
  must(other, "ip -6 addr add 2001:db8::10/64 dev eth0 nodad");
  Sniffer sniffer(other);
  detect_duplicates(a);
  a.start_vipd(detecting(254));
  bool was_present = false;
  REQUIRE(wait_until(10s, [&] {
    was_present = was_present || is_present(a);
    return fault_of(a) == kTrouble;
  }));
  REQUIRE_FALSE(was_present);
  for (const auto& frame : sniffer.of_kind("na"))
    REQUIRE((frame.at("source_mac") != mac_of(a) || frame.at("address") != "2001:db8::10"));
  must(other, "ip -6 addr del 2001:db8::10/64 dev eth0");
  REQUIRE(wait_until(10s, [&] { return a.state() == "active" && is_present(a); }));
  REQUIRE(reaches(other, a, "2001:db8::10"));
  REQUIRE(fault_of(a).empty());
}

TEST_CASE("lab: F22: with duplicate detection an address moves without a fault", "[lab]") {
  Pair pair(Family::ipv6);
  detect_duplicates(pair.a);
  detect_duplicates(pair.b);
  pair.a.start_vipd(detecting(254));
  REQUIRE(wait_until(5s, [&] { return is_present(pair.a); }));
  pair.b.start_vipd(detecting(253));
  REQUIRE(pair.b.wait_state("backup"));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(wait_until(5s, [&] { return is_present(pair.b); }));
  REQUIRE(reaches(pair.client, pair.b, pair.vip));
  REQUIRE(pair.a.vipd().wait_exit(5s) == 0);
  pair.a.start_vipd(detecting(254));  // preempts
  REQUIRE(wait_until(5s, [&] { return is_present(pair.a); }));
  REQUIRE(reaches(pair.client, pair.a, pair.vip));
  REQUIRE(pair.a.instance().at("transitions") == 2);
  REQUIRE(pair.b.instance().at("transitions") == 3);
}
