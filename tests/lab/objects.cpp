// Addresses with all their options, routes and rules, against the real kernel.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// The output of `ip` with these arguments.
std::string ip(const Node& node, const std::string& arguments) { return must(node, "ip " + arguments); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Gives the node a second interface.
void add_second_interface(const Node& node) {
  must(node, "ip link add eth1 type veth peer name eth1-end");
  must(node, "ip link set eth1-end up");
  must(node, "ip link set eth1 up");
}

const char* const kObjects = R"([instance.web]
interface = "eth0"
vrid = 51
advert_interval = "100ms"
priority = 254
addresses = [
  "192.0.2.10/24",
  {address = "203.0.113.10/29", interface = "eth1", label = "eth1:vip", scope = "link"},
  {address = "198.51.100.10/32", interface = "eth1", peer = "198.51.100.11", advertise = false},
  {address = "2001:db8::10/64", preferred_lifetime = "0s"},
]
routes = [
  {to = "10.1.0.0/16", via = "192.0.2.100", table = 10, metric = 7, source = "192.0.2.10"},
  {to = "10.2.0.0/16", interface = "eth1"},
  {to = "10.3.0.0/16", type = "blackhole"},
  {to = "2001:db8:1::/48", via = "2001:db8::99"},
  {to = "2001:db8:2::/48", type = "prohibit", table = 70000},
]
rules = [
  {from = "192.0.2.10/32", table = 10, priority = 100},
  {from = "2001:db8::/64", to = "2001:db8:2::/48", table = 70000, priority = 101},
]
)";

std::string routes(const Node& node) {
  return ip(node, "-4 route show table all proto 112") + ip(node, "-6 route show table all proto 112");
}

std::string rules(const Node& node) {
  return ip(node, "rule show priority 100") + ip(node, "-6 rule show priority 101");
}

std::size_t lines(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

bool has_all(const Node& node) { return lines(routes(node)) == 5 && lines(rules(node)) == 2 && node.has("192.0.2.10"); }
bool has_none(const Node& node) {
  return routes(node).empty() && rules(node).empty() && !node.has("192.0.2.10") && !node.has("203.0.113.10");
}

struct Single {
  Single() : node(lab.add_node("a", 1)) { add_second_interface(node); }
  void start() {
    node.start_vipd(kObjects);
    REQUIRE(node.wait_state("active"));
    INFO(routes(node) << rules(node));
    REQUIRE(wait_until(2s, [&] { return has_all(node); }));
  }
  Lab lab;
  Node& node;
};

}  // namespace

TEST_CASE("lab: an address has its interface, label, scope, peer and lifetime", "[lab][C27+]") {
  Single lab;
  lab.start();
  const std::string eth1 = ip(lab.node, "-o addr show dev eth1"), eth0 = ip(lab.node, "-o addr show dev eth0");
  INFO(eth0 << eth1);
  CHECK(contains(eth1, "inet 203.0.113.10/29 scope link eth1:vip"));
  CHECK(contains(eth1, "inet 198.51.100.10 peer 198.51.100.11/32"));
  CHECK(contains(eth0, "inet6 2001:db8::10/64 scope global nodad deprecated"));
  CHECK_FALSE(contains(eth0, "tentative"));
  CHECK(wait_until(2s, [&] { return lab.node.instance().at("routes").at(4).at("present") == true; }));
  const Json instance = lab.node.instance();
  CAPTURE(instance.dump());
  CHECK(instance.at("addresses").at(1).at("interface") == "eth1");
  CHECK(instance.at("rules").at(0).at("rule") == "from 192.0.2.10/32 lookup 10 priority 100");
  for (const char* kind : {"addresses", "routes", "rules"})
    for (const Json& entry : instance.at(kind)) CHECK(entry.at("present") == true);
  lab.node.vipd().signal(SIGTERM);
  REQUIRE(lab.node.vipd().wait_exit(5s) == 0);
  INFO(routes(lab.node) << rules(lab.node));
  CHECK(has_none(lab.node));
}

TEST_CASE("lab: routes and rules that are deleted, replaced or flushed in silence are put back", "[lab]") {
  Single lab;
  lab.start();
  const auto* const harm =
      GENERATE("ip route del 10.2.0.0/16", "ip route del blackhole 10.3.0.0/16", "ip -6 route del 2001:db8:1::/48",
               "ip rule del priority 100", "ip -6 rule del priority 101", "ip route flush table 10",
               "ip addr del 192.0.2.10/24 dev eth0",  // the kernel takes the route with this source along, silently
               "ip addr del 203.0.113.10/29 dev eth1");
  INFO(harm);
  must(lab.node, harm);
  CHECK(wait_until(2s, [&] { return has_all(lab.node) && lab.node.has("203.0.113.10"); }));
  CHECK(lab.node.state() == "active");
  CHECK(lab.node.instance().at("transitions") == 2);
}

