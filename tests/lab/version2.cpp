// A pair that speaks VRRPv2 (RFC 3768).
#include <csignal>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

std::string v2(int priority, const std::string& more = "") {
  std::string config = web(Family::ipv4, priority, "version = 2\n" + more);
  return config.replace(config.find("100ms"), 5, "1s");
}

void start(Pair& pair, const std::string& more = "") {
  pair.a.start_vipd(v2(254, more));
  REQUIRE(pair.a.wait_state("active", 10s));
  pair.b.start_vipd(v2(253, more));
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE(wait_until(5s, [&] { return pair.b.instance().at("counters").at("adverts_received").get<int>() > 0; }));
}

}  // namespace

TEST_CASE("lab: VRRPv2: an Active that is killed is followed after Master_Down_Interval", "[lab][C06+][D02+]") {
  Pair pair(Family::ipv4);
  start(pair);
  const AddressMonitor monitor(pair.b);
  const WallTime killed = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGKILL);
  const WallTime taken = moment_of(monitor, pair.vip, true, killed);
  const auto adverts = pair.sniffer.adverts_from(pair.source_a);
  const Duration took = taken - time_of(adverts.back());
  measured("takeover after SIGKILL, VRRPv2", took);
  REQUIRE(took >= 3s);
  REQUIRE(took <= 3s + 12ms + kSlack);
  for (const Json& advert : adverts) {
    REQUIRE(advert.at("version") == 2);
    REQUIRE(advert.at("hop_limit") == 255);
    REQUIRE(advert.at("destination") == "224.0.0.18");
  }
}

TEST_CASE("lab: VRRPv2: a stop hands over, with a password on both", "[lab][C15+][D05+]") {
  Pair pair(Family::ipv4);
  start(pair, "auth_legacy = \"s3cret\"");
  const WallTime stopped = std::chrono::system_clock::now();
  const AddressMonitor monitor(pair.b);
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(5s) == 0);
  const Duration took = moment_of(monitor, pair.vip, true, stopped) - stopped;
  measured("handover at a stop, VRRPv2", took);
  REQUIRE(took <= 12ms + kSlack);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE_FALSE(pair.a.has(pair.vip));
}

TEST_CASE("lab: VRRPv2: another version, interval or password is refused and named", "[lab][D02-][D05-][D06-]") {
  Pair pair(Family::ipv4);
  const auto [config, reason] = GENERATE(
      table<std::string, std::string>({{web(Family::ipv4, 253), "version"},
                                       {v2(253, "auth_legacy = \"s3cret\""), "auth_type"},
                                       {v2(253).replace(v2(253).find("\"1s\""), 4, "\"2s\""), "interval_mismatch"}}));
  CAPTURE(reason);
  pair.a.start_vipd(v2(254));
  REQUIRE(pair.a.wait_state("active", 10s));
  pair.b.start_vipd(config);
  REQUIRE(pair.b.wait_state("active", 10s));  // for it cannot hear the other
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().at("counters").at("adverts_refused").value(reason, 0) > 0; }));
  REQUIRE(pair.a.state() == "active");
  REQUIRE(pair.a.instance().at("counters").at("adverts_received") == 0);
}
