// virtual_mac = true: which hardware address appears where and when, and that nothing is left behind.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

const std::string kOn = "virtual_mac = true";

std::string vmac(Family family) { return family == Family::ipv4 ? "00:00:5e:00:01:33" : "00:00:5e:00:02:33"; }
std::string device(Family family) { return family == Family::ipv4 ? "vrrp4.51.eth0" : "vrrp6.51.eth0"; }

/// The link of a name as `ip` shows it; null if there is none.
Json link(const Netns& netns, const std::string& name) {
  const Finished shown = run(netns, {"ip", "-j", "-d", "link", "show", "dev", name});
  return shown.status == 0 ? Json::parse(shown.output).at(0) : Json();
}
bool is_up(const Json& link) {
  const auto& flags = link.at("flags");
  return std::find(flags.begin(), flags.end(), "UP") != flags.end();
}

std::string read_sysctl(const Netns& netns, const std::string& name) {
  std::string text = must(netns, "cat /proc/sys/net/" + name);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// The port of the switch behind which it saw a hardware address; "" if it never did.
std::string port_of(const Pair& pair, const std::string& mac) {
  for (const auto& entry : Json::parse(pair.lab.at_switch("bridge -j fdb show br switch")))
    if (entry.at("mac") == mac) return entry.at("ifname");
  return "";
}

}  // namespace

TEST_CASE("lab: adverts and announcements carry the virtual MAC", "[lab][A02+][A08+][A08-][D15+][D15-]") {
  Pair pair(each_family());
  pair.start(kOn);
  pair.await_adverts(pair.source_a, 3);
  for (const auto& advert : pair.sniffer.adverts_from(pair.source_a)) {
    REQUIRE(advert.at("source_mac") == vmac(pair.family));
    REQUIRE(advert.at("hop_limit") == 255);
    REQUIRE(advert.at("tos") == 0xc0);
  }
  REQUIRE(pair.sniffer.of_kind("advert").size() == pair.sniffer.adverts_from(pair.source_a).size());
  const auto announced = pair.sniffer.of_kind(pair.family == Family::ipv4 ? "garp" : "na");
  REQUIRE_FALSE(announced.empty());
  for (const auto& frame : announced) REQUIRE(frame.at("source_mac") == vmac(pair.family));
  const Json shown = pair.a.instance().at("virtual_mac");
  REQUIRE(shown.at("address") == vmac(pair.family));
  REQUIRE(shown.at("interface") == device(pair.family));
}

TEST_CASE("lab: the switch finds the virtual MAC at the new Active within an advert", "[lab][A08+][C07+]") {
  Pair pair(each_family());
  pair.start(kOn);
  REQUIRE(port_of(pair, vmac(pair.family)) == "a");
  const std::size_t before = pair.sniffer.adverts_from(pair.source_b).size();
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(wait_until(5s, [&] { return pair.sniffer.adverts_from(pair.source_b).size() > before; }));
  REQUIRE(port_of(pair, vmac(pair.family)) == "b");
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(answering(pair, pair.vip) == Json::array({vmac(pair.family)}));
  REQUIRE(reaches(pair.client, pair.b, pair.vip));
}

TEST_CASE("lab: with the virtual MAC and accept = false a takeover takes no longer", "[lab]") {
  Pair pair(each_family());
  pair.start(kOn + "\naccept = false");
  const AddressMonitor monitor(pair.b);
  const WallTime killed = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGKILL);
  const Duration took =
      moment_of(monitor, pair.vip, true, killed) - time_of(pair.sniffer.adverts_from(pair.source_a).back());
  measured("takeover after SIGKILL with the virtual MAC", took);
  REQUIRE(took >= 3 * kInterval);
  REQUIRE(took <= 3 * kInterval + 2ms + kSlack);
  REQUIRE(wait_until(1s, [&] { return !pair.sniffer.adverts_from(pair.source_b).empty(); }));
}

