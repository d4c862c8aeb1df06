// A partition beyond the link between vipd and keepalived: both are Active. When it heals, the client must return to
// the node that stays Active.
#include "contender.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr Duration kRefresh = 5s;

/// A healing: the winner stays Active, and the client reached the loser before.
class Split {
 public:
  Split(const Terms& terms, bool we_win)
      : terms_(terms),
        we_win_(we_win),
        ours_(lab_.add_node("ours", 1)),
        theirs_(lab_.add_node("theirs", 2)),
        client_(lab_.add_node("client", 100)),
        winner_(we_win ? ours_ : theirs_),
        loser_(we_win ? theirs_ : ours_),
        server_ours_(ours_, {program("vipd-traffic"), "serve", "7", "--name", "ours"}),
        server_theirs_(theirs_, {program("vipd-traffic"), "serve", "7", "--name", "theirs"}),
        at_winner_(winner_),
        at_loser_(loser_),
        keepalived_(theirs_, ours_, terms, we_win ? 253 : 254) {
    ours_.start_vipd(config());
    keepalived_.start();
    settle();
  }

  struct Healing {
    Duration out;      ///< how long the client had no answer
    bool loser_first;  ///< true if the winner heard the loser before the loser heard the winner
  };

  /// Heals right after an advert of the node that shall send second. The sniffer tells which node sent first.
  Healing heal(bool loser_first) {
    lab_.set_member(winner_, false);
    REQUIRE(wait_until(10s, [&] { return loser_.has(vip()) && answered(); }));
    Watch watch(client_, vip());
    Sniffer& second = loser_first ? at_winner_ : at_loser_;
    const std::string source = source_of(loser_first ? winner_ : loser_);
    const std::size_t before = second.adverts_from(source).size();
    REQUIRE(wait_until(5s, [&] { return second.adverts_from(source).size() > before; }));
    const WallTime healed = std::chrono::system_clock::now();
    lab_.set_member(winner_, true);
    settle();
    REQUIRE(wait_until(kRefresh + 5s, [&] { return answered(); }));
    const Json report = watch.finish();
    CAPTURE(report.dump());
    REQUIRE(report.at("answered_by").contains(winner_.name()));
    REQUIRE(report.at("answered_by").contains(loser_.name()));
    const Healing healing{
        .out = std::chrono::duration_cast<Duration>(
            std::chrono::duration<double, std::milli>(report.at("longest_outage_ms").get<double>())),
        .loser_first = first_from(at_winner_, loser_, healed) < first_from(at_loser_, winner_, healed)};
    measured(std::string("client is out when a partition heals, v") + std::to_string(terms_.version) +
                 (terms_.unicast ? " unicast, " : " multicast, ") + (we_win_ ? "vipd wins, " : "keepalived wins, ") +
                 (healing.loser_first ? "loser" : "winner") + " speaks first",
             healing.out);
    return healing;
  }

 private:
  const std::string& vip() const { return terms_.vip(); }
  std::string source_of(const Node& node) const {
    return terms_.unicast ? node.unicast(terms_.family) : node.source(terms_.family);
  }
  /// When the sniffer first saw an advert of a node after `since`; the end of time if it saw none.
  WallTime first_from(Sniffer& sniffer, const Node& node, WallTime since) const {
    for (const Json& advert : sniffer.adverts_from(source_of(node)))
      if (time_of(advert) > since) return time_of(advert);
    return WallTime::max();
  }
  void settle() {
    REQUIRE(wait_until(15s, [&] { return winner_.has(vip()) && !loser_.has(vip()); }));
  }
  bool answered() const {
    return run(client_, {program("vipd-traffic"), "watch", vip(), "7", "--for", "20ms"}).status == 0;
  }
  std::string config() const {
    std::string more = "announce = {again_after = \"0s\", refresh = \"" + format_duration(kRefresh) + "\"}\n";
    more += "version = " + std::to_string(terms_.version) + "\n";
    if (terms_.unicast)
      more +=
          "source = \"" + ours_.unicast(terms_.family) + "\"\npeers = [\"" + theirs_.unicast(terms_.family) + "\"]\n";
    std::string text = web(terms_.family, we_win_ ? 254 : 253, more);
    return text.replace(text.find("100ms"), 5, format_duration(terms_.interval));
  }

  Terms terms_;
  bool we_win_;
  Lab lab_;
  Node &ours_, &theirs_, &client_;
  Node &winner_, &loser_;
  Process server_ours_, server_theirs_;
  Sniffer at_winner_, at_loser_;
  Keepalived keepalived_;
};

std::vector<Terms> all_terms() {
  std::vector<Terms> all = {{.interval = 300ms}};
  if (is_long())
    all.insert(all.end(), {{.unicast = true, .interval = 300ms},
                           {.version = 2, .interval = 1s},
                           {.version = 2, .unicast = true, .interval = 1s}});
  return all;
}

}  // namespace

/// Heals until each node has sent first `rounds` times, or until four times as many rounds are over.
void heal_both_ways(Split& split, int rounds, Duration loser_first_bound, Duration winner_first_bound) {
  int wanted[2] = {rounds, rounds};
  for (int tried = 0; tried < 4 * rounds && (wanted[0] > 0 || wanted[1] > 0); ++tried) {
    const auto healing = split.heal(wanted[1] >= wanted[0]);
    --wanted[healing.loser_first];
    REQUIRE(healing.out <= (healing.loser_first ? loser_first_bound : winner_first_bound));
  }
}

TEST_CASE("interop: keepalived, a partition beyond the link heals: the client is back at the one that stays",
          "[interop]") {
  for (const Terms& terms : all_terms()) {
    CAPTURE(terms.version, terms.unicast);
    const Duration bound = terms.interval + 1s;
    {
      Split keepalived_wins(terms, false);
      heal_both_ways(keepalived_wins, rounds(2, 20), bound, bound);
    }
    // keepalived falls silent when it hears vipd first: vipd cannot know of it until it announces anyway.
    Split we_win(terms, true);
    heal_both_ways(we_win, rounds(1, 10), bound, kRefresh + bound);
  }
}
