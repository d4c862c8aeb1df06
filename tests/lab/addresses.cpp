// Changes of the addresses by others, and leftovers.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

TEST_CASE("lab: an address that is deleted is put back without a transition", "[lab]") {
  Pair pair(each_family());
  pair.start();
  const int transitions = pair.a.instance().at("transitions");
  const std::string length = pair.family == Family::ipv4 ? "/24" : "/64";
  const AddressMonitor monitor(pair.a);
  const WallTime start = std::chrono::system_clock::now();
  must(pair.a, "ip addr del " + pair.vip + length + " dev eth0");
  const WallTime gone = moment_of(monitor, pair.vip, false, start);
  const Duration took = moment_of(monitor, pair.vip, true, gone) - gone;
  measured("deleted address is back after", took);
  REQUIRE(took <= kSlack);  // promised are 50 ms
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE(pair.a.instance().at("transitions") == transitions);
  REQUIRE(pair.a.state() == "active");
  REQUIRE(pair.b.state() == "backup");
}

TEST_CASE("lab: all addresses are flushed, the interface's own too", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  must(pair.a, "ip addr flush dev eth0");  // no source address is left, which is a fault
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(pair.a.wait_state("initialize"));
  REQUIRE_FALSE(pair.a.has(pair.vip));
  REQUIRE(pair.a.instance().at("fault").is_string());
  must(pair.a, "ip addr add 192.0.2.1/24 dev eth0");
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
}

TEST_CASE("lab: what a killed vipd has left is removed at the next start", "[lab]") {
  Pair pair(each_family());
  pair.start("preempt = false");
  pair.a.vipd().signal(SIGKILL);
  REQUIRE(pair.a.vipd().wait_exit(5s) == 128 + SIGKILL);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(pair.a.has(pair.vip));  // two holders, until the last will removes the leftovers
  const std::size_t said = pair.sniffer.adverts_from(pair.source_a).size();

  pair.a.start_vipd(web(pair.family, 254, "preempt = false"));
  REQUIRE(wait_until(5s, [&] { return !pair.a.has(pair.vip); }));
  REQUIRE(pair.a.wait_state("backup"));
  pair.await_adverts(pair.source_b, 5);
  REQUIRE(pair.sniffer.adverts_from(pair.source_a).size() == said);
  REQUIRE_FALSE(pair.a.has(pair.vip));
  REQUIRE(pair.b.state() == "active");
}

TEST_CASE("lab: vipd --last-will removes what a killed vipd has left and says so to the peers", "[lab]") {
  Pair pair(each_family());
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(pair.a.wait_state("active"));
  auto last_will = pair.a.vipd_command();
  last_will.push_back("--last-will");
  REQUIRE(run(pair.a, last_will).status == 1);  // a running vipd keeps its addresses
  REQUIRE(pair.a.has(pair.vip));

  pair.a.vipd().signal(SIGKILL);
  REQUIRE(pair.a.vipd().wait_exit(5s) == 128 + SIGKILL);
  REQUIRE(run(pair.a, last_will).status == 0);
  REQUIRE_FALSE(pair.a.has(pair.vip));
  REQUIRE(wait_until(2s, [&] { return pair.sniffer.adverts_from(pair.source_a).back().at("priority") == 0; }));
  REQUIRE_FALSE(pair.a.source(pair.family).empty());  // the address of the node itself stays
}

TEST_CASE("lab: an address that was there before stays there after", "[lab]") {
  Pair pair(each_family());
  const std::string length = pair.family == Family::ipv4 ? "/24" : "/64";
  must(pair.a, "ip addr add " + pair.vip + length + " dev eth0");
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(pair.a.wait_state("active"));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(5s) == 0);
  REQUIRE(pair.a.has(pair.vip));
}

TEST_CASE("lab: who cannot add an address is not Active, and says why", "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.write_sysctl("ipv6/conf/eth0/disable_ipv6", "1");  // the kernel refuses the address of the other family
  const auto both = [](int priority) {
    std::string config = web(Family::ipv4, priority);
    return config.replace(config.find("/24\""), 4, "/24\", \"2001:db8::10/64\"");
  };
  pair.a.start_vipd(both(254));
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().value("fault", Json()).is_string(); }));
  const Json instance = pair.a.instance();
  CAPTURE(instance.dump());
  REQUIRE(instance.at("state") == "initialize");
  REQUIRE(instance.at("fault").get<std::string>().find("2001:db8::10") != std::string::npos);
  REQUIRE_FALSE(pair.a.has("192.0.2.10"));  // all or nothing
  REQUIRE(pair.sniffer.adverts_from(pair.source_a).empty());

  pair.b.start_vipd(both(253));
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(pair.b.has("192.0.2.10"));
  REQUIRE(pair.b.has("2001:db8::10"));
}