TEST_CASE("lab: a virtual address is answered for by the virtual MAC, own addresses by the own one",
          "[lab][C07-][C24+][C24-][D14+][D14-]") {
  Pair pair(each_family());
  pair.start(kOn);
  REQUIRE(answering(pair, pair.vip) == Json::array({vmac(pair.family)}));
  if (pair.family == Family::ipv4) {
    must(pair.a, "ip route add 198.51.100.0/24 via 192.0.2.100");  // a route for the answer to a foreign asker
    REQUIRE(answering(pair, pair.vip, "198.51.100.7") == Json::array({vmac(pair.family)}));
  }
  REQUIRE(answering(pair, pair.a.unicast(pair.family)) == Json::array({mac_of(pair.a)}));
  REQUIRE(answering(pair, pair.b.unicast(pair.family)) == Json::array({mac_of(pair.b)}));
  REQUIRE(reaches(pair.client, pair.a, pair.vip));
  REQUIRE(reaches(pair.b, pair.a, pair.vip));
}

TEST_CASE("lab: a strict reverse path filter does not keep the virtual MAC from answering", "[lab][C24+]") {
  Pair pair(Family::ipv4);
  for (const Node* node : {&pair.a, &pair.b}) node->write_sysctl("ipv4/conf/all/rp_filter", "1");
  pair.start(kOn);
  REQUIRE(answering(pair, pair.vip) == Json::array({vmac(pair.family)}));
  REQUIRE(reaches(pair.client, pair.a, pair.vip));
}

TEST_CASE("lab: a node's own requests never show a virtual address with the interface's MAC", "[lab][C24-]") {
  Pair pair(Family::ipv4);
  pair.start(kOn);
  must(pair.a, "ip neigh flush dev eth0");
  must(pair.a, "ip route add 192.0.2.100/32 dev eth0 src " + pair.vip);
  REQUIRE(reaches(pair.a, pair.client, "192.0.2.100"));  // with the virtual address as source
  const auto from_a = [&] {
    auto requests = pair.sniffer.of_kind("arp");
    std::erase_if(requests, [&](const Json& frame) { return frame.at("sender_mac") != mac_of(pair.a); });
    return requests;
  };
  REQUIRE(wait_until(5s, [&] { return !from_a().empty(); }));
  for (const auto& frame : from_a()) REQUIRE(frame.at("sender") != pair.vip);
  must(pair.a, "ip route del 192.0.2.100/32 dev eth0");  // the kernel removes the route with its source
}

TEST_CASE("lab: the device of the virtual MAC is up only while Active and has no address of its own",
          "[lab][A09+][A09-][C07+]") {
  Pair pair(each_family());
  pair.start(kOn);
  const Json on_a = link(pair.a, device(pair.family)), on_b = link(pair.b, device(pair.family));
  REQUIRE(is_up(on_a));
  REQUIRE_FALSE(is_up(on_b));
  REQUIRE(on_a.at("inet6_addr_gen_mode") == "none");
  REQUIRE(on_a.at("address") == vmac(pair.family));
  // The device has only configured addresses, and no link-local address made from the MAC.
  const std::string held = must(pair.a, "ip -o addr show dev " + device(pair.family));
  REQUIRE(std::count(held.begin(), held.end(), '\n') == (pair.family == Family::ipv4 ? 1 : 2));
  REQUIRE(held.find("200:5eff") == std::string::npos);
  // There is no second route to the subnet.
  const std::string subnet = pair.family == Family::ipv4 ? "-4 route show 192.0.2.0/24" : "-6 route show 2001:db8::/64";
  REQUIRE(must(pair.a, "ip " + subnet + " dev " + device(pair.family)).empty());
  REQUIRE_FALSE(must(pair.a, "ip " + subnet + " dev eth0").empty());
}

TEST_CASE("lab: with the virtual MAC, what was changed on the interface is put back", "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.write_sysctl("ipv4/conf/eth0/arp_announce", "1");
  pair.start(kOn);
  REQUIRE(read_sysctl(pair.a, "ipv4/conf/eth0/arp_ignore") == "1");
  REQUIRE(read_sysctl(pair.a, "ipv4/conf/eth0/arp_announce") == "2");
  REQUIRE(read_sysctl(pair.b, "ipv4/conf/eth0/arp_ignore") == "0");
  const bool crash = GENERATE(false, true);
  if (crash) {
    pair.a.vipd().signal(SIGKILL);
    pair.a.vipd().wait_exit(5s);
    auto will = pair.a.vipd_command();
    will.emplace_back("--last-will");
    REQUIRE(run(pair.a, will).status == 0);
  } else {
    pair.a.vipd().signal(SIGTERM);
    REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  }
  REQUIRE(read_sysctl(pair.a, "ipv4/conf/eth0/arp_ignore") == "0");
  REQUIRE(read_sysctl(pair.a, "ipv4/conf/eth0/arp_announce") == "1");
  REQUIRE(link(pair.a, device(pair.family)).is_null());
  REQUIRE_FALSE(pair.a.has(pair.vip));
}

