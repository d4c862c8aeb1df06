// RFC 9568 5.2: the fields of an advert, as received and as sent.
#include <algorithm>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/ipv6_packet.hpp"
#include "support/packet_builder.hpp"

namespace vipd::testing {
namespace {

constexpr ChecksumPolicy kAllPolicies[] = {ChecksumPolicy::automatic, ChecksumPolicy::rfc9568,
                                           ChecksumPolicy::pseudo_header};

std::string verdict(const Octets& datagram, const ReceiveRules& rules) {
  const auto received = receive(datagram, rules);
  return received ? "accept" : std::string(to_string(received.error()));
}

std::string verdict(const PacketParts& parts, ChecksumPolicy policy = ChecksumPolicy::automatic) {
  return verdict(build(parts), rules_for(parts.destination.family(), policy));
}

/// The advert that a receiver reads from a valid packet. `datagram` owns the octets of the addresses.
Advert decoded(const Octets& datagram, Family family) {
  const auto received = receive(datagram, rules_for(family));
  REQUIRE(received.has_value());
  return *received;
}

/// The message that we send for valid `parts`.
Octets encoded(const PacketParts& parts) {
  const Octets datagram = build(parts);
  const Advert advert = decoded(datagram, parts.destination.family());
  Octets message(kMaxAdvertSize);
  message.resize(encode(advert, parts.source, parts.destination, message));
  return message;
}

/// The values of the checksum field with which the packet of `parts` is accepted.
std::set<int> checksums_taken(const PacketParts& parts, ChecksumPolicy policy) {
  Octets datagram = build(parts);
  const std::size_t field = datagram.size() - parts.addresses.size() * parts.addresses[0].octets().size() - 2;
  const ReceiveRules rules = rules_for(parts.destination.family(), policy);
  std::set<int> taken;
  for (int value = 0; value <= 0xffff; ++value) {
    datagram[field] = static_cast<std::uint8_t>(value >> 8);
    datagram[field + 1] = static_cast<std::uint8_t>(value);
    if (receive(datagram, rules)) taken.insert(value);
  }
  return taken;
}

int checksum_field(const Octets& message) { return message[6] << 8 | message[7]; }

/// The last address makes the words of the message (8 octets, then 192.0.2.10) sum to 0xffff with a checksum of zero.
PacketParts parts_with_checksum_zero() {
  PacketParts parts = ipv4_parts();
  parts.form = ChecksumForm::message_only;
  const std::uint32_t words = 0x3133 + 0x6402 + 100 + 0xc000 + 0x020a;
  const std::uint32_t missing = 0xffff - checksum_fold(words);
  const std::uint8_t octets[] = {static_cast<std::uint8_t>(missing >> 8), static_cast<std::uint8_t>(missing), 0, 0};
  parts.addresses.emplace_back(Family::ipv4, octets);
  return parts;
}

}  // namespace

TEST_CASE("B01 RFC 9568 5.2.1: version 3 is taken and every other refused", "[B01+][B01-]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    for (int version = 0; version < 16; ++version) {
      parts.version = static_cast<std::uint8_t>(version);
      CHECK(verdict(parts) == (version == 3 ? "accept" : "version"));
    }
  }
}

TEST_CASE("B02 RFC 9568 5.2.2: type 1 is taken and every other refused", "[B02+][B02-]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    for (int type = 0; type < 16; ++type) {
      parts.type = static_cast<std::uint8_t>(type);
      CHECK(verdict(parts) == (type == 1 ? "accept" : "type"));
    }
  }
}

TEST_CASE("B03 RFC 9568 5.2.3: VRID 0 is refused and 1 to 255 are taken where they are configured", "[B03+][B03-]") {
  for (int vrid = 0; vrid < 256; ++vrid) {
    ReceiveRules rules = rules_for(Family::ipv4);
    if (vrid > 0) rules.vrid = static_cast<std::uint8_t>(vrid);
    PacketParts parts = ipv4_parts();
    parts.vrid = static_cast<std::uint8_t>(vrid);
    const Octets datagram = build(parts);
    REQUIRE(verdict(datagram, rules) == (vrid == 0 ? "vrid" : "accept"));
    if (vrid > 0) REQUIRE(receive(datagram, rules)->vrid == vrid);
  }
}

TEST_CASE("B04 RFC 9568 5.2.4: every priority is read and sent as it is", "[B04+]") {
  for (int priority = 0; priority < 256; ++priority) {
    PacketParts parts = ipv4_parts();
    parts.priority = static_cast<std::uint8_t>(priority);
    const Octets datagram = build(parts);
    REQUIRE(decoded(datagram, Family::ipv4).priority == priority);
    REQUIRE(encoded(parts)[2] == priority);
  }
}

