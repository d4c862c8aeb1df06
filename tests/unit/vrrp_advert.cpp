#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/dies.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd {
namespace {

using testing::dies;

const std::vector<std::uint8_t> kTwoAddresses = {192, 0, 2, 10, 192, 0, 2, 11};

Advert advert() {
  return {.vrid = 51, .priority = 200, .interval = Centiseconds(100), .addresses = {Family::ipv4, kTwoAddresses}};
}

}  // namespace

TEST_CASE("AddressList is a view of addresses in wire form") {
  const AddressList list(Family::ipv4, kTwoAddresses);
  CHECK(list.size() == 2);
  CHECK(list[0].to_string() == "192.0.2.10");
  CHECK(list[1].to_string() == "192.0.2.11");
  CHECK(list.octets().data() == kTwoAddresses.data());
  CHECK(AddressList().size() == 0);
}

TEST_CASE("Refusal: each reason has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRefusalKinds; ++i) names.insert(to_string(static_cast<Refusal>(i)));
  CHECK(names.size() == kRefusalKinds);
  CHECK(names.count("") == 0);
  CHECK(to_string(Refusal::ip_short) == "ip_short");
  CHECK(to_string(Refusal::checksum) == "checksum");
  CHECK(to_string(Refusal::first_not_linklocal) == "first_not_linklocal");
}

TEST_CASE("encode writes what fits and not an octet more") {
  const IpAddress source = IpAddress::parse("192.0.2.1").value();
  std::vector<std::uint8_t> out(24, 0xee);
  CHECK(encode(advert(), source, vrrp_group(Family::ipv4), out) == 16);
  CHECK(std::vector<std::uint8_t>(out.begin() + 16, out.end()) == std::vector<std::uint8_t>(8, 0xee));
}

TEST_CASE("encode without room is a bug") {
  const IpAddress source = IpAddress::parse("192.0.2.1").value();
  std::vector<std::uint8_t> out(15);
  CHECK(dies([&] { encode(advert(), source, vrrp_group(Family::ipv4), out); }));
}

TEST_CASE("an advert of the most addresses fits the sizes that are promised") {
  CHECK(max_advertised(Family::ipv4) == 255);
  CHECK(20 + kVrrpHeaderSize + 4 * max_advertised(Family::ipv4) <= 1500);
  CHECK(40 + kVrrpHeaderSize + 16 * max_advertised(Family::ipv6) <= 1500);
  CHECK(40 + kVrrpHeaderSize + 16 * (max_advertised(Family::ipv6) + 1) > 1500);
  CHECK(kMaxAdvertSize == 8 + 255 * 16);
}

}  // namespace vipd
