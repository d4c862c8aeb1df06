// Adverts by unicast. RFC 9568 does not have them, so these rules are ours (conformance A05, A06, B22, B23).
#include <string>

#include "support/catch.hpp"
#include "support/ipv6_packet.hpp"
#include "support/packet_builder.hpp"

namespace vipd::testing {
namespace {

/// A receiver at 192.0.2.1 or 2001:db8::1 with two peers; the second may be one router away.
struct Receiver {
  explicit Receiver(Family family)
      : peers(family == Family::ipv4 ? std::vector<UnicastPeer>{{ip("192.0.2.2"), 255}, {ip("198.51.100.2"), 254}}
                                     : std::vector<UnicastPeer>{{ip("2001:db8::2"), 255}, {ip("2001:db8:1::2"), 254}}),
        own{family == Family::ipv4 ? ip("192.0.2.1") : ip("2001:db8::1")},
        rules(rules_for(family)) {
    rules.peers = peers;
    rules.local = own[0];
    rules.own_sources = own;
  }
  Receiver(const Receiver&) = delete;

  /// A valid advert of peer number `peer`.
  PacketParts parts(std::size_t peer = 0) const {
    PacketParts parts = rules.family == Family::ipv4 ? ipv4_parts() : ipv6_parts();
    parts.source = peers[peer].address;
    parts.destination = rules.local;
    return parts;
  }
  std::string verdict(const PacketParts& parts) const {
    const auto received = receive(build(parts), rules);
    return received ? "accept" : std::string(to_string(received.error()));
  }

  std::vector<UnicastPeer> peers;
  std::vector<IpAddress> own;
  ReceiveRules rules;
};

}  // namespace

TEST_CASE("unicast: a configured peer is taken, in both families", "[B22+][A06+]") {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Receiver receiver(family);
    CHECK(receiver.verdict(receiver.parts(0)) == "accept");
    CHECK(receiver.verdict(receiver.parts(1)) == "accept");
  }
}

TEST_CASE("unicast: an unknown sender is refused for who it is, whatever its hop limit", "[A06-][B18-]") {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Receiver receiver(family);
    PacketParts parts = receiver.parts();
    parts.source = family == Family::ipv4 ? ip("192.0.2.9") : ip("2001:db8::9");
    CHECK(receiver.verdict(parts) == "src_not_peer");
    parts.hop_limit = 60;
    CHECK(receiver.verdict(parts) == "src_not_peer");
  }
}

TEST_CASE("unicast: each peer has its own least hop limit, 255 if nothing is said", "[A06+][A06-]") {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Receiver receiver(family);
    for (int limit = 0; limit < 256; ++limit) {
      for (const std::size_t peer : {0u, 1u}) {
        PacketParts parts = receiver.parts(peer);
        parts.hop_limit = static_cast<std::uint8_t>(limit);
        REQUIRE(receiver.verdict(parts) == (limit >= (peer == 0 ? 255 : 254) ? "accept" : "ttl"));
      }
    }
  }
}

TEST_CASE("unicast: what was sent to the group or to another address is not for us", "[A03-]") {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Receiver receiver(family);
    PacketParts parts = receiver.parts();
    parts.destination = vrrp_group(family);
    CHECK(receiver.verdict(parts) == "dst");
    parts.destination = receiver.peers[1].address;
    CHECK(receiver.verdict(parts) == "dst");
  }
}

TEST_CASE("unicast: an instance that speaks to the group takes nothing that was sent to an address", "[A03-]") {
  PacketParts parts = ipv4_parts();
  parts.destination = ip("192.0.2.1");
  CHECK(to_string(receive(build(parts), rules_for(Family::ipv4)).error()) == "dst");
}

TEST_CASE("unicast: our own adverts are known by their source before they are strangers", "[B23+]") {
  const Receiver receiver(Family::ipv4);
  PacketParts parts = receiver.parts();
  parts.source = receiver.own[0];
  CHECK(receiver.verdict(parts) == "own_source");
}

TEST_CASE("unicast: an IPv6 advert still lists a link-local address first", "[B14-]") {
  const Receiver receiver(Family::ipv6);
  PacketParts parts = receiver.parts();
  parts.addresses = {ip("2001:db8::10")};
  CHECK(receiver.verdict(parts) == "first_not_linklocal");
}

TEST_CASE("unicast: VRRPv2 has the same rules", "[B22+]") {
  Receiver receiver(Family::ipv4);
  receiver.rules.version = 2;
  PacketParts parts = v2_parts();
  parts.source = receiver.peers[0].address;
  parts.destination = receiver.rules.local;
  CHECK(receiver.verdict(parts) == "accept");
  parts.source = ip("192.0.2.9");
  CHECK(receiver.verdict(parts) == "src_not_peer");
}

}  // namespace vipd::testing
