// The promises of the lab itself, without vipd: with a blind harness every test would pass.
#include <algorithm>
#include <csignal>

#include "support/catch.hpp"
#include "support/lab/lab.hpp"

using namespace std::chrono_literals;
using namespace vipd;
using namespace vipd::lab;

TEST_CASE("lab: an address that moves is seen, and so is the outage", "[lab]") {
  Lab lab;
  const Node &a = lab.add_node("a", 1), &b = lab.add_node("b", 2), &client = lab.add_node("client", 100);
  const Process serve_a(a, {program("vipd-traffic"), "serve", "7", "--name", "a"});
  const Process serve_b(b, {program("vipd-traffic"), "serve", "7", "--name", "b"});
  const AddressMonitor monitor(b);
  Sniffer sniffer(client);
  const auto answered = [&] {
    return run(client, {program("vipd-traffic"), "watch", "192.0.2.10", "7", "--for", "5ms"}).status == 0;
  };

  must(a, "ip addr add 192.0.2.10/24 dev eth0");
  REQUIRE(a.has("192.0.2.10"));
  REQUIRE_FALSE(b.has("192.0.2.10"));
  REQUIRE(wait_until(5s, answered));

  Watch watch(client, "192.0.2.10");
  must(a, "ip addr del 192.0.2.10/24 dev eth0");
  REQUIRE_FALSE(answered());
  must(b, "ip addr add 192.0.2.10/24 dev eth0");
  must(client, "ip neigh flush dev eth0");
  REQUIRE(wait_until(5s, answered));
  const Json report = watch.finish();
  CAPTURE(report.dump());
  REQUIRE(report.at("lost").get<int>() > 0);
  REQUIRE(report.at("longest_outage_ms").get<double>() > 0.5);
  REQUIRE(report.at("answered_by").contains("b"));
  REQUIRE(wait_until(5s, [&] { return !monitor.events().empty(); }));
  REQUIRE(monitor.events().front().prefix == "192.0.2.10/24");
  REQUIRE(monitor.events().front().added);
}

TEST_CASE("lab: what others lose or get while vipd runs is noticed at the end, the test's own changes are not",
          "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  must(a, "ip addr add 203.0.113.1/24 dev eth0");
  must(a, "ip route add blackhole 10.99.0.0/16");
  must(a, "ip rule add from 203.0.113.1 table 10 priority 99");
  const std::string neighbour = "ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent";
  must(a, neighbour);
  must(a, "nft add table inet others");
  a.start_vipd("[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n");
  must(a, "ip addr add 203.0.113.2/24 dev eth0");
  must(a, "ip addr del 203.0.113.2/24 dev eth0");
  must(a, "ip link set eth0 mtu 1400");
  a.write_sysctl("ipv4/conf/all/arp_filter", "1");
  a.kill_vipds();
  REQUIRE(a.end_of_vipd().empty());

  struct Harm {
    std::string harm, repair, said;
  };
  const Netns& behind_the_labs_back = a;
  for (const auto& [harm, repair, said] : std::vector<Harm>{
           {"ip addr add 203.0.113.3/24 dev eth0", "ip addr del 203.0.113.3/24 dev eth0",
            "new: address eth0 203.0.113.3"},
           {"ip addr del 203.0.113.1/24 dev eth0", "ip addr add 203.0.113.1/24 dev eth0",
            "gone: address eth0 203.0.113.1"},
           {"ip route del blackhole 10.99.0.0/16", "ip route add blackhole 10.99.0.0/16", "gone: route table 254"},
           {"ip rule del priority 99", "ip rule add from 203.0.113.1 table 10 priority 99", "gone: rule priority 99"},
           {"ip neigh del 192.0.2.77 dev eth0", neighbour, "gone: neighbour eth0 192.0.2.77"},
           {"ip link set eth0 mtu 1300", "ip link set eth0 mtu 1400", "gone: link eth0"},
           {"ip link add other type bridge", "ip link del other", "new: link other"},
           {"nft add table inet more", "nft delete table inet more", "new: nftables table"},
           {"sysctl -qw net.ipv4.conf.eth0.arp_ignore=1", "sysctl -qw net.ipv4.conf.eth0.arp_ignore=0",
            "new: setting "},
           {"sysctl -qw net.ipv4.conf.all.arp_ignore=1", "sysctl -qw net.ipv4.conf.all.arp_ignore=0",
            "new: setting ipv4/conf/all/arp_ignore = 1"},
           {"ip route add 198.51.100.0/24 dev eth0 proto 112", "ip route del 198.51.100.0/24",
            "left behind by vipd: route"},
       }) {
    must(behind_the_labs_back, harm);
    const auto differences = a.end_of_vipd(0s);
    must(behind_the_labs_back, repair);
    CAPTURE(harm, differences);
    CHECK(std::ranges::any_of(differences, [&, start = said](const auto& line) { return line.starts_with(start); }));
    CHECK(a.end_of_vipd().empty());
  }
}
