// A whole life under valgrind(1). Unlike the sanitizers it detects uninitialised octets that are read or handed to the
// kernel. A build with sanitizers has no such test.
#ifndef VIPD_SANITIZED
#include <csignal>
#include <fstream>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr int kFound = 99;

/// A configuration with an object of each kind, and with a peer that would take over.
std::string config_of(int priority, const std::string& address) {
  return R"([check.service]
command = "/bin/true"

[instance.web]
interface = "eth0"
vrid = 51
priority = )" +
         std::to_string(priority) + R"(
addresses = ["192.0.2.10/24", ")" +
         address + R"(/32"]
routes = [{to = "10.1.0.0/16", via = "192.0.2.100", table = 10}]
rules = [{from = "192.0.2.10/32", table = 10, priority = 100}]
checks = ["service"]
hooks.any = "/bin/true"

[instance.mac]
interface = "eth0"
vrid = 52
priority = )" +
         std::to_string(priority) + R"(
addresses = ["fe80::20/64", "2001:db8::20/64"]
virtual_mac = true
accept = false
)";
}

}  // namespace

TEST_CASE("lab: valgrind finds nothing in a life with adverts, checks, hooks, a reload, questions and garbage",
          "[lab]") {
  Pair pair(Family::ipv4);
  std::ofstream(pair.a.directory() / "vipd.toml") << config_of(254, "198.51.100.1");
  std::vector<std::string> command = {"valgrind", "--quiet", "--leak-check=full",
                                      "--error-exitcode=" + std::to_string(kFound)};
  for (const auto& word : pair.a.vipd_command()) command.push_back(word);
  Process vipd(pair.a, command);
  REQUIRE(pair.a.wait_state("active", 60s));
  pair.b.start_vipd(config_of(253, "198.51.100.1"));
  REQUIRE(pair.b.wait_state("backup"));

  Attacker attacker(pair.client, pair.family);
  for (const auto& defect : defects(pair.family)) {
    PacketParts parts = testing::ipv4_parts();
    parts.source = testing::ip(pair.client.source(pair.family));
    defect.make(parts);
    attacker.send(parts);
  }
  must(pair.a, "ip addr del 192.0.2.10/24 dev eth0");
  REQUIRE(wait_until(10s, [&] { return pair.a.has("192.0.2.10"); }));
  for (const char* verb : {"status", "events", "diff", "version"})
    run(pair.a, {program("vipctl"), "--runtime-dir", pair.a.runtime_dir(), verb});
  std::ofstream(pair.a.directory() / "vipd.toml") << config_of(254, "198.51.100.2");
  vipd.signal(SIGHUP);
  REQUIRE(wait_until(20s, [&] { return pair.a.has("198.51.100.2"); }));
  vipd.signal(SIGTERM);
  const auto status = vipd.wait_exit(60s);
  INFO(vipd.errors());
  REQUIRE(status == 0);
  REQUIRE(pair.b.wait_state("active"));
}
#endif