TEST_CASE("lab: a start after a crash makes the virtual MAC's device anew and puts back what it found", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start(kOn);
  pair.a.vipd().signal(SIGKILL);
  pair.a.vipd().wait_exit(5s);
  REQUIRE(pair.b.wait_state("active"));
  pair.a.start_vipd(web(pair.family, 254, kOn));
  REQUIRE(pair.a.wait_state("active"));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE(read_sysctl(pair.a, "ipv4/conf/eth0/arp_ignore") == "0");
  REQUIRE(link(pair.a, device(pair.family)).is_null());
}

TEST_CASE("lab: the device of the virtual MAC is put back when somebody removes it or sets it down", "[lab]") {
  Pair pair(each_family());
  pair.start(kOn);
  const bool removed = GENERATE(true, false);
  must(pair.a, std::string("ip link ") + (removed ? "del " : "set down dev ") + device(pair.family));
  REQUIRE(wait_until(5s, [&] {
    const Json now = link(pair.a, device(pair.family));
    return !now.is_null() && is_up(now) && pair.a.has(pair.vip);
  }));
  REQUIRE(answering(pair, pair.vip) == Json::array({vmac(pair.family)}));
  REQUIRE(pair.a.state() == "active");
  REQUIRE(pair.a.instance().at("transitions") == 2);
}

TEST_CASE("lab: the virtual MAC serves again after a small MTU took IPv6 off its device", "[lab]") {
  Pair pair(Family::ipv6);
  pair.start(kOn);
  must(pair.a, "ip link set eth0 mtu 1000");
  REQUIRE(pair.b.wait_state("active"));
  must(pair.a, "ip link set eth0 mtu 1500");
  must(pair.a, "ip addr add 2001:db8::1/64 dev eth0 nodad");  // the administrator has to restore it
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(answering(pair, pair.vip) == Json::array({vmac(pair.family)}));
  REQUIRE(link(pair.a, device(pair.family)).at("mtu") == 1500);
}

TEST_CASE("lab: somebody else's device of the virtual MAC's name is left alone and said", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  must(a, "ip link add vrrp4.51.eth0 type bridge");
  a.start_vipd(web(Family::ipv4, 254, kOn));
  REQUIRE(wait_until(5s, [&] { return a.instance().value("fault", Json()).is_string(); }));
  REQUIRE(a.instance().at("fault").get<std::string>().find("vrrp4.51.eth0 is not vipd's") != std::string::npos);
  REQUIRE(link(a, "vrrp4.51.eth0").at("linkinfo").at("info_kind") == "bridge");
  must(a, "ip link del vrrp4.51.eth0");
  REQUIRE(a.wait_state("active"));
  REQUIRE(a.has("192.0.2.10"));
}

TEST_CASE("lab: two Actives with the same virtual MAC hear each other", "[lab][C18+]") {
  Pair pair(each_family());
  pair.start(kOn);
  const std::string protocol = pair.family == Family::ipv4 ? "ip protocol 112" : "ip6 nexthdr 112";
  pair.lab.drop(protocol);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(pair.a.state() == "active");
  pair.lab.drop_nothing();
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE_FALSE(pair.b.has(pair.vip));
  REQUIRE(wait_until(5s, [&] { return port_of(pair, vmac(pair.family)) == "a"; }));
}

TEST_CASE("lab: one VRID on two interfaces has two devices and both virtual MACs", "[lab][A08+]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  must(a, "ip link add eth1 type veth peer name far");
  must(a, "ip link set far up");
  must(a, "ip addr add 198.51.100.1/24 dev eth1");
  must(a, "ip link set eth1 up");
  a.start_vipd(web(Family::ipv4, 254, kOn) + "[instance.other]\ninterface = \"eth1\"\nvrid = 51\n" + kOn +
               "\nadvert_interval = \"100ms\"\naddresses = [\"198.51.100.10/24\"]\n");
  REQUIRE(a.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return a.has("198.51.100.10"); }));
  for (const char* name : {"vrrp4.51.eth0", "vrrp4.51.eth1"}) REQUIRE(is_up(link(a, name)));
}

