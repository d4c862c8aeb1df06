// The adverts of a real node: their octets, source, priority mark and rhythm.
#include <sys/socket.h>

#include <cstdlib>

#include "pair.hpp"
#include "support/packet_builder.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

std::string hex(const testing::Octets& octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) text += {kDigits[octet >> 4], kDigits[octet & 15]};
  return text;
}

/// The VRRP message in a sniffed frame, behind Ethernet and an IP header without options.
std::string message_in(const Json& advert, Family family) {
  return advert.at("frame").get<std::string>().substr(2 * (14 + (family == Family::ipv4 ? 20 : 40)));
}

/// The advert that node `a` of a Pair should send as Active, made by the encoder of the tests.
std::string expected_message(const Pair& pair, ChecksumForm form) {
  const bool v4 = pair.family == Family::ipv4;
  testing::PacketParts parts = v4 ? testing::ipv4_parts() : testing::ipv6_parts();
  parts.source = testing::ip(pair.source_a);
  parts.priority = 254;
  parts.interval = 10;
  parts.form = form;
  return hex(testing::detail::message_of(parts));
}

/// How long the test of the rhythm listens; ten minutes for a release.
Duration listening_time() {
  const char* seconds = std::getenv("VIPD_RHYTHM_SECONDS");
  return std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 3);
}

/// The times between consecutive adverts, sorted.
std::vector<Duration> gaps_between(const std::vector<Json>& adverts) {
  std::vector<Duration> gaps;
  for (std::size_t i = 1; i < adverts.size(); ++i) gaps.push_back(time_of(adverts[i]) - time_of(adverts[i - 1]));
  std::ranges::sort(gaps);
  return gaps;
}

/// Keeps the send queue of a node's eth0 full with datagrams without priority, during its lifetime.
class Congestion {
 public:
  explicit Congestion(const Node& node)
      : noise_(node, {"bash", "-c", "while :; do printf %01400d 0 >/dev/udp/192.0.2.100/9; done"}) {}

 private:
  Process noise_;
};

}  // namespace

TEST_CASE("lab: an advert is, octet by octet, what the RFC says", "[lab][B01+][B02+][B04+][B06+][B10+][B15+]") {
  Pair pair(each_family());
  pair.a.start_vipd(web(pair.family, 254));
  pair.await_adverts(pair.source_a, 3);
  const std::string expected = expected_message(pair, ChecksumForm::pseudo_header);
  for (const Json& advert : pair.sniffer.adverts_from(pair.source_a))
    REQUIRE(message_in(advert, pair.family) == expected);
}

TEST_CASE("lab: with ipv4_checksum = rfc9568 the checksum of an advert is that of the message alone", "[lab][B08+]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(web(pair.family, 254, "ipv4_checksum = \"rfc9568\""));
  pair.await_adverts(pair.source_a, 3);
  const std::string expected = expected_message(pair, ChecksumForm::message_only);
  for (const Json& advert : pair.sniffer.adverts_from(pair.source_a))
    REQUIRE(message_in(advert, pair.family) == expected);
}

TEST_CASE("lab: no sysctl makes the TTL of an advert another one", "[lab][A05+][A05-]") {
  Pair pair(each_family());
  pair.a.write_sysctl("ipv4/ip_default_ttl", "7");
  pair.a.write_sysctl("ipv6/conf/eth0/hop_limit", "7");
  pair.a.start_vipd(web(pair.family, 254));
  pair.await_adverts(pair.source_a, 3);
  for (const Json& advert : pair.sniffer.adverts_from(pair.source_a)) REQUIRE(advert.at("hop_limit") == 255);
}

TEST_CASE("lab: a virtual address is no source, not even where it is the interface's first address",
          "[lab][A01+][A01-]") {
  Pair pair(Family::ipv4);
  must(pair.a, "ip addr flush dev eth0 scope global");
  must(pair.a, "ip addr add 192.0.2.10/24 dev eth0");  // the virtual address is primary,
  must(pair.a, "ip addr add 192.0.2.1/24 dev eth0");   // the node's own address is secondary
  pair.a.start_vipd(web(pair.family, 254));
  pair.await_adverts("192.0.2.1", 3);
  must(pair.a, "ip addr add 192.0.2.3/24 dev eth0");
  must(pair.a, "ip addr del 192.0.2.1/24 dev eth0");
  pair.await_adverts("192.0.2.3", 3);
  REQUIRE(pair.sniffer.adverts_from(pair.vip).empty());
  REQUIRE(pair.a.state() == "active");
}

