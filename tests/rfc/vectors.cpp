// Golden packets: captured from keepalived and FRR, made with scapy, or broken in one place on purpose.
#include "support/vectors.hpp"

#include <algorithm>
#include <iostream>

#include "support/catch.hpp"
#include "support/ipv6_packet.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd::testing {
namespace {

std::string verdict(const std::expected<Advert, Refusal>& received) {
  return received ? "accept" : std::string(to_string(received.error()));
}

void check_fields(const Advert& advert, const ExpectedAdvert& expected) {
  CHECK(advert.vrid == expected.vrid);
  CHECK(advert.priority == expected.priority);
  CHECK(advert.interval.count() == expected.interval_cs);
  if (!expected.addresses) return;
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < advert.addresses.size(); ++i) addresses.push_back(advert.addresses[i].to_string());
  CHECK(addresses == *expected.addresses);
}

/// True if we would have sent this message: the Reserve nibble is zero (RFC 9568 5.2.6), and either of the two equal
/// forms of a checksum (RFC 1071) is right.
bool same_message(std::span<const std::uint8_t> ours, std::span<const std::uint8_t> theirs) {
  Octets expected(theirs.begin(), theirs.end());
  const bool v2 = expected[0] >> 4 == 2;
  if (v2 && expected[4] == 0) {  // authentication data without authentication is zero (RFC 3768 5.3.10)
    std::ranges::fill(std::span(expected).last(kAuthDataSize), std::uint8_t{0});
    if (!std::ranges::equal(expected, theirs)) std::copy_n(ours.begin() + 6, 2, expected.begin() + 6);
  }
  const bool reserve_set = !v2 && (expected[4] & 0xf0) != 0;
  const bool checksum_is_zero = (expected[6] == 0 && expected[7] == 0) || (expected[6] == 0xff && expected[7] == 0xff);
  if (reserve_set || checksum_is_zero) {
    expected[4] &= 0x0f;
    std::copy_n(ours.begin() + 6, 2, expected.begin() + 6);
  }
  return std::ranges::equal(ours, expected);
}

void check_encoding(const Vector& vector, const Advert& advert) {
  const auto packet = vector.family == Family::ipv4 ? parse_ipv4(vector.datagram) : parse_ipv6(vector.datagram);
  Octets message(kMaxAdvertSize);
  message.resize(encode(advert, packet->source, packet->destination, message));
  CHECK(same_message(message, packet->payload));
}

void check_vector(const Vector& vector) {
  INFO("vector " << vector.name);
  bool accepted = false;
  for (const ChecksumPolicy policy : kPolicies) {
    INFO("policy " << static_cast<int>(policy));
    const ReceiveRules rules = vector.rules(policy);
    const auto received = receive(vector.datagram, rules);
    CHECK(verdict(received) == vector.expect.at(policy));
    if (!received || !vector.advert) continue;
    accepted = true;
    check_fields(*received, *vector.advert);
    check_encoding(vector, *received);
  }
  CHECK(accepted == vector.advert.has_value());
}

const Json& named(const Json& entries, const std::string& name) {
  const auto found = std::ranges::find_if(entries, [&](const Json& entry) { return entry.at("name") == name; });
  if (found == entries.end()) throw std::out_of_range(name);
  return *found;
}

template <typename Frame>
Octets octets_of(const Frame& frame) {
  return Octets(frame.begin(), frame.end());
}

/// The captured frame `name`, from the collection of the repository.
Octets captured(const std::string& name) {
  return from_hex(named(load_json(own_vectors() / "announcements.json"), name).at("hex"));
}

}  // namespace

TEST_CASE("B22 golden packets: each verdict and its one reason under the three checksum policies", "[B22+][B22-]") {
  const std::vector<Vector> vectors = load_own_vectors();
  REQUIRE(vectors.size() >= 120);
  for (const Vector& vector : vectors) check_vector(vector);
}

// The test exists only with the collection: a test without data must not count as passed.
#ifdef VIPD_SHARED_VECTORS
TEST_CASE("B22 golden packets: the whole collection beside the checkout", "[B22+][B22-]") {
  const std::vector<Vector> vectors = load_shared_vectors();
  std::cout << "golden packets beside the checkout: " << vectors.size() << "\n";
  REQUIRE_FALSE(vectors.empty());
  for (const Vector& vector : vectors) check_vector(vector);
}
#endif

TEST_CASE("C02 RFC 9568 6.4.1: gratuitous ARP is byte for byte what keepalived sends", "[C02+]") {
  const MacAddress mac{{0x02, 0, 0, 0, 0, 0x01}};
  CHECK(octets_of(gratuitous_arp(mac, ip("198.51.100.101"))) == captured("garp-keepalived-realmac"));
  const MacAddress virtual_mac{{0x00, 0x00, 0x5e, 0x00, 0x01, 0x1c}};
  CHECK(octets_of(gratuitous_arp(virtual_mac, ip("198.51.100.118"))) == captured("garp-keepalived-vmac"));
}

TEST_CASE("C02 RFC 9568 6.4.1: the target hardware address is not our own as ucarp has it", "[C02-]") {
  const MacAddress mac{{0x02, 0, 0, 0, 0, 0x01}};
  CHECK(octets_of(gratuitous_arp(mac, ip("198.51.100.40"))) != captured("garp-ucarp"));
}

TEST_CASE("C03 RFC 9568 6.4.1: the unsolicited NA of a host is keepalived's and that of a router is FRR's",
          "[C03+][C03-]") {
  const MacAddress mac{{0x02, 0, 0, 0, 0, 0x01}};
  CHECK(octets_of(unsolicited_na(mac, ip("fe80::16"), false)) == captured("na-keepalived-ll"));
  const MacAddress virtual_mac{{0x00, 0x00, 0x5e, 0x00, 0x02, 0x22}};
  CHECK(octets_of(unsolicited_na(virtual_mac, ip("fe80::34"), true)) == captured("na-frr-ll"));
  CHECK(octets_of(unsolicited_na(virtual_mac, ip("fe80::34"), false)) != captured("na-frr-ll"));
}

}  // namespace vipd::testing
