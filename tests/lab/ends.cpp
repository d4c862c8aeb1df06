// A node is stopped and killed, again and again. Its peer gets the address each time, both hold it only briefly, and
// nothing is left behind. The long form has a thousand rounds of each.
#include <csignal>
#include <memory>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// A configuration with adverts every 20 ms, since the test mostly waits.
std::string quick(int priority) {
  std::string text = web(Family::ipv4, priority);
  return text.replace(text.find("100ms"), 5, "20ms");
}

/// How long both nodes had the address, by the events since a time: it came to one node and then left the other.
Duration overlap(const AddressMonitor& gone_from, const AddressMonitor& came_to, const Pair& pair, WallTime since) {
  return moment_of(gone_from, pair.vip, false, since) - moment_of(came_to, pair.vip, true, since);
}

std::unique_ptr<Process> start_a(const Pair& pair) {
  auto vipd = std::make_unique<Process>(pair.a, pair.a.vipd_command());
  REQUIRE(wait_until(10s, [&] { return pair.a.has(pair.vip) && !pair.b.has(pair.vip); }));
  return vipd;
}

}  // namespace

TEST_CASE("lab: stopped again and again, the other one has the address each time", "[lab]") {
  const bool is_kill = GENERATE(false, true);
  const int count = rounds(5, 1000);
  Pair pair(Family::ipv4);
  pair.b.start_vipd(quick(253));
  std::ofstream(pair.a.directory() / "vipd.toml") << quick(254);
  std::unique_ptr<Process> vipd = start_a(pair);
  auto last_will = pair.a.vipd_command();
  last_will.push_back("--last-will");
  const std::size_t others = addresses(pair.a).size();
  Duration worst{};
  for (int i = 0; i < count; ++i) {
    const AddressMonitor monitor_a(pair.a), monitor_b(pair.b);
    const WallTime ended = std::chrono::system_clock::now();
    vipd->signal(is_kill ? SIGKILL : SIGTERM);
    REQUIRE(vipd->wait_exit(10s) == (is_kill ? 128 + SIGKILL : 0));
    if (is_kill) REQUIRE(run(pair.a, last_will).status == 0);
    worst = std::max(worst, overlap(monitor_a, monitor_b, pair, ended));
    REQUIRE(pair.b.has(pair.vip));
    REQUIRE(addresses(pair.a).size() == others - 1);
    vipd = start_a(pair);
  }
  measured(std::to_string(count) + (is_kill ? " kills with a last will" : " stops") +
               ": longest time that both had the address",
           worst);
  REQUIRE(worst < 100ms + kSlack);
}

TEST_CASE("lab: a stop ends although IPv6 has gone from the interface, and says nothing of it", "[lab][F4]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  std::string config = web(Family::ipv4, 254);
  a.start_vipd(config.replace(config.find("/24\""), 4, "/24\", \"2001:db8:1::10/64\""));
  REQUIRE(a.wait_state("active"));
  a.changes([&] { must(a, "ip link set eth0 mtu 1200"); });  // below what IPv6 needs (RFC 8200 5), whose settings go
  a.vipd().signal(SIGTERM);
  REQUIRE(a.vipd().wait_exit(5s + kLeakCheck) == 0);
  CHECK(a.vipd().errors().find("cannot remove") == std::string::npos);
  CHECK_FALSE(a.has("192.0.2.10"));
}
