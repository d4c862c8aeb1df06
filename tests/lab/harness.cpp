// The lab's own promises, without vipd: a harness that sees nothing would let every test below pass.
#include <csignal>

#include "support/catch.hpp"
#include "support/lab/lab.hpp"

using namespace std::chrono_literals;
using namespace vipd;
using namespace vipd::lab;

TEST_CASE("lab: an address that moves is seen, and so is the outage", "[lab]") {
  Lab lab;
  const Node &a = lab.add_node("a", 1), &b = lab.add_node("b", 2), &client = lab.add_node("client", 100);
  const Process serve_a(a, {program("vipd-probe"), "serve", "7", "--name", "a"});
  const Process serve_b(b, {program("vipd-probe"), "serve", "7", "--name", "b"});
  const AddressMonitor monitor(b);
  Sniffer sniffer(client);
  const auto answered = [&] {
    return run(client, {program("vipd-probe"), "watch", "192.0.2.10", "7", "--for", "5ms"}).status == 0;
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
