// accept = false: packets to the virtual address are dropped; ARP and neighbour discovery are answered nevertheless.
#include <csignal>
#include <sstream>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

bool has_table(const Node& node) { return must(node, "nft list tables").find("inet vipd") != std::string::npos; }

/// How many packets a node has forwarded, by /proc/net/snmp.
long forwarded(const Node& node) {
  std::istringstream text(must(node, "cat /proc/net/snmp"));
  std::string names, values, name;
  std::getline(text, names);
  std::getline(text, values);
  std::istringstream name_stream(names), value_stream(values);
  std::string value;
  while (name_stream >> name && value_stream >> value)
    if (name == "ForwDatagrams") return std::stol(value);
  FAIL("no ForwDatagrams");
  return 0;
}

}  // namespace

TEST_CASE("lab: accept = false takes in no packet to the virtual address, but ARP and NS are answered",
          "[lab][C23+][C23-][D13+][D13-]") {
  Pair pair(each_family());
  const bool with_vmac = GENERATE(false, true);
  pair.start(with_vmac ? "accept = false\nvirtual_mac = true" : "accept = false");
  CAPTURE(with_vmac);
  REQUIRE(has_table(pair.a));
  REQUIRE_FALSE(has_table(pair.b));
  REQUIRE_FALSE(reaches(pair.client, pair.a, pair.vip));
  REQUIRE(reaches(pair.client, pair.a, pair.a.unicast(pair.family)));
  REQUIRE(answering(pair, pair.vip).size() == 1);
  // A neighbour that knows the address asks by unicast; that passes, too.
  const std::string reachable = must(pair.client, "ip neigh show " + pair.vip);
  CAPTURE(reachable);
  REQUIRE(reachable.find("lladdr") != std::string::npos);

  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE_FALSE(has_table(pair.a));
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE_FALSE(reaches(pair.client, pair.b, pair.vip));
}

TEST_CASE("lab: accept = true, and the owner in any case, take packets in", "[lab][C23+]") {
  Pair pair(Family::ipv4);
  const int priority = GENERATE(254, 255);
  pair.a.start_vipd(web(pair.family, priority, priority == 255 ? "accept = false" : "accept = true"));
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE_FALSE(has_table(pair.a));
  REQUIRE(reaches(pair.client, pair.a, pair.vip));
}

TEST_CASE("lab: neither a flush of all rules nor a crash leaves accept = false in a wrong state", "[lab][C23-]") {
  Pair pair(Family::ipv4);
  pair.start("accept = false");
  must(pair.a, "nft flush ruleset");
  REQUIRE(has_table(pair.a));
  REQUIRE_FALSE(reaches(pair.client, pair.a, pair.vip));
  pair.a.vipd().signal(SIGKILL);
  pair.a.vipd().wait_exit(5s);
  REQUIRE(wait_until(5s, [&] { return !has_table(pair.a); }));
}

TEST_CASE("lab: somebody else's table is left alone and said", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  must(a, "nft add table inet vipd");
  a.start_vipd(web(Family::ipv4, 254, "accept = false"));
  REQUIRE(wait_until(5s, [&] { return a.instance().value("fault", Json()).is_string(); }));
  REQUIRE(a.instance().at("fault").get<std::string>().find("inet vipd") != std::string::npos);
  REQUIRE_FALSE(a.has("192.0.2.10"));
  REQUIRE(has_table(a));
}

TEST_CASE("lab: routers that forward do not hand packets to the virtual address around", "[lab][C25+][C25-]") {
  Pair pair(Family::ipv4);
  for (const Node* node : {&pair.a, &pair.b}) node->write_sysctl("ipv4/ip_forward", "1");
  pair.start("accept = false\nvirtual_mac = true");
  must(pair.client, "ip route add 203.0.113.1/32 via " + pair.vip);  // the Active router is a router
  must(pair.b, "ip addr add 203.0.113.1/32 dev lo");
  must(pair.a, "ip route add 203.0.113.1/32 via 192.0.2.2");
  REQUIRE(reaches(pair.client, pair.b, "203.0.113.1"));
  const long before_a = forwarded(pair.a), before_b = forwarded(pair.b);
  REQUIRE_FALSE(reaches(pair.client, pair.a, pair.vip));
  REQUIRE(forwarded(pair.a) == before_a);
  REQUIRE(forwarded(pair.b) == before_b);
}
