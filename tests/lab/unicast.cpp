// A pair without multicast: the nodes know each other by address.
#include <csignal>
#include <thread>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

std::string unicast_keys(const Node& self, const Node& peer, Family family) {
  return "source = \"" + self.unicast(family) + "\"\npeers = [\"" + peer.unicast(family) + "\"]";
}

/// A pair whose nodes speak from their addresses in 192.0.2.0/24 or 2001:db8::/64.
struct UnicastPair : Pair {
  UnicastPair() : Pair(each_family()) {}

  void start() {
    a.start_vipd(web(family, 254, unicast_keys(a, b, family)));
    REQUIRE(a.wait_state("active"));
    b.start_vipd(web(family, 253, unicast_keys(b, a, family)));
    REQUIRE(b.wait_state("backup"));
    REQUIRE(wait_until(5s, [&] {
      const Json instance = b.instance();
      return instance.contains("active") && instance.at("active").is_object() &&
             instance.at("active").at("address") == a.unicast(family);
    }));
  }
};

}  // namespace

TEST_CASE("lab: unicast: adverts go to the peer alone with hop limit 255, and no group is joined",
          "[lab][A03-][A05+][A05-]") {
  UnicastPair pair;
  Sniffer at_b(pair.b);
  pair.start();
  REQUIRE(wait_until(5s, [&] { return at_b.adverts_from(pair.a.unicast(pair.family)).size() >= 5; }));
  for (const Json& advert : at_b.adverts_from(pair.a.unicast(pair.family))) {
    CAPTURE(advert.dump());
    REQUIRE(advert.at("destination") == pair.b.unicast(pair.family));
    REQUIRE(advert.at("hop_limit") == 255);
  }
  const std::string group = pair.family == Family::ipv4 ? "224.0.0.18" : "ff02::12";
  for (const Node* node : {&pair.a, &pair.b})
    REQUIRE(must(*node, "ip maddr show dev eth0").find(group + "\n") == std::string::npos);
  for (const Json& advert : pair.sniffer.of_kind("advert")) REQUIRE(advert.at("destination") != group);
}

TEST_CASE("lab: unicast: an Active that is killed is followed, and preempts when it is back", "[lab][C09+]") {
  UnicastPair pair;
  pair.start();
  const AddressMonitor monitor(pair.b);
  const WallTime killed = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGKILL);
  const Duration took = moment_of(monitor, pair.vip, true, killed) - killed;
  measured("takeover after SIGKILL, unicast", took);
  REQUIRE(took <= 3 * kInterval + 2ms + kSlack);
  REQUIRE(pair.a.vipd().wait_exit(5s).has_value());
  pair.a.start_vipd(web(pair.family, 254, unicast_keys(pair.a, pair.b, pair.family)));
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE(wait_until(5s, [&] { return !pair.b.has(pair.vip); }));
}

TEST_CASE("lab: unicast: a stop hands over before the address goes", "[lab][C15+]") {
  UnicastPair pair;
  pair.start();
  Sniffer at_a(pair.a);
  const AddressMonitor monitor_a(pair.a);
  const WallTime stopped = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(5s) == 0);
  const auto adverts = [&] { return at_a.adverts_from(pair.b.unicast(pair.family)); };
  REQUIRE(wait_until(5s, [&] { return !adverts().empty(); }));
  const WallTime told = time_of(adverts().front());  // the kernel's time stamp; the other time is read a little late
  measured("handover at a stop, unicast", told - stopped);
  REQUIRE(told <= moment_of(monitor_a, pair.vip, false, stopped));
  REQUIRE(pair.b.state() == "active");
}

TEST_CASE("lab: unicast: a sender that is no peer is refused and shown", "[lab][B18+][B18-]") {
  UnicastPair pair;
  pair.start();
  const Json before = pair.a.instance();
  // The client outranks both nodes, and knows only `a`.
  pair.client.start_vipd(web(pair.family, 255, unicast_keys(pair.client, pair.a, pair.family)));
  const auto strangers = [&] {
    return pair.a.instance().at("counters").at("adverts_refused").value("src_not_peer", 0);
  };
  REQUIRE(wait_until(5s, [&] { return strangers() >= 10; }));
  const Json after = pair.a.instance();
  CAPTURE(after.dump());
  REQUIRE(after.at("state") == "active");
  REQUIRE(after.at("transitions") == before.at("transitions"));
  REQUIRE(after.at("last_unknown_source") == pair.client.unicast(pair.family));
  for (const Json& peer : after.at("peers")) REQUIRE(peer.at("address") != pair.client.unicast(pair.family));
  REQUIRE(pair.b.state() == "backup");
}