TEST_CASE("B05 RFC 9568 5.2.5: an advert without addresses is refused", "[B05-]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    parts.addresses.clear();
    CHECK(verdict(parts) == "count_zero");
  }
  PacketParts parts = ipv4_parts();
  parts.count = 0;  // the packet has an address that the count omits
  CHECK(verdict(parts) == "count_zero");
}

TEST_CASE("B05 RFC 9568 5.2.5: one to 255 addresses are taken and sent in their order", "[B05+][B12+][B15+]") {
  for (const int count : {1, 2, 90, 255}) {
    PacketParts parts = ipv4_parts();
    parts.addresses.clear();
    for (int i = 0; i < count; ++i) parts.addresses.push_back(ip("198.51.100." + std::to_string(count - 1 - i)));
    const Octets datagram = build(parts);
    const Advert advert = decoded(datagram, Family::ipv4);
    REQUIRE(advert.addresses.size() == parts.addresses.size());
    for (std::size_t i = 0; i < parts.addresses.size(); ++i) REQUIRE(advert.addresses[i] == parts.addresses[i]);
    REQUIRE(encoded(parts) == Octets(datagram.begin() + 20, datagram.end()));
  }
}

TEST_CASE("B06 RFC 9568 5.2.6: Reserve is ignored on reception and zero when sent", "[B06+][B06-]") {
  PacketParts parts = ipv4_parts();
  for (int reserve = 0; reserve < 16; ++reserve) {
    parts.interval = static_cast<std::uint16_t>(reserve << 12 | 100);
    const Octets datagram = build(parts);
    CHECK(decoded(datagram, Family::ipv4).interval.count() == 100);
    CHECK(encoded(parts)[4] == 0);
  }
}

TEST_CASE("B07 RFC 9568 5.2.7: interval 0 is refused whatever Reserve says", "[B07-]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    for (const int interval : {0x0000, 0x1000, 0xf000}) {
      parts.interval = static_cast<std::uint16_t>(interval);
      CHECK(verdict(parts) == "interval_zero");
    }
  }
}

TEST_CASE("B07 RFC 9568 5.2.7: intervals of 1 to 4095 centiseconds are read and sent", "[B07+]") {
  PacketParts parts = ipv4_parts();
  for (int interval = 1; interval <= 4095; ++interval) {
    parts.interval = static_cast<std::uint16_t>(interval);
    const Octets datagram = build(parts);
    const Advert advert = decoded(datagram, Family::ipv4);
    REQUIRE(advert.interval.count() == interval);
    REQUIRE(Duration(advert.interval) == std::chrono::milliseconds(10 * interval));
    REQUIRE(encoded(parts) == Octets(datagram.begin() + 20, datagram.end()));
  }
}

TEST_CASE("B08 RFC 9568 5.2.8: the checksum over IPv4 is that of the message alone", "[B08+]") {
  PacketParts parts = ipv4_parts();
  parts.form = ChecksumForm::message_only;
  CHECK(verdict(parts, ChecksumPolicy::rfc9568) == "accept");
  CHECK(verdict(parts, ChecksumPolicy::pseudo_header) == "checksum");
  const Octets datagram = build(parts);
  CHECK(decoded(datagram, Family::ipv4).checksum_form == ChecksumForm::message_only);
  CHECK(encoded(parts) == Octets(datagram.begin() + 20, datagram.end()));
}

TEST_CASE("B08 RFC 9568 5.2.8: a checksum with the pseudo-header is refused by the policy of the RFC", "[B08-]") {
  const PacketParts parts = ipv4_parts();
  CHECK(verdict(parts, ChecksumPolicy::rfc9568) == "checksum");
  CHECK(verdict(parts, ChecksumPolicy::pseudo_header) == "accept");
}

TEST_CASE("B09 RFC 5798 5.2.8: auto takes both forms and tells which it was", "[B09+]") {
  for (const ChecksumForm form : {ChecksumForm::message_only, ChecksumForm::pseudo_header}) {
    PacketParts parts = ipv4_parts();
    parts.form = form;
    CHECK(verdict(parts, ChecksumPolicy::automatic) == "accept");
    const Octets datagram = build(parts);
    CHECK(decoded(datagram, Family::ipv4).checksum_form == form);
  }
}

TEST_CASE("B09 RFC 5798 5.2.8: of all 65536 checksums each policy takes its form and auto takes the two",
          "[B09-][B08-]") {
  const PacketParts parts = ipv4_parts();
  const std::set<int> message_only = checksums_taken(parts, ChecksumPolicy::rfc9568);
  const std::set<int> pseudo_header = checksums_taken(parts, ChecksumPolicy::pseudo_header);
  CHECK(message_only.size() == 1);
  CHECK(pseudo_header.size() == 1);
  std::set<int> both = message_only;
  both.insert(pseudo_header.begin(), pseudo_header.end());
  CHECK(both.size() == 2);
  CHECK(checksums_taken(parts, ChecksumPolicy::automatic) == both);
}

