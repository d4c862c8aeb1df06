// RFC 9568 7.1: the order of the checks; a refused packet has no effect.
#include <functional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/election_trace.hpp"
#include "support/ipv6_packet.hpp"
#include "support/packet_builder.hpp"
#include "support/vectors.hpp"

namespace vipd::testing {
namespace {

struct Defect {
  std::string reason;  ///< the reason for this defect alone
  std::function<void(PacketParts&)> make;
};

constexpr const char* kOwnSource = "192.0.2.77";

/// The defects in the order in which they must be noticed (row B22). Each spoils a field that no other defect touches,
/// save the two kinds of a wrong source.
std::vector<Defect> ipv4_defects() {
  return {
      {"ip_short", [](PacketParts& parts) { parts.datagram_limit = 19; }},
      {"ip_version", [](PacketParts& parts) { parts.ip_version = 5; }},
      {"ip_len", [](PacketParts& parts) { parts.total_length_error = 200; }},
      {"ip_checksum", [](PacketParts& parts) { parts.header_checksum_xor = 0x0101; }},
      {"ip_fragment", [](PacketParts& parts) { parts.fragment = 0x2000; }},
      {"ip_proto", [](PacketParts& parts) { parts.protocol = 17; }},
      {"dst", [](PacketParts& parts) { parts.destination = ip("224.0.0.5"); }},
      {"ttl", [](PacketParts& parts) { parts.hop_limit = 254; }},
      {"src", [](PacketParts& parts) { parts.source = ip("0.0.0.0"); }},
      {"own_source", [](PacketParts& parts) { parts.source = ip(kOwnSource); }},
      {"vrrp_short", [](PacketParts& parts) { parts.message_limit = 7; }},
      {"version", [](PacketParts& parts) { parts.version = 2; }},
      {"type", [](PacketParts& parts) { parts.type = 2; }},
      {"count_zero", [](PacketParts& parts) { parts.count = 0; }},
      {"length", [](PacketParts& parts) { parts.trailer.assign(8, 0); }},
      {"checksum", [](PacketParts& parts) { parts.checksum_xor = 0x0101; }},
      {"vrid", [](PacketParts& parts) { parts.vrid = 52; }},
      {"interval_zero", [](PacketParts& parts) { parts.interval = 0; }},
  };
}

std::vector<Defect> ipv6_defects() {
  return {
      {"ip_proto", [](PacketParts& parts) { parts.protocol = 17; }},
      {"dst", [](PacketParts& parts) { parts.destination = ip("ff02::5"); }},
      {"ttl", [](PacketParts& parts) { parts.hop_limit = 254; }},
      {"src", [](PacketParts& parts) { parts.source = ip("2001:db8::2"); }},
      {"vrrp_short", [](PacketParts& parts) { parts.message_limit = 7; }},
      {"version", [](PacketParts& parts) { parts.version = 2; }},
      {"type", [](PacketParts& parts) { parts.type = 2; }},
      {"count_zero", [](PacketParts& parts) { parts.count = 0; }},
      {"length", [](PacketParts& parts) { parts.trailer.assign(8, 0); }},
      {"checksum", [](PacketParts& parts) { parts.checksum_xor = 0x0101; }},
      {"vrid", [](PacketParts& parts) { parts.vrid = 52; }},
      {"interval_zero", [](PacketParts& parts) { parts.interval = 0; }},
      {"first_not_linklocal", [](PacketParts& parts) { parts.addresses[0] = ip("2001:db8::1"); }},
  };
}

std::string verdict(const PacketParts& parts) {
  const IpAddress own[] = {ip(kOwnSource)};
  ReceiveRules rules = rules_for(parts.destination.family());
  rules.own_sources = own;
  const Octets datagram = build(parts);
  const auto received = receive(datagram, rules);
  return received ? "accept" : std::string(to_string(received.error()));
}

/// Each defect alone, then each pair: the earlier one is the reason.
void check_order(const PacketParts& right, const std::vector<Defect>& defects) {
  CHECK(verdict(right) == "accept");
  for (std::size_t first = 0; first < defects.size(); ++first) {
    for (std::size_t second = first; second < defects.size(); ++second) {
      if (defects[first].reason == "src" && defects[second].reason == "own_source") continue;
      PacketParts parts = right;
      defects[first].make(parts);
      defects[second].make(parts);
      INFO(defects[first].reason << " with " << defects[second].reason);
      CHECK(verdict(parts) == defects[first].reason);
    }
  }
}

/// A small receiver: an advert that decode() accepts reaches the Election, and nothing else does. True if it did.
bool deliver(const Vector& vector, ChecksumPolicy policy, Trace& router, Duration when) {
  const auto advert = receive(vector.datagram, vector.rules(policy));
  if (!advert) return false;
  router.step(when, Heard{ip("192.0.2.2"), advert->priority, advert->interval});
  return true;
}

/// The behaviour of the router from 0.7 s on, by a script that depends on all its memory.
std::string future(Trace router) {
  std::string all = router.step(700ms, heard(2, 90)) + "; " + router.step(800ms, heard(2, 0)) + "; ";
  all += router.step(router.due(), DeadlinePassed{}) + "; " + router.step(router.due(), DeadlinePassed{});
  return all + " at " + std::to_string(router.due().count());
}

std::vector<Trace> routers_at_work() {
  Trace resigning = Trace::active();
  resigning.step(100ms, Stop{});
  Trace waiting = Trace::backup();
  waiting.step(100ms, heard(2, 200, 2s));
  return {Trace(), Trace::backup(), waiting, Trace::active(), resigning};
}

}  // namespace

TEST_CASE("B22 RFC 9568 7.1: of two defects over IPv4 the earlier check names the reason", "[B22+][B22-]") {
  check_order(ipv4_parts(), ipv4_defects());
}

TEST_CASE("B22 RFC 9568 7.1: of two defects over IPv6 the earlier check names the reason", "[B22+][B22-]") {
  check_order(ipv6_parts(), ipv6_defects());
}

TEST_CASE("B16 RFC 9568 7.1: only VRIDs that are configured here are taken", "[B16+][B16-]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    const Family family = parts.destination.family();
    for (int vrid = 1; vrid < 256; ++vrid) {
      parts.vrid = static_cast<std::uint8_t>(vrid);
      const Octets datagram = build(parts);
      const auto received = receive(datagram, rules_for(family));
      REQUIRE(received.has_value() == (vrid == 51));
      if (!received) REQUIRE(received.error() == Refusal::vrid);
    }
  }
}