TEST_CASE("lab: nothing is left of a killed vipd after --last-will", "[lab]") {
  Single lab;
  lab.start();
  lab.node.vipd().signal(SIGKILL);
  REQUIRE(lab.node.vipd().wait_exit(5s) == 128 + SIGKILL);
  REQUIRE(has_all(lab.node));
  auto last_will = lab.node.vipd_command();
  last_will.push_back("--last-will");
  REQUIRE(run(lab.node, last_will).status == 0);
  INFO(routes(lab.node) << rules(lab.node));
  CHECK(has_none(lab.node));
}

TEST_CASE("lab: a route of somebody else stays; one that cannot be added is a fault with its reason", "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  SECTION("foreign") {
    must(node, "ip route add blackhole 10.3.0.0/16");
    node.start_vipd(web(Family::ipv4, 254, R"(routes = [{to = "10.3.0.0/16", type = "blackhole"}])"));
    REQUIRE(node.wait_state("active"));
    CHECK(node.instance().at("routes").at(0).at("foreign") == true);
    node.vipd().signal(SIGTERM);
    REQUIRE(node.vipd().wait_exit(5s) == 0);
    CHECK(contains(ip(node, "route show"), "blackhole 10.3.0.0/16"));
  }
  SECTION("refused") {
    node.start_vipd(web(Family::ipv4, 254, R"(routes = [{to = "10.3.0.0/16", via = "203.0.113.1"}])"));
    REQUIRE(wait_until(5s, [&] { return node.instance().value("fault", Json()).is_string(); }));
    CHECK(node.instance().at("fault") ==
          "cannot add route 10.3.0.0/16 via 203.0.113.1 dev eth0: Network is unreachable");
    CHECK_FALSE(node.has("192.0.2.10"));
    std::ofstream(node.directory() / "vipd.toml", std::ios::trunc) << web(Family::ipv4, 254);
    node.vipd().signal(SIGHUP);
    CHECK(node.wait_state("active", 2s));
  }
}

TEST_CASE("lab: an instance waits for the other interface of an address, and gives up when it goes", "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  std::string config = web(Family::ipv4, 254);
  config.replace(config.find("24\"]"), 3, "24\", {address = \"203.0.113.10/24\", interface = \"eth1\"}");
  node.start_vipd(config);
  const auto is_faulty = [&] { return node.instance().value("fault", Json()).is_string(); };
  REQUIRE(wait_until(5s, is_faulty));
  CHECK(node.instance().at("fault") == "interface eth1 of 203.0.113.10/24 is missing");
  add_second_interface(node);
  REQUIRE(node.wait_state("active", 2s));
  CHECK(node.has("203.0.113.10"));
  must(node, "ip link del eth1");
  REQUIRE(wait_until(5s, is_faulty));
  CHECK_FALSE(node.has("192.0.2.10"));
}

TEST_CASE("lab: an address without a length gets that of the subnet", "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  node.start_vipd(
      "[instance.web]\ninterface = \"eth0\"\nvrid = 51\nadvert_interval = \"100ms\"\naddresses = [\"192.0.2.10\", "
      "\"203.0.113.10\"]\n");
  REQUIRE(node.wait_state("active"));
  const std::string shown = ip(node, "-o addr show dev eth0");
  INFO(shown);
  CHECK(contains(shown, "inet 192.0.2.10/24 "));
  CHECK(contains(shown, "inet 203.0.113.10/32 "));
}

TEST_CASE("lab: 300 addresses are announced in all forms while adverts stay on time", "[lab][B15+][C02+][C26+]") {
  constexpr int kCount = 300;
  Pair pair(Family::ipv4);
  std::string list;
  for (int i = 0; i < kCount; ++i)
    list += (i == 0 ? "" : ", ") + ("\"10.0." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) + "/16\"");
  std::string config = web(Family::ipv4, 254, "announce.form = \"both\"\nannounce.again_after = \"0s\"");
  config.replace(config.find("[\"192.0.2.10/24\"]"), 17, "[" + list + "]");
  pair.a.start_vipd(config);
  REQUIRE(pair.a.wait_state("active"));
  pair.await_adverts(pair.source_a, 20);
  REQUIRE(pair.a.has("10.0.1.50"));

  constexpr std::size_t kFrames = 5 * 2 * kCount;  // a burst of 5 rounds, both forms
  CHECK(wait_until(5s, [&] { return pair.sniffer.of_kind("garp").size() >= kFrames; }));
  const auto garps = pair.sniffer.of_kind("garp");
  CHECK(garps.size() == kFrames);
  std::set<std::string> announced;
  for (const Json& garp : garps) announced.insert(garp.at("address").get<std::string>());
  CHECK(announced.size() == kCount);
  CHECK(std::ranges::count_if(garps, [](const Json& garp) { return garp.at("operation") == 1; }) == 5 * kCount);
  measured("1500 announcements of each form took", time_of(garps.back()) - time_of(garps.front()));

  const auto adverts = pair.sniffer.adverts_from(pair.source_a);
  const Duration longest = longest_gap(adverts);
  measured("longest gap between adverts at 100 ms, 300 addresses", longest);
  CHECK(longest <= kInterval + kSlack);
  const Json& listed = adverts.back().at("addresses");
  REQUIRE(listed.size() == 255);  // as many as fit, in the order of the file
  CHECK(listed.front() == "10.0.0.1");
  CHECK(listed.back() == "10.0.1.5");
}