TEST_CASE("lab: unicast: without its source address a node is in fault until the address is back",
          "[lab][A01+][C32+]") {
  UnicastPair pair;
  pair.start();
  const std::string source = pair.a.unicast(pair.family) + (pair.family == Family::ipv4 ? "/24" : "/64");
  must(pair.a, "ip addr add 198.51.100.1/24 dev eth0");  // another address is no substitute
  must(pair.a, "ip addr add 2001:db8:1::1/64 dev eth0");
  must(pair.a, "ip addr del " + source + " dev eth0");
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().value("fault", Json()).is_string(); }));
  const std::string fault = pair.a.instance().at("fault");
  CAPTURE(fault);
  REQUIRE(fault.find(pair.a.unicast(pair.family)) != std::string::npos);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE_FALSE(pair.a.has(pair.vip));
  must(pair.a, "ip addr add " + source + " dev eth0");
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.a.instance().at("fault").is_null());
  REQUIRE(pair.b.wait_state("backup"));
}

TEST_CASE("lab: unicast: both ways of speaking share an interface", "[lab][A03+]") {
  Pair pair(Family::ipv4);
  const std::string other =
      "\n[instance.other]\ninterface = \"eth0\"\nvrid = 52\nadvert_interval = \"100ms\"\n"
      "addresses = [\"192.0.2.11/24\"]\n";
  pair.a.start_vipd(web(pair.family, 254) + other + unicast_keys(pair.a, pair.b, pair.family));
  REQUIRE(pair.a.wait_state("active"));
  pair.b.start_vipd(web(pair.family, 253) + other + "priority = 99\n" + unicast_keys(pair.b, pair.a, pair.family));
  const auto heard = [&](std::size_t index) {
    const Json status = pair.b.status();
    return status.is_object() && !status.at("instances").at(index).at("peers").empty();
  };
  REQUIRE(wait_until(5s, [&] { return heard(0) && heard(1); }));
  REQUIRE(pair.b.status().at("instances").at(0).at("state") == "backup");
  REQUIRE(pair.b.status().at("instances").at(1).at("state") == "backup");
}

namespace {

/// The kernel of `node` asks for the link-layer address of `peer` and gets no answer.
bool asks_in_vain(const Node& node, const std::string& peer) {
  const std::string shown = must(node, "ip neigh show to " + peer + " dev eth0 nud incomplete nud failed");
  return shown.find(peer) != std::string::npos;
}

/// b is Active. a is away while b's kernel asks for it in vain, and returns.
struct Return {
  Return(const std::string& interval, const std::string& more) : family(pair.family) {
    const auto config = [&](const Node& self, const Node& peer, int priority) {
      std::string text = web(family, priority, unicast_keys(self, peer, family) + "\n" + more);
      return text.replace(text.find("100ms"), 5, interval);
    };
    config_a = config(pair.a, pair.b, 254);
    pair.b.start_vipd(config(pair.b, pair.a, 253));
    REQUIRE(pair.b.wait_state("active"));
  }

  void cut() {
    pair.lab.set_port(pair.a, false);
    must(pair.b, "ip neigh flush dev eth0");
    REQUIRE(wait_until(2s, [&] { return asks_in_vain(pair.b, pair.a.unicast(family)); }));
  }
  bool hears_b() const {
    const Json active = pair.a.instance().value("active", Json());
    return active.is_object() && active.at("address") == pair.b.unicast(family);
  }
  bool was_active() const { return pair.a.vipd().errors().find("-> active") != std::string::npos; }
  /// From the return of the link until a hears b.
  void check_return(const std::string& what, WallTime returned) {
    REQUIRE(wait_until(5s, [&] { return hears_b() || was_active(); }));
    measured(what + ": hears the Active node after the link is back", std::chrono::system_clock::now() - returned);
    REQUIRE_FALSE(was_active());
    REQUIRE(pair.a.wait_state("backup"));
    REQUIRE(pair.b.state() == "active");
  }

  UnicastPair pair;
  Family family;
  std::string config_a;
};

}  // namespace

TEST_CASE(
    "lab: unicast: a node that starts or whose link returns does not take the address from a peer it cannot hear yet",
    "[lab][C14-]") {
  const char* interval = is_long() ? GENERATE("100ms", "250ms") : "100ms";
  for (int round = 0; round < rounds(1, 6); ++round) {
    Return node(interval, "preempt = false");
    CAPTURE(interval, round);
    node.cut();
    node.pair.lab.set_port(node.pair.a, true);
    WallTime returned = std::chrono::system_clock::now();
    node.pair.a.start_vipd(node.config_a);
    node.check_return("a start", returned);
    node.cut();
    REQUIRE(node.pair.a.wait_state("initialize"));
    node.pair.lab.set_port(node.pair.a, true);
    returned = std::chrono::system_clock::now();
    node.check_return("a link", returned);
  }
}

TEST_CASE("lab: unicast: preempt_delay is kept by a node whose cable was out for long", "[lab][C22+]") {
  for (int round = 0; round < rounds(1, 3); ++round) {
    Return node("250ms", "preempt_delay = \"30s\"");
    node.pair.a.start_vipd(node.config_a);
    REQUIRE(wait_until(5s, [&] { return node.hears_b(); }));
    node.cut();
    if (is_long()) std::this_thread::sleep_for(15s);  // the time that is tested
    node.pair.lab.set_port(node.pair.a, true);
    node.check_return("preempt_delay", std::chrono::system_clock::now());
  }
}
