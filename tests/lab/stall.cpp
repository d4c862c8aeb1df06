// The Active node is stopped and continued after 1 ms to 60 s. A pause within the Active_Down_Interval changes nothing.
// After a longer pause the node releases at once, and listens before it sends.
#include <csignal>
#include <thread>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

struct Pause {
  const char* text;
  std::chrono::milliseconds length;
  std::chrono::milliseconds interval;
};

/// The pauses; the long form has long ones, too.
std::vector<Pause> pauses() {
  std::vector<Pause> all = {{"100ms", 1ms, 100ms}, {"100ms", 150ms, 100ms}};
  if (is_long())
    all.insert(all.end(), {{"100ms", 10ms, 100ms},
                           {"100ms", 1s, 100ms},
                           {"1s", 10ms, 1s},
                           {"1s", 1s, 1s},
                           {"1s", 2s, 1s},
                           {"1s", 10s, 1s},
                           {"1s", 60s, 1s}});
  return all;
}

std::string with_interval(std::string config, const std::string& interval) {
  return config.replace(config.find("100ms"), 5, interval);
}

}  // namespace

TEST_CASE("lab: an Active that is stopped for 1 ms to 60 s and goes on", "[lab]") {
  for (const Pause& pause : pauses()) {
    INFO(pause.length.count() << " ms, adverts every " << pause.text);
    const bool is_short = pause.length < 2500 * pause.interval / 1000;
    Pair pair(Family::ipv4);
    pair.a.start_vipd(with_interval(web(pair.family, 254), pause.text));
    REQUIRE(pair.a.wait_state("active", 10s));
    pair.b.start_vipd(with_interval(web(pair.family, 253), pause.text));
    REQUIRE(pair.b.wait_state("backup", 10s));
    REQUIRE(wait_until(10s, [&] { return pair.b.instance().at("counters").at("adverts_received").get<int>() > 1; }));
    const int transitions = pair.b.instance().at("transitions");
    const AddressMonitor monitor(pair.a);

    pair.a.vipd().signal(SIGSTOP);
    std::this_thread::sleep_for(pause.length);  // the pause that is tested
    const std::size_t before = pair.sniffer.adverts_from(pair.source_a).size();
    const WallTime resumed = std::chrono::system_clock::now();
    pair.a.vipd().signal(SIGCONT);
    REQUIRE(wait_until(20s, [&] { return pair.sniffer.adverts_from(pair.source_a).size() > before + 1; }));
    const Duration spoke = time_of(pair.sniffer.adverts_from(pair.source_a)[before]) - resumed;
    if (is_short) {
      measured("advert after a pause of " + std::to_string(pause.length.count()) + " ms, every " + pause.text, spoke);
      REQUIRE(spoke < pause.interval + kSlack);
      REQUIRE(pair.b.instance().at("transitions") == transitions);
      REQUIRE(std::ranges::none_of(monitor.events(), [](const auto& event) { return !event.added; }));
      continue;
    }
    const Duration both = moment_of(monitor, pair.vip, false, resumed) - resumed;
    measured(
        "both hold the address after a pause of " + std::to_string(pause.length.count()) + " ms, every " + pause.text,
        both);
    measured("and the first advert", spoke);
    REQUIRE(both < kSlack);  // the goal is 5 ms
    REQUIRE(spoke >= 3 * pause.interval);
    REQUIRE(pair.a.wait_state("active", 10s));
    REQUIRE(pair.b.wait_state("backup", 10s));
  }
}

TEST_CASE("lab: whoever waits for the kernel before it can hear does not believe that nobody speaks", "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(pair.a.wait_state("active"));
  const AddressMonitor monitor_b(pair.b);
  const Process& slow =
      pair.b.start_vipd(web(pair.family, 100), {"strace", "-D", "-e", "inject=setsockopt:delay_enter=400000"});
  REQUIRE(wait_until(30s, [&] {
    return pair.b.state() == "backup" && pair.b.instance().at("counters").at("adverts_received").get<int>() > 5;
  }));
  REQUIRE(count_of(slow.errors(), "(DELAYED)") > 3);
  REQUIRE(monitor_b.events().empty());
}
