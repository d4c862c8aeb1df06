// The interface vanishes, comes, is missing or has no source address. An instance waits in Initialize with a reason,
// and takes part by itself as soon as it can.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// Waits for a fault of the first instance and returns its sentence.
std::string await_fault(const Node& node) {
  REQUIRE(wait_until(5s, [&] { return node.instance().value("fault", Json()).is_string(); }));
  return node.instance().at("fault");
}

bool says(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

}  // namespace

TEST_CASE("lab: the Active loses its link, and gets it back", "[lab][C32+]") {
  Pair pair(each_family());
  pair.start();
  const AddressMonitor monitor(pair.b);
  const WallTime cut = std::chrono::system_clock::now();
  pair.lab.set_port(pair.a, false);
  const std::string fault = await_fault(pair.a);
  CAPTURE(fault);
  REQUIRE(says(fault, "eth0"));
  REQUIRE(says(fault, "down"));
  REQUIRE(pair.a.state() == "initialize");
  REQUIRE_FALSE(pair.a.has(pair.vip));
  const Duration took = moment_of(monitor, pair.vip, true, cut) - cut;
  measured("takeover after a lost link", took);
  REQUIRE(took <= 3 * kInterval + 2ms + kSlack);
  REQUIRE(pair.b.wait_state("active"));

  pair.lab.set_port(pair.a, true);
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.a.instance().at("fault").is_null());
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE_FALSE(pair.b.has(pair.vip));
}

TEST_CASE("lab: a Backup that loses its link does not take over", "[lab][C32-]") {
  Pair pair(each_family());
  pair.start();
  const AddressMonitor monitor(pair.b);
  pair.lab.set_port(pair.b, false);
  REQUIRE(says(await_fault(pair.b), "down"));
  pair.await_adverts(pair.source_a, 5);
  REQUIRE_FALSE(pair.b.has(pair.vip));
  for (const auto& event : monitor.events()) REQUIRE_FALSE((event.added && event.prefix.starts_with(pair.vip + "/")));
  pair.lab.set_port(pair.b, true);
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE(pair.a.has(pair.vip));
}

TEST_CASE("lab: the interface of the Active is set down by hand, and up again", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  must(pair.a, "ip link set eth0 down");
  REQUIRE(says(await_fault(pair.a), "down"));
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE_FALSE(pair.a.has(pair.vip));
  must(pair.a, "ip link set eth0 up");
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
}

TEST_CASE("lab: the interface is removed and made again", "[lab][C32+]") {
  Pair pair(each_family());
  pair.start();
  must(pair.a, "ip link del eth0");
  const std::string fault = await_fault(pair.a);
  CAPTURE(fault);
  REQUIRE(says(fault, "eth0"));
  REQUIRE(says(fault, "missing"));
  REQUIRE(pair.a.state() == "initialize");
  REQUIRE(pair.b.wait_state("active"));

  pair.lab.wire(pair.a);
  pair.a.configure_interface();
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
  pair.await_adverts(pair.a.source(pair.family), 3);
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE_FALSE(pair.b.has(pair.vip));
  REQUIRE(pair.a.instance().at("fault").is_null());
}

TEST_CASE("lab: the interface of a Backup is removed and made again", "[lab]") {
  Pair pair(each_family());
  pair.start();
  must(pair.b, "ip link del eth0");
  REQUIRE(says(await_fault(pair.b), "missing"));
  pair.lab.wire(pair.b);
  pair.b.configure_interface();
  REQUIRE(pair.b.wait_state("backup"));
  pair.a.vipd().signal(SIGKILL);  // b hears and speaks again
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return !pair.sniffer.adverts_from(pair.b.source(pair.family)).empty(); }));
}

TEST_CASE("lab: an alternative name of an interface is told from one that is missing", "[lab]") {
  Lab lab;
  Node& a = lab.add_bare_node("a", 1);
  lab.wire(a);
  a.configure_interface();
  std::string config = web(Family::ipv4, 254);
  config.replace(config.find("\"eth0\""), 6, "\"kubevip\"");
  a.start_vipd(config);
  REQUIRE(await_fault(a) == "interface kubevip is missing");
  must(a, "ip link property add dev eth0 altname kubevip");
  const std::string told = "interface kubevip is an alternative name of eth0: write \"eth0\"";
  REQUIRE(wait_until(5s, [&] { return await_fault(a) == told; }));
  must(a, "ip link property del dev eth0 altname kubevip");
  REQUIRE(wait_until(5s, [&] { return await_fault(a) == "interface kubevip is missing"; }));
}

TEST_CASE("lab: an interface that is missing at the start is waited for", "[lab]") {
  Lab lab;
  Node& a = lab.add_bare_node("a", 1);
  const Family family = each_family();
  a.start_vipd(web(family, 254));
  REQUIRE(says(await_fault(a), "missing"));
  REQUIRE(a.state() == "initialize");
  lab.wire(a);
  a.configure_interface();
  REQUIRE(a.wait_state("active"));
  REQUIRE(a.has(virtual_address(family)));
}

TEST_CASE("lab: without an address to send from an instance takes no part", "[lab][A01-][A02-]") {
  Lab lab;
  Node& a = lab.add_bare_node("a", 1);
  const Family family = each_family();
  lab.wire(a);
  must(a, "ip link set eth0 addrgenmode none");
  must(a, "ip link set eth0 up");
  a.start_vipd(web(family, 254));
  const std::string fault = await_fault(a);
  CAPTURE(fault);
  REQUIRE(says(fault, family == Family::ipv4 ? "IPv4" : "link-local"));
  REQUIRE_FALSE(a.has(virtual_address(family)));
  must(a, family == Family::ipv4 ? "ip addr add 192.0.2.1/24 dev eth0" : "ip addr add fe80::1/64 dev eth0");
  REQUIRE(a.wait_state("active"));
  REQUIRE(a.has(virtual_address(family)));
}

TEST_CASE("lab: the source address changes while Active", "[lab][A01+]") {
  Pair pair(Family::ipv4);
  pair.start();
  must(pair.a, "ip addr add 192.0.2.3/24 dev eth0");
  pair.a.write_sysctl("ipv4/conf/eth0/promote_secondaries", "1");
  must(pair.a, "ip addr del 192.0.2.1/24 dev eth0");
  pair.await_adverts("192.0.2.3", 3);
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.a.has(pair.vip));
}
