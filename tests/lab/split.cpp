// A partition beyond the link: both nodes keep their carrier and become Active. When it heals, clients must return to
// the node that stays Active, whichever of the two sends first.
#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

struct Terms {
  Family family = Family::ipv4;
  bool unicast = false;
  int version = 3;
  Duration interval = kInterval;  ///< version 2 knows whole seconds only
};

std::string name_of(const Terms& terms) {
  return std::string("v") + std::to_string(terms.version) + (terms.family == Family::ipv4 ? " IPv4" : " IPv6") +
         (terms.unicast ? " unicast" : " multicast");
}

/// A configuration without periodic announcements. `self` has the priority and the peer `peer`.
std::string config_of(const Terms& terms, const Node& self, const Node& peer, int priority) {
  std::string more =
      "announce = {again_after = \"0s\", refresh = \"0s\"}\nversion = " + std::to_string(terms.version) + "\n";
  if (terms.unicast)
    more += "source = \"" + self.unicast(terms.family) + "\"\npeers = [\"" + peer.unicast(terms.family) + "\"]\n";
  std::string config = web(terms.family, priority, more);
  return config.replace(config.find("100ms"), 5, format_duration(terms.interval));
}

class Split {
 public:
  explicit Split(const Terms& terms)
      : terms_(terms),
        pair_(terms.family),
        server_a_(pair_.a, {program("vipd-traffic"), "serve", "7", "--name", "a"}),
        server_b_(pair_.b, {program("vipd-traffic"), "serve", "7", "--name", "b"}),
        at_a_(pair_.a),
        at_b_(pair_.b) {
    pair_.a.start_vipd(config_of(terms, pair_.a, pair_.b, 254));
    REQUIRE(pair_.a.wait_state("active", 10s));
    pair_.b.start_vipd(config_of(terms, pair_.b, pair_.a, 253));
    REQUIRE(pair_.b.wait_state("backup"));
    REQUIRE(wait_until(5s, [&] { return pair_.b.instance().at("active").is_object(); }));
  }

  /// How long the client had no answer after the healing; `a` stays Active. The node that does not send first has sent
  /// just before.
  Duration heal(bool loser_first) {
    pair_.lab.set_member(pair_.a, false);
    REQUIRE(pair_.b.wait_state("active", 10s));
    REQUIRE(wait_until(5s, [&] { return answered(); }));  // the answer comes from b
    Watch watch(pair_.client, pair_.vip);
    const auto spoken = [&] {
      return loser_first ? at_a_.adverts_from(source(pair_.a)).size() : at_b_.adverts_from(source(pair_.b)).size();
    };
    const std::size_t before = spoken();
    REQUIRE(wait_until(5s, [&] { return spoken() > before; }));
    pair_.lab.set_member(pair_.a, true);
    REQUIRE(pair_.b.wait_state("backup", 5s));
    REQUIRE(wait_until(70s, [&] { return answered(); }));
    const Json report = watch.finish();
    CAPTURE(report.dump());
    REQUIRE(pair_.a.state() == "active");
    REQUIRE(report.at("answered_by").contains("b"));
    REQUIRE(report.at("answered_by").contains("a"));
    const Duration out =
        std::chrono::microseconds(static_cast<std::int64_t>(1000 * report.at("longest_outage_ms").get<double>()));
    measured("client is out when a partition heals, " + name_of(terms_) + (loser_first ? ", loser" : ", winner") +
                 " speaks first",
             out);
    return out;
  }

  Pair& pair() { return pair_; }

 private:
  bool answered() const {
    return run(pair_.client, {program("vipd-traffic"), "watch", pair_.vip, "7", "--for", "20ms"}).status == 0;
  }
  std::string source(const Node& node) const {
    return terms_.unicast ? node.unicast(terms_.family) : node.source(terms_.family);
  }

  Terms terms_;
  Pair pair_;
  Process server_a_, server_b_;
  Sniffer at_a_, at_b_;
};

std::vector<Terms> all_terms() {
  std::vector<Terms> all = {{}, {.family = Family::ipv6, .unicast = true}};
  if (is_long())
    all.insert(all.end(), {{.unicast = true},
                           {.family = Family::ipv6},
                           {.version = 2, .interval = 1s},
                           {.unicast = true, .version = 2, .interval = 1s},
                           {.interval = 1s},
                           {.unicast = true, .interval = 1s}});
  return all;
}

}  // namespace

TEST_CASE("lab: a partition beyond the link heals: the client is back within an interval and a second", "[lab]") {
  for (const Terms& terms : all_terms()) {
    CAPTURE(name_of(terms));
    Split split(terms);
    for (int round = 0; round < rounds(1, 20); ++round)
      for (const bool loser_first : {false, true}) REQUIRE(split.heal(loser_first) <= terms.interval + 1s);
    INFO(split.pair().a.vipd().errors());
  }
}
