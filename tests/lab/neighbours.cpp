// The neighbour tables of the network's hosts after a takeover.
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// The hardware address that the client's kernel has for an address; "" if none.
std::string neighbour(const Pair& pair, const std::string& address) {
  const std::string shown = must(pair.client, "ip -j neigh show to " + address + " dev eth0");
  const Json entries = shown.empty() ? Json::array() : Json::parse(shown);
  return entries.empty() ? "" : entries.at(0).value("lladdr", "");
}

}  // namespace

TEST_CASE("lab: a host that knew the address at the old Active finds it at the new one without asking",
          "[lab][C02+][C03+][C09+][C28+]") {
  Pair pair(each_family());
  const Process server(pair.a, {program("vipd-traffic"), "serve", "7"});
  pair.start();
  const auto ask = [&] { return run(pair.client, {program("vipd-traffic"), "watch", pair.vip, "7", "--for", "20ms"}); };
  REQUIRE(wait_until(5s, [&] { return ask().status == 0; }));
  REQUIRE(neighbour(pair, pair.vip) == mac_of(pair.a));
  pair.lab.set_port(pair.a, false);  // no other node can answer the question
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(wait_until(2s, [&] { return neighbour(pair, pair.vip) == mac_of(pair.b); }));
}