TEST_CASE("lab: who is alone speaks after its Active_Down_Interval and not before", "[lab][C04+][C04-]") {
  Pair pair(each_family());
  const WallTime start = std::chrono::system_clock::now();
  pair.a.start_vipd(web(pair.family, 1));
  pair.await_adverts(pair.source_a, 1);
  const Duration waited = time_of(pair.sniffer.adverts_from(pair.source_a).front()) - start;
  measured("first advert of a lone node of priority 1, 100 ms adverts", waited);
  const Duration down = 3 * kInterval + kInterval * 255 / 256;
  REQUIRE(waited >= down);
  REQUIRE(waited <= down + 500ms + kSlack);  // includes the start of the program
}

TEST_CASE("lab: the rhythm of adverts", "[lab][C16+][C16-]") {
  const bool long_run = std::getenv("VIPD_RHYTHM_SECONDS") != nullptr;
  const Duration interval = GENERATE_COPY(Duration(10ms), long_run ? Duration(1s) : Duration(100ms));
  Pair pair(Family::ipv4);
  std::string config = web(pair.family, 254);
  pair.a.start_vipd(config.replace(config.find("100ms"), 5, std::to_string(interval / 1ms) + "ms"));
  REQUIRE(pair.a.wait_state("active", 10s));
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size(), frames = pair.sniffer.frames().size();
  const auto enough = static_cast<std::size_t>(std::min<std::int64_t>(listening_time() / interval, 600));
  REQUIRE(wait_until(2 * listening_time() + 10s, [&] { return pair.sniffer.frames().size() >= frames + enough; }));
  std::vector<Json> adverts = pair.sniffer.adverts_from(pair.source_a);
  adverts.erase(adverts.begin(), adverts.begin() + static_cast<std::ptrdiff_t>(from));
  REQUIRE(adverts.size() + 50 >= enough);  // the rest are announcements

  const auto gaps = gaps_between(adverts);
  const Duration median = gaps[gaps.size() / 2], elapsed = time_of(adverts.back()) - time_of(adverts.front());
  std::cout << "measured: " << adverts.size() << " adverts of " << in_ms(interval) << " ms in " << in_ms(elapsed)
            << " ms; from one to the next " << in_ms(median) << " ms (median), " << in_ms(gaps[gaps.size() * 99 / 100])
            << " ms (99 %), " << in_ms(gaps.back()) << " ms (most)" << std::endl;
  REQUIRE(median >= interval - interval / 5);
  REQUIRE(median <= interval + interval / 5);
  REQUIRE(static_cast<std::int64_t>(adverts.size()) <= elapsed / interval + 2);  // no adverts are added after a stall
}

TEST_CASE("lab: adverts overtake what waits on a congested interface", "[lab][A11+][A11-]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int transitions = pair.b.instance().at("transitions");
  must(pair.a, "tc qdisc add dev eth0 root handle 1: tbf rate 1mbit burst 3kb limit 1000kb");
  must(pair.a, "tc qdisc add dev eth0 parent 1:1 pfifo_fast");
  const Congestion congestion(pair.a);
  const auto waiting = [&] {
    return must(pair.a, "tc -s qdisc show dev eth0 root").find(" 0b 0p") == std::string::npos;
  };
  REQUIRE(wait_until(10s, waiting));
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size();
  pair.await_adverts(pair.source_a, 20);
  REQUIRE(waiting());
  const Duration gap = longest_gap(pair.sniffer.adverts_from(pair.source_a), from);
  measured("longest time between adverts of 100 ms on a congested interface", gap);
  REQUIRE(gap <= kInterval + kSlack);
  REQUIRE(pair.b.instance().at("transitions") == transitions);
}
