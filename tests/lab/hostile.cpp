// A third machine in the network sends hostile packets. A refused packet changes a counter and nothing else.
#include <array>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// An advert of the client that would make both nodes Backup if it were valid.
PacketParts winning_advert(const Pair& pair) {
  PacketParts parts = pair.family == Family::ipv4 ? testing::ipv4_parts() : testing::ipv6_parts();
  parts.source = testing::ip(pair.client.source(pair.family));
  parts.priority = 255;
  parts.interval = 10;
  return parts;
}

}  // namespace

TEST_CASE("lab: a thousand refused adverts a second change counters and nothing else",
          "[lab][A06-][B01-][B02-][B05-][B07-][B12-][B14-][B18-][B19+][B19-][B22+]") {
  Pair pair(each_family());
  pair.start();
  Attacker attacker(pair.client, pair.family);
  const int transitions_a = pair.a.instance().at("transitions"), transitions_b = pair.b.instance().at("transitions");
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size();
  const auto all = defects(pair.family);
  std::size_t sent = 0;
  at_rate(1000, 2s, [&] {
    PacketParts parts = winning_advert(pair);
    all[sent++ % all.size()].make(parts);
    attacker.send(parts);
  });
  for (Node* node : {&pair.a, &pair.b}) {
    const auto refused = [&] { return node->instance().at("counters").at("adverts_refused"); };
    for (std::size_t i = 0; i < all.size(); ++i)
      REQUIRE(wait_until(
          5s, [&] { return refused().value(all[i].reason, 0U) == (sent + all.size() - 1 - i) / all.size(); }));
    REQUIRE(refused().size() == all.size());
    const std::string log = node->vipd().output() + node->vipd().errors();
    REQUIRE(count_of(log, "refused an advert") == all.size());  // one line a kind and minute
  }
  REQUIRE(pair.a.instance().at("transitions") == transitions_a);
  REQUIRE(pair.b.instance().at("transitions") == transitions_b);
  const Duration gap = longest_gap(pair.sniffer.adverts_from(pair.source_a), from);
  measured("longest time between adverts of 100 ms, with 1000 bad ones a second", gap);
  REQUIRE(gap <= kInterval + kSlack);
  REQUIRE(pair.sniffer.adverts_from(pair.source_b).empty());

  attacker.send(winning_advert(pair));  // the same advert without a defect is believed
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().at("transitions") > transitions_a; }));
}

TEST_CASE("lab: a flood of losing adverts is answered a few times and delays nothing", "[lab][C19+][C21+][C21-]") {
  Pair pair(Family::ipv4);
  std::string slow = web(pair.family, 254);
  pair.a.start_vipd(slow.replace(slow.find("100ms"), 5, "1s"));
  REQUIRE(pair.a.wait_state("active", 10s));
  Attacker attacker(pair.client, pair.family);
  PacketParts losing = winning_advert(pair);
  losing.priority = 1;
  losing.interval = 100;
  pair.lab.drop("oifname b ip saddr " + pair.client.source(pair.family));
  Sniffer sniffer(pair.b);  // the flood does not reach b, so this sniffer misses nothing
  constexpr int kSeconds = 3;
  at_rate(10000, std::chrono::seconds(kSeconds), [&] { attacker.send(losing); });
  const auto adverts = sniffer.adverts_from(pair.source_a);
  std::cout << "measured: " << adverts.size() << " adverts in " << kSeconds
            << " s of 10000 losing ones a second, should there be time for them" << std::endl;
  REQUIRE(adverts.size() >= 5);  // the burst
  REQUIRE(adverts.size() <= 5 + 10 * (kSeconds + 1));
  REQUIRE(longest_gap(adverts) <= 1s + kSlack);
  REQUIRE(pair.a.state() == "active");
}

TEST_CASE("lab: who asks for the status in a flood is answered", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  Attacker attacker(pair.client, pair.family);
  PacketParts losing = winning_advert(pair);
  losing.priority = 1;
  const std::string question = "{\"verb\":\"status\"}\n";
  Fd asking;
  std::string answer;
  int sent = 0, answers = 0;
  const auto ask = [&] {
    asking = connect_to(pair.a);
    REQUIRE(::send(asking.get(), question.data(), question.size(), MSG_NOSIGNAL) == std::ssize(question));
  };
  const auto look = [&] {
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(asking.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
    if (!answer.ends_with('\n')) return;
    ++answers;
    answer.clear();
    ask();
  };
  ask();
  at_rate(100'000, 3s, [&] {
    attacker.send(losing);
    if (++sent % 100 == 0) look();
  });
  std::cout << "measured: " << answers << " answers in 3 s with " << sent << " losing adverts" << std::endl;
  REQUIRE(answers >= 10);
}
