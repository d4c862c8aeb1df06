// Thousands of addresses move as planned. A client loses no packet to any of them, and no advert is late.
#include <csignal>
#include <fstream>
#include <thread>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

const int kHeld = is_long() ? 5000 : 2000;
const Duration kSlow = is_long() ? 1s : 500ms;  // the advert interval of the instance with many addresses

std::string address(int number) {
  return "10.0." + std::to_string(number / 250) + "." + std::to_string(1 + number % 250);
}

std::string instance(const std::string& name, int vrid, int priority, Duration interval, const std::string& addresses) {
  return "[instance." + name + "]\ninterface = \"eth0\"\nvrid = " + std::to_string(vrid) +
         "\npriority = " + std::to_string(priority) + "\nadvert_interval = \"" + format_duration(interval) +
         "\"\naddresses = [" + addresses + "]\n";
}

/// Two servers with many addresses, and on each an instance of its own whose adverts come every 100 ms meanwhile.
struct Crowded {
  Crowded()
      : a(lab.add_node("a", 1)),
        b(lab.add_node("b", 2)),
        client(lab.add_node("client", 100)),
        serve_a(a, {program("vipd-traffic"), "serve", "7"}),
        serve_b(b, {program("vipd-traffic"), "serve", "7"}),
        sniffer(client) {
    must(client, "ip route add 10.0.0.0/8 dev eth0");
    std::ofstream(health()) << "1\n";
    a.start_vipd(config(254));
    REQUIRE(wait_until(20s, [&] { return holds_all(a); }));
    b.start_vipd(config(253));
    REQUIRE(b.wait_state("backup"));
    REQUIRE(wait_until(5s, [&] { return b.instance().at("counters").at("adverts_received").get<int>() > 0; }));
  }

  std::filesystem::path health() const { return a.directory() / "fit"; }

  std::string config(int priority) const {
    std::string list;
    for (int i = 0; i < kHeld; ++i)
      list += "\n  {address = \"" + address(i) + "/32\", advertise = " + (i < 20 ? "true" : "false") + "},";
    std::string text = instance("many", 51, priority, kSlow, list);
    if (priority == 254) text += "checks = [\"app\"]\n";
    text += instance(priority == 254 ? "a" : "b", priority == 254 ? 61 : 62, 254, kInterval,
                     priority == 254 ? "\"192.0.2.61/24\"" : "\"192.0.2.62/24\"");
    if (priority == 254)
      text += "[check.app]\nfile = \"" + health().string() + "\"\ninterval = \"100ms\"\nfall = 1\nrise = 1\n";
    return text;
  }

  static bool holds_all(const Node& node) { return node.has(address(0)) && node.has(address(kHeld - 1)); }
  static bool holds_none(const Node& node) {
    const std::string all = must(node, "ip -o -4 addr show dev eth0");
    return all.find(" 10.0.") == std::string::npos;
  }

  /// Moves everything from one node to the other; nothing may be lost.
  void move(const std::string& what, const Node& from, const Node& to, const std::function<void()>& begin) {
    INFO(what);
    const std::vector<std::string> asked = {address(0), address(kHeld / 2), address(kHeld - 1)};
    std::vector<std::unique_ptr<Watch>> watches;
    for (const auto& each : asked) watches.push_back(std::make_unique<Watch>(client, each));
    std::this_thread::sleep_for(100ms);  // packets are under way by then
    const WallTime since = std::chrono::system_clock::now();
    begin();
    REQUIRE(wait_until(20s, [&] { return holds_all(to) && holds_none(from); }));
    std::this_thread::sleep_for(200ms);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const Json report = watches[i]->finish();
      INFO(asked[i] << ": " << report.dump());
      measured(what + ", a client of " + asked[i] + " is out for",
               Duration(static_cast<Duration::rep>(report.at("longest_outage_ms").get<double>() * 1e6)));
      CHECK(report.at("lost") == 0);
    }
    for (const Node* node : {&a, &b}) {
      const Duration late = longest_gap_since(*node, since) - kInterval;
      measured(what + ", adverts of " + node->name() + " are late by at most", late);
      if (is_long()) CHECK(late <= 10ms);
    }
  }

  /// The longest gap between adverts of the instance that only this node has. Its start and its end do not count.
  Duration longest_gap_since(const Node& node, WallTime since) {
    std::vector<Json> own;
    for (const Json& frame : sniffer.adverts_from(node.source(Family::ipv4)))
      if (time_of(frame) >= since && frame.at("vrid") != 51) {
        if (!own.empty() && time_of(frame) - time_of(own.back()) > 5 * kInterval) own.clear();
        own.push_back(frame);
      }
    return longest_gap(own);
  }

  Lab lab;
  Node &a, &b, &client;
  Process serve_a, serve_b;
  Sniffer sniffer;
};

}  // namespace

TEST_CASE("lab: a planned move of thousands of addresses costs no client anything (F12)", "[lab]") {
  Crowded pair;
  for (int round = 0; round < rounds(1, 10); ++round) {
    pair.move("stop", pair.a, pair.b, [&] {
      pair.a.vipd().signal(SIGTERM);
      REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
    });
    pair.move("return", pair.b, pair.a, [&] { pair.a.start_vipd(pair.config(254)); });
    pair.move("yield", pair.a, pair.b, [&] { std::filesystem::remove(pair.health()); });
    REQUIRE(pair.a.wait_state("backup"));
    pair.move("recovery", pair.b, pair.a, [&] { std::ofstream(pair.health()) << "1\n"; });
  }
}
