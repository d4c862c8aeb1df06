// RFC 9568 5.1 and 7.1: what the IP header of an advert must be; RFC 791 before it.
#include <string>

#include "support/catch.hpp"
#include "support/ipv6_packet.hpp"
#include "support/packet_builder.hpp"

namespace vipd::testing {
namespace {

std::string verdict(const PacketParts& parts, const ReceiveRules& rules) {
  const Octets datagram = build(parts);
  const auto received = receive(datagram, rules);
  return received ? "accept" : std::string(to_string(received.error()));
}

std::string verdict(const PacketParts& parts) { return verdict(parts, rules_for(parts.destination.family())); }

std::string verdict_from(PacketParts parts, const char* source) {
  parts.source = ip(source);
  return verdict(parts);
}

std::string verdict_to(PacketParts parts, const char* destination) {
  parts.destination = ip(destination);
  return verdict(parts);
}

}  // namespace

TEST_CASE("A06 RFC 9568 5.1.1.3: every TTL but 255 is refused", "[A06+][A06-]") {
  PacketParts parts = ipv4_parts();
  CHECK(verdict(parts) == "accept");
  for (int ttl = 0; ttl < 255; ++ttl) {
    parts.hop_limit = static_cast<std::uint8_t>(ttl);
    INFO("TTL " << ttl);
    REQUIRE(verdict(parts) == "ttl");
  }
}

TEST_CASE("A06 RFC 9568 5.1.2.3: every hop limit but 255 is refused", "[A06+][A06-]") {
  PacketParts parts = ipv6_parts();
  CHECK(verdict(parts) == "accept");
  for (int limit = 0; limit < 255; ++limit) {
    parts.hop_limit = static_cast<std::uint8_t>(limit);
    INFO("hop limit " << limit);
    REQUIRE(verdict(parts) == "ttl");
  }
}

TEST_CASE("A07 RFC 9568 5.1.1.4: another IP protocol is refused", "[A07-]") {
  PacketParts parts = ipv4_parts();
  for (const int protocol : {0, 1, 6, 17, 51, 111, 113, 255}) {
    parts.protocol = static_cast<std::uint8_t>(protocol);
    CHECK(verdict(parts) == "ip_proto");
  }
}

TEST_CASE("RFC 9568 5.1.1.2: only the group of VRRP is a destination", "[A03-]") {
  CHECK(verdict_to(ipv4_parts(), "224.0.0.18") == "accept");
  for (const char* other : {"224.0.0.1", "224.0.0.17", "239.0.0.18", "192.0.2.5", "255.255.255.255"})
    CHECK(verdict_to(ipv4_parts(), other) == "dst");
  CHECK(verdict_to(ipv6_parts(), "ff02::12") == "accept");
  for (const char* other : {"ff02::1", "ff02::112", "ff05::12", "ff01::12", "fe80::1"})
    CHECK(verdict_to(ipv6_parts(), other) == "dst");
}

TEST_CASE("A10 source addresses that no host has are refused", "[A10-]") {
  CHECK(verdict_from(ipv4_parts(), "10.0.0.1") == "accept");
  CHECK(verdict_from(ipv4_parts(), "169.254.3.4") == "accept");
  for (const char* source : {"0.0.0.0", "127.0.0.1", "127.255.0.3", "224.0.0.18", "239.1.2.3", "255.255.255.255"})
    CHECK(verdict_from(ipv4_parts(), source) == "src");
}

TEST_CASE("A10 RFC 9568 5.1.2.1: an IPv6 source is a link-local address", "[A02-][A10-]") {
  CHECK(verdict_from(ipv6_parts(), "fe80::1") == "accept");
  CHECK(verdict_from(ipv6_parts(), "febf:ffff::1") == "accept");
  for (const char* source :
       {"2001:db8::1", "fec0::1", "fe7f::1", "::", "::1", "ff02::12", "fd00::1", "::ffff:192.0.2.2"})
    CHECK(verdict_from(ipv6_parts(), source) == "src");
}

TEST_CASE("A10 a datagram shorter than an IP header is refused", "[A10-]") {
  for (std::size_t size = 0; size < 20; ++size) {
    PacketParts parts = ipv4_parts();
    parts.datagram_limit = size;
    CHECK(verdict(parts) == "ip_short");
  }
  PacketParts parts = ipv6_parts();
  parts.datagram_limit = 39;
  CHECK(verdict(parts) == "ip_short");
}

TEST_CASE("A10 another IP version is refused", "[A10-]") {
  PacketParts parts = ipv4_parts();
  for (const int version : {0, 3, 5, 6, 15}) {
    parts.ip_version = static_cast<std::uint8_t>(version);
    CHECK(verdict(parts) == "ip_version");
  }
}

TEST_CASE("A10 lengths of an IPv4 header that cannot be are refused", "[A10-]") {
  PacketParts parts = ipv4_parts();
  for (const int words : {0, 1, 4}) {
    parts.header_words = static_cast<std::uint8_t>(words);
    CHECK(verdict(parts) == "ip_len");
  }
  parts = ipv4_parts();
  for (const int error : {1, 100, -13, -32}) {  // longer than the packet; shorter than the header
    parts.total_length_error = error;
    CHECK(verdict(parts) == "ip_len");
  }
  parts = ipv4_parts();
  parts.header_words = 15;  // the header ends behind the packet
  parts.datagram_limit = 40;
  CHECK(verdict(parts) == "ip_len");
}

TEST_CASE("A10 options in the IPv4 header are stepped over", "[A10+]") {
  for (const int words : {6, 10, 15}) {
    PacketParts parts = ipv4_parts();
    parts.header_words = static_cast<std::uint8_t>(words);
    CHECK(verdict(parts) == "accept");
  }
}

TEST_CASE("A10 a wrong checksum of the IPv4 header is refused", "[A10-]") {
  for (int bit = 0; bit < 16; ++bit) {
    PacketParts parts = ipv4_parts();
    parts.header_checksum_xor = static_cast<std::uint16_t>(1 << bit);
    CHECK(verdict(parts) == "ip_checksum");
  }
}

TEST_CASE("A10 a fragment is refused and the bit against fragmenting is none", "[A10-]") {
  PacketParts parts = ipv4_parts();
  for (const int fragment : {0x2000, 0x0001, 0x1fff, 0x3000, 0x6000}) {
    parts.fragment = static_cast<std::uint16_t>(fragment);
    CHECK(verdict(parts) == "ip_fragment");
  }
  parts.fragment = 0x4000;
  CHECK(verdict(parts) == "accept");
}

TEST_CASE("A10 padding behind the IP length is not looked at", "[A10+]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    parts.padding = {0xde, 0xad, 0xbe, 0xef, 0x01};
    CHECK(verdict(parts) == "accept");
  }
}

TEST_CASE("B23 our own advert looped back is refused and a peer's is not", "[B23+][B23-]") {
  const PacketParts parts = ipv4_parts();
  const IpAddress own[] = {ip("192.0.2.1"), parts.source};
  ReceiveRules rules = rules_for(Family::ipv4);
  rules.own_sources = own;
  CHECK(verdict(parts, rules) == "own_source");
  CHECK(verdict(parts) == "accept");
  rules.own_sources = std::span(own).first(1);
  CHECK(verdict(parts, rules) == "accept");
}

}  // namespace vipd::testing
