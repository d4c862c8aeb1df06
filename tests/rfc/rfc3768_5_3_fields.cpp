// RFC 3768 5.2 and 5.3: the fields of VRRPv2, above all those that differ from VRRPv3.
#include <algorithm>
#include <string>

#include "support/catch.hpp"
#include "support/ipv6_packet.hpp"
#include "support/packet_builder.hpp"

namespace vipd::testing {
namespace {

std::string verdict(const PacketParts& parts, const ReceiveRules& rules = v2_rules()) {
  const auto received = receive(build(parts), rules);
  return received ? "accept" : std::string(to_string(received.error()));
}

Octets octets_of(std::string_view text) {
  const SimplePassword password = simple_password(text);
  return {password.begin(), password.end()};
}

/// A packet with authentication type 1 and a receiver that has `password`.
std::string verdict_of_password(std::string_view sent, std::string_view configured) {
  PacketParts parts = v2_parts();
  parts.interval = 0x0101;
  parts.trailer = octets_of(sent);
  ReceiveRules rules = v2_rules();
  rules.password = simple_password(configured);
  return verdict(parts, rules);
}

Octets encoded(const Advert& advert) {
  Octets message(kMaxAdvertSize);
  message.resize(encode(advert, ip("192.0.2.1"), ip("224.0.0.18"), message));
  return message;
}

constexpr std::array<std::uint8_t, 8> kTwoAddresses = {192, 0, 2, 10, 192, 0, 2, 11};

Advert v2_advert() {
  return {.version = 2,
          .vrid = 51,
          .priority = 100,
          .interval = Centiseconds(300),
          .addresses = AddressList(Family::ipv4, kTwoAddresses)};
}

}  // namespace

TEST_CASE("RFC 3768 5.2.3: any TTL but 255 is refused", "[D01+][D01-]") {
  for (int ttl = 0; ttl < 256; ++ttl) {
    PacketParts parts = v2_parts();
    parts.hop_limit = static_cast<std::uint8_t>(ttl);
    REQUIRE(verdict(parts) == (ttl == 255 ? "accept" : "ttl"));
  }
}

TEST_CASE("RFC 3768 5.3.1: a VRRPv2 router takes version 2 alone, and a VRRPv3 router does not", "[D02+][D02-][B01-]") {
  for (int version = 0; version < 16; ++version) {
    PacketParts parts = v2_parts();
    parts.version = static_cast<std::uint8_t>(version);
    REQUIRE(verdict(parts) == (version == 2 ? "accept" : "version"));
  }
  CHECK(verdict(v2_parts(), rules_for(Family::ipv4)) == "version");
  CHECK(verdict(ipv4_parts()) == "version");
}

TEST_CASE("RFC 3768 5.3.2: any type but 1 is refused", "[D03+][D03-]") {
  for (int type = 0; type < 16; ++type) {
    PacketParts parts = v2_parts();
    parts.type = static_cast<std::uint8_t>(type);
    REQUIRE(verdict(parts) == (type == 1 ? "accept" : "type"));
  }
}

TEST_CASE("RFC 3768 5.3.4: every priority is taken as it is", "[D04+]") {
  for (int priority = 0; priority < 256; ++priority) {
    PacketParts parts = v2_parts();
    parts.priority = static_cast<std::uint8_t>(priority);
    const Octets datagram = build(parts);
    const auto received = receive(datagram, v2_rules());
    REQUIRE(received.has_value());
    REQUIRE(received->priority == priority);
  }
}

TEST_CASE("RFC 3768 5.3.5: an advert without addresses is refused", "[B05-]") {
  PacketParts parts = v2_parts();
  parts.addresses.clear();
  CHECK(verdict(parts) == "count_zero");
}

TEST_CASE("RFC 3768 5.3.6: without a password every type of authentication but 0 is refused", "[D05+][D05-]") {
  for (int type = 0; type < 256; ++type) {
    PacketParts parts = v2_parts();
    parts.interval = static_cast<std::uint16_t>(type << 8 | 1);
    REQUIRE(verdict(parts) == (type == 0 ? "accept" : "auth_type"));
  }
}

TEST_CASE("RFC 2338 5.3.6: with a password it alone is taken, whole and zero-filled", "[D05+][D05-]") {
  CHECK(verdict_of_password("s3cret", "s3cret") == "accept");
  CHECK(verdict_of_password("12345678", "12345678") == "accept");
  CHECK(verdict_of_password("s3cre", "s3cret") == "auth_data");
  CHECK(verdict_of_password("s3crets", "s3cret") == "auth_data");
  CHECK(verdict_of_password("S3cret", "s3cret") == "auth_data");
  ReceiveRules rules = v2_rules();
  rules.password = simple_password("s3cret");
  CHECK(verdict(v2_parts(), rules) == "auth_type");
}

TEST_CASE("RFC 3768 5.3.7: whole seconds, the same on all routers", "[D06+][D06-]") {
  for (int seconds = 0; seconds < 256; ++seconds) {
    PacketParts parts = v2_parts();
    parts.interval = static_cast<std::uint16_t>(seconds);
    REQUIRE(verdict(parts) == (seconds == 1 ? "accept" : seconds == 0 ? "interval_zero" : "interval_mismatch"));
    if (seconds == 0) continue;
    ReceiveRules rules = v2_rules();
    rules.interval = std::chrono::seconds(seconds);
    const Octets datagram = build(parts);
    const auto received = receive(datagram, rules);
    REQUIRE(received.has_value());
    REQUIRE(received->interval == std::chrono::seconds(seconds));
  }
}

TEST_CASE("RFC 3768 5.3.8: one of all 65536 checksums is right, over the message with its authentication data",
          "[D07+][D07-]") {
  PacketParts parts = v2_parts();
  parts.trailer = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(verdict(parts) == "accept");
  int accepted = 0;
  for (int flips = 0; flips < 65536; ++flips) {
    parts.checksum_xor = static_cast<std::uint16_t>(flips);
    accepted += verdict(parts) == "accept";
  }
  CHECK(accepted == 1);
  PacketParts pseudo = v2_parts();
  pseudo.form = ChecksumForm::pseudo_header;
  CHECK(verdict(pseudo) == "checksum");
}

TEST_CASE("RFC 3768 5.3.8: the policy for the checksums of VRRPv3 has no say", "[D07+]") {
  for (const ChecksumPolicy policy :
       {ChecksumPolicy::automatic, ChecksumPolicy::rfc9568, ChecksumPolicy::pseudo_header}) {
    ReceiveRules rules = v2_rules();
    rules.checksum = policy;
    CHECK(verdict(v2_parts(), rules) == "accept");
  }
}

TEST_CASE("RFC 3768 5.3.10: authentication data is sent as zero and not looked at", "[D08+][D08-]") {
  PacketParts parts = v2_parts();
  parts.trailer = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4};
  CHECK(verdict(parts) == "accept");
  const Octets message = encoded(v2_advert());
  REQUIRE(message.size() == 8 + 8 + 8);
  CHECK(std::ranges::all_of(std::span(message).last(8), [](auto octet) { return octet == 0; }));
  CHECK(message[4] == 0);
}

