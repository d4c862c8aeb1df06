// A node with two networks: an advert in one is not heard in the other.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// A Pair whose node `a` is a router, with a second network behind its eth1, in which `far` is.
struct TwoNetworks : Pair {
  explicit TwoNetworks(Family its_family) : Pair(its_family), far(lab.add_bare_node("far", 5)) {
    must(a, "ip link add eth1 type veth peer name eth0 netns " + far.path());
    must(a, "ip link set eth1 up");
    must(a, "ip addr add 198.51.100.1/24 dev eth1");
    far.configure_interface();
    a.write_sysctl("ipv4/ip_forward", "1");
    a.write_sysctl("ipv6/conf/all/forwarding", "1");
    must(a, "ip route add 224.0.0.0/4 dev eth1");  // a wrong route: it must not matter for a group of the link
    must(a, "ip -6 route add ff00::/8 dev eth1 table local");
  }
  Node& far;
};

/// True if a raw socket for VRRP is open in the namespace.
bool listens(const Node& node, Family family) {
  return must(node, family == Family::ipv4 ? "cat /proc/net/raw" : "cat /proc/net/raw6").find(":0070 ") !=
         std::string::npos;
}

}  // namespace

TEST_CASE("lab: a router does not forward adverts into its other network", "[lab][A04+][A04-]") {
  TwoNetworks net(each_family());
  Sniffer sniffer(net.far);
  net.b.start_vipd(web(net.family, 254));
  REQUIRE(net.b.wait_state("active"));
  net.a.start_vipd(web(net.family, 100));  // joins the group at eth0, so adverts come in
  REQUIRE(net.a.wait_state("backup"));
  net.await_adverts(net.source_b, 10);
  REQUIRE(net.a.instance().at("counters").at("adverts_received").get<int>() > 0);
  REQUIRE(sniffer.of_kind("advert").empty());

  net.far.start_vipd(web(net.family, 100));  // its adverts are visible to a sniffer
  REQUIRE(wait_until(5s, [&] { return !sniffer.adverts_from(net.far.source(net.family)).empty(); }));
}

TEST_CASE("lab: the same VRID in another network is another virtual router", "[lab][B16+][B16-]") {
  TwoNetworks net(each_family());
  Sniffer sniffer(net.far);
  net.a.start_vipd(web(net.family, 100));
  REQUIRE(net.a.wait_state("active"));
  const int transitions = net.a.instance().at("transitions");
  net.far.start_vipd(web(net.family, 254));
  REQUIRE(wait_until(5s, [&] { return sniffer.adverts_from(net.far.source(net.family)).size() >= 10; }));
  REQUIRE(net.far.state() == "active");
  REQUIRE(net.a.state() == "active");
  const Json instance = net.a.instance();
  CAPTURE(instance.dump());
  REQUIRE(instance.at("transitions") == transitions);
  REQUIRE(instance.at("counters").at("adverts_received") == 0);
  REQUIRE(instance.at("counters").at("adverts_refused").empty());
}

TEST_CASE("lab: the group is joined on the instance's interface alone, and nothing is left of it",
          "[lab][A03+][A03-]") {
  TwoNetworks net(each_family());
  const std::string group = net.family == Family::ipv4 ? "224.0.0.18" : "ff02::12";
  const auto joined = [&](const std::string& interface) {
    return must(net.a, "ip maddr show dev " + interface).find(group + "\n") != std::string::npos;
  };
  net.a.start_vipd(web(net.family, 254));
  REQUIRE(net.a.wait_state("active"));
  REQUIRE(joined("eth0"));
  REQUIRE_FALSE(joined("eth1"));
  REQUIRE(listens(net.a, net.family));

  must(net.a, "ip link del eth0");
  REQUIRE(wait_until(5s, [&] { return !listens(net.a, net.family); }));
  REQUIRE_FALSE(joined("eth1"));
  net.lab.wire(net.a);
  net.a.configure_interface();
  REQUIRE(net.a.wait_state("active"));
  REQUIRE(joined("eth0"));

  net.a.vipd().signal(SIGTERM);
  REQUIRE(net.a.vipd().wait_exit(5s) == 0);
  REQUIRE_FALSE(joined("eth0"));
}