TEST_CASE("B16 RFC 9568 7.1: a VRID of one family is not a VRID of the other", "[B03-][B16-]") {
  const Octets ipv6 = build(ipv6_parts());
  const auto packet = parse_ipv6(ipv6);
  REQUIRE(packet.has_value());
  CHECK(decode(*packet, rules_for(Family::ipv6)).has_value());
  CHECK_FALSE(decode(*packet, rules_for(Family::ipv4)).has_value());
}

TEST_CASE("B18 RFC 9568 7.1: an invalid golden packet leaves an Election as it was", "[B18-]") {
  int refused = 0;
  for (const Vector& vector : load_own_vectors()) {
    for (const ChecksumPolicy policy : kPolicies) {
      if (vector.expect.at(policy) == "accept") continue;
      INFO("vector " << vector.name << " policy " << static_cast<int>(policy));
      for (Trace& router : routers_at_work()) {
        const Snapshot before = Snapshot::of(router.election());
        const std::string future_before = future(router);
        CHECK_FALSE(deliver(vector, policy, router, 500ms));
        CHECK(Snapshot::of(router.election()) == before);
        CHECK(future(router) == future_before);
        ++refused;
      }
    }
  }
  CHECK(refused >= 5 * 3 * 40);
}

TEST_CASE("B18 RFC 9568 7.1: a valid golden packet does change a Backup so the snapshot can tell", "[B18+]") {
  int changed = 0;
  for (const Vector& vector : load_own_vectors()) {
    Trace router = Trace::backup();
    const Snapshot before = Snapshot::of(router.election());
    if (deliver(vector, ChecksumPolicy::automatic, router, 500ms) && Snapshot::of(router.election()) != before)
      ++changed;
  }
  CHECK(changed >= 40);
}

}  // namespace vipd::testing