TEST_CASE("RFC 3768 5.1: what is sent is version 2 with whole seconds, and is taken", "[D02+][D06+][D07+]") {
  Advert advert = v2_advert();
  advert.password = simple_password("s3cret");
  const Octets message = encoded(advert);
  CHECK(message[0] == 0x21);
  CHECK(message[4] == 1);
  CHECK(message[5] == 3);
  ReceiveRules rules = v2_rules();
  rules.interval = Centiseconds(300);
  rules.password = advert.password;
  const auto received =
      decode({.source = ip("192.0.2.1"), .destination = ip("224.0.0.18"), .hop_limit = 255, .payload = message}, rules);
  REQUIRE(received.has_value());
  CHECK(received->addresses.size() == 2);
  CHECK(received->addresses[1] == ip("192.0.2.11"));
  CHECK(received->priority == 100);
}

TEST_CASE("RFC 3768 7.1: the eight octets of authentication data belong to a complete packet", "[D09+][D09-]") {
  for (std::size_t missing = 1; missing <= 8; ++missing) {
    PacketParts parts = v2_parts();
    parts.trailer.resize(8 - missing);
    REQUIRE(verdict(parts) == "length");
  }
  CHECK(verdict(v2_parts()) == "accept");
  PacketParts longer = v2_parts();
  longer.trailer.resize(9);
  CHECK(verdict(longer) == "length");
}

TEST_CASE("RFC 3768 7.1: another VRID is refused", "[D10+][D10-]") {
  PacketParts parts = v2_parts();
  CHECK(verdict(parts) == "accept");
  parts.vrid = 52;
  CHECK(verdict(parts) == "vrid");
}

TEST_CASE("RFC 3768 7.1: of two defects the earlier check names the reason", "[B22+]") {
  PacketParts parts = v2_parts();
  parts.interval = 0x0100;  // an unexpected type, and no interval
  CHECK(verdict(parts) == "auth_type");
  parts.vrid = 52;
  CHECK(verdict(parts) == "vrid");
  parts.checksum_xor = 1;
  CHECK(verdict(parts) == "checksum");
  parts.trailer.clear();
  CHECK(verdict(parts) == "length");
}

}  // namespace vipd::testing