namespace {

/// Gives a node a macvlan on eth0, as an LXC guest has its port: sub0 with the address 192.0.2.7.
void add_sub0(const Node& node) {
  must(node, "ip link add link eth0 name sub0 type macvlan mode bridge");
  must(node, "ip addr add 192.0.2.7/24 dev sub0");
  must(node, "ip link set sub0 up");
}

std::string on_sub0(const std::string& name = "web", int vrid = 51, int host = 10) {
  return "[instance." + name + "]\ninterface = \"sub0\"\nvrid = " + std::to_string(vrid) +
         "\nadvert_interval = \"100ms\"\n" + kOn + "\naddresses = [\"192.0.2." + std::to_string(host) + "\"]\n";
}

}  // namespace

TEST_CASE("lab: F5: the virtual MAC on a macvlan serves, and nothing of it stays behind", "[lab][F5]") {
  Lab lab;
  Node &a = lab.add_node("a", 1), &client = lab.add_node("client", 100);
  add_sub0(a);
  a.write_sysctl("ipv4/conf/eth0/arp_ignore", "1");  // otherwise eth0 answers, too, for any address of the machine
  Sniffer sniffer(client);
  a.start_vipd(on_sub0());
  REQUIRE(a.wait_state("active"));
  REQUIRE(a.instance().at("addresses").at(0).at("address") == "192.0.2.10/24");
  REQUIRE(read_sysctl(a, "ipv4/conf/sub0/arp_ignore") == "1");
  REQUIRE(wait_until(5s, [&] { return !sniffer.of_kind("advert").empty() && !sniffer.of_kind("garp").empty(); }));
  for (const char* kind : {"advert", "garp"})
    for (const auto& frame : sniffer.of_kind(kind)) REQUIRE(frame.at("source_mac") == "00:00:5e:00:01:33");
  const Json asked = Json::parse(
      must(client, program("vipd-traffic") + " ask eth0 192.0.2.10 " + client.source(Family::ipv4) + " --for 300ms"));
  REQUIRE(asked.at("macs") == Json::array({"00:00:5e:00:01:33"}));
  REQUIRE(reaches(client, a, "192.0.2.10"));
  std::vector<std::string> will = a.vipd_command();
  will.emplace_back("--last-will");
  if (GENERATE(false, true)) {
    a.vipd().signal(SIGKILL);
    a.vipd().wait_exit(5s);
    REQUIRE(run(a, will).status == 0);
  } else {
    a.vipd().signal(SIGTERM);
    REQUIRE(a.vipd().wait_exit(10s) == 0);
  }
  REQUIRE(link(a, "vrrp4.51.sub0").is_null());
  REQUIRE(read_sysctl(a, "ipv4/conf/sub0/arp_ignore") == "0");
  REQUIRE_FALSE(link(a, "sub0").is_null());
}

TEST_CASE("lab: F5: the interface below a macvlan may be in another namespace", "[lab][F5]") {
  Lab lab;
  Node &host = lab.add_node("host", 1), &guest = lab.add_bare_node("guest", 2), &client = lab.add_node("client", 100);
  // The index of the parent in its namespace is that of another interface here.
  const std::string below =
      std::to_string(Json::parse(must(host, "ip -j link show dev eth0")).at(0).at("ifindex").get<int>());
  must(guest, "ip link add other index " + below + " type bridge");
  must(guest, "ip addr add 192.0.2.8/28 dev other");
  must(host, "ip link add link eth0 name sub0 netns " + guest.path() + " type macvlan mode bridge");
  must(guest, "ip addr add 192.0.2.7/24 dev sub0");
  must(guest, "ip link set sub0 up");
  guest.start_vipd(on_sub0());
  REQUIRE(guest.wait_state("active"));
  REQUIRE(guest.instance().at("addresses").at(0).at("address") == "192.0.2.10/24");
  REQUIRE(reaches(client, guest, "192.0.2.10"));
  guest.vipd().signal(SIGTERM);
  REQUIRE(guest.vipd().wait_exit(10s) == 0);
  REQUIRE(link(guest, "vrrp4.51.sub0").is_null());
}