TEST_CASE("B09 RFC 5798 5.2.8: where the pseudo-header sums to nothing both forms are one and all policies take it",
          "[B09+]") {
  PacketParts parts = ipv4_parts();
  parts.source = ip("192.0.95.112");  // with the group, the protocol and twelve octets: 0xffff
  for (const ChecksumPolicy policy : kAllPolicies) {
    INFO("policy " << static_cast<int>(policy));
    CHECK(verdict(parts, policy) == "accept");
  }
}

TEST_CASE("B10 RFC 9568 5.2.8: over IPv6 one of all 65536 checksums is right under every policy", "[B10+][B10-]") {
  const PacketParts parts = ipv6_parts();
  const Octets datagram = build(parts);
  const Octets message(datagram.begin() + 40, datagram.end());
  for (const ChecksumPolicy policy : kAllPolicies)
    CHECK(checksums_taken(parts, policy) == std::set<int>{checksum_field(message)});
  CHECK(encoded(parts) == message);
}

TEST_CASE("B10 RFC 9568 5.2.8: over IPv6 the pseudo-header is in the sum whatever form IPv4 is set to", "[B10+]") {
  const PacketParts parts = ipv6_parts();
  const Octets datagram = build(parts);
  Advert advert = decoded(datagram, Family::ipv6);
  advert.checksum_form = ChecksumForm::message_only;
  Octets message(kMaxAdvertSize);
  message.resize(encode(advert, parts.source, parts.destination, message));
  CHECK(message == Octets(datagram.begin() + 40, datagram.end()));
}

TEST_CASE("B10 RFC 8200 8.1: the IPv6 checksum covers both addresses and the length", "[B10-]") {
  Octets datagram = build(ipv6_parts());
  const ReceiveRules rules = rules_for(Family::ipv6);
  datagram[23] ^= 1;  // the source's last octet
  CHECK(verdict(datagram, rules) == "checksum");
}

TEST_CASE("B11 RFC 1071: checksums 0x0000 and 0xffff are the same", "[B11+][B11-]") {
  const PacketParts parts = parts_with_checksum_zero();
  CHECK(checksums_taken(parts, ChecksumPolicy::rfc9568) == std::set<int>{0x0000, 0xffff});
  CHECK(checksum_field(encoded(parts)) == 0x0000);
}

TEST_CASE("B12 RFC 9568 7.1: a message shorter than its fixed fields is refused", "[B12-]") {
  for (PacketParts parts : {ipv4_parts(), ipv6_parts()}) {
    for (std::size_t size = 0; size < 8; ++size) {
      parts.message_limit = size;
      CHECK(verdict(parts) == "vrrp_short");
    }
  }
}

TEST_CASE("B12 RFC 9568 7.1: a message longer or shorter than its count says is refused", "[B12-]") {
  for (const PacketParts& right : {ipv4_parts(), ipv6_parts()}) {
    PacketParts parts = right;
    for (const std::size_t extra : {1, 4, 8, 16, 28}) {
      parts.trailer.assign(extra, 0);
      CHECK(verdict(parts) == "length");
    }
    parts = right;
    parts.count = static_cast<int>(parts.addresses.size()) + 1;
    CHECK(verdict(parts) == "length");
    parts.count = 255;
    CHECK(verdict(parts) == "length");
    parts = right;
    parts.message_limit = 11;
    CHECK(verdict(parts) == "length");
  }
}

TEST_CASE("B13 RFC 9568 5.2.9: the addresses are of the packet's family", "[B13+][B13-]") {
  PacketParts parts = ipv4_parts();
  parts.addresses = {ip("2001:db8::10")};
  CHECK(verdict(parts) == "length");
  parts = ipv6_parts();
  parts.addresses = {ip("192.0.2.10")};
  CHECK(verdict(parts) == "length");
  const Octets datagram = build(ipv6_parts());
  CHECK(decoded(datagram, Family::ipv6).addresses[1] == ip("2001:db8::10"));
}

TEST_CASE("B14 RFC 9568 5.2.9: the first address over IPv6 is link-local", "[B14+][B14-]") {
  PacketParts parts = ipv6_parts();
  CHECK(verdict(parts) == "accept");
  std::ranges::reverse(parts.addresses);
  CHECK(verdict(parts) == "first_not_linklocal");
  parts.addresses = {ip("fec0::1")};
  CHECK(verdict(parts) == "first_not_linklocal");
}

}  // namespace vipd::testing
