#include "vipd/vrrp/virtual_mac.hpp"

#include <array>

#include "support/catch.hpp"
#include "vipd/vrrp/advert.hpp"

using namespace vipd;

TEST_CASE("virtual MAC: one for each family and VRID", "[A08+]") {
  CHECK(virtual_mac(Family::ipv4, 51).to_string() == "00:00:5e:00:01:33");
  CHECK(virtual_mac(Family::ipv6, 51).to_string() == "00:00:5e:00:02:33");
  CHECK(virtual_mac(Family::ipv4, 255).to_string() == "00:00:5e:00:01:ff");
}

TEST_CASE("virtual MAC: an IPv4 advert as a frame is taken by a receiver", "[A05+][A08+][A11+]") {
  const IpAddress source = *IpAddress::parse("192.0.2.1");
  const std::array<std::uint8_t, 4> address = {192, 0, 2, 10};
  const Advert advert{.vrid = 51, .priority = 254, .interval = Centiseconds(100), .addresses = {Family::ipv4, address}};
  std::array<std::uint8_t, kMaxAdvertSize> buffer;
  const std::size_t size = encode(advert, source, vrrp_group(Family::ipv4), buffer);
  const auto frame = advert_frame(virtual_mac(Family::ipv4, 51), source, std::span(buffer).first(size));
  const std::vector<std::uint8_t> ethernet = {0x01, 0, 0x5e, 0, 0, 0x12, 0, 0, 0x5e, 0, 1, 51, 0x08, 0};
  CHECK(std::vector(frame.begin(), frame.begin() + 14) == ethernet);
  CHECK(frame[15] == 0xc0);
  const auto packet = parse_ipv4(std::span(frame).subspan(14));
  REQUIRE(packet);
  CHECK(packet->source == source);
  CHECK(packet->destination == vrrp_group(Family::ipv4));
  CHECK(packet->hop_limit == 255);
  CHECK(packet->payload.size() == size);
  CHECK(checksum_fold(checksum_add(0, std::span(frame).subspan(14, 20))) == 0xffff);
}

TEST_CASE("virtual MAC: an IPv6 advert as a frame", "[A05+][A08+][A11+]") {
  const std::array<std::uint8_t, 4> message = {0x31, 51, 100, 1};
  const auto frame = advert_frame(virtual_mac(Family::ipv6, 51), *IpAddress::parse("fe80::1"), message);
  const std::vector<std::uint8_t> expected = {
      0x33, 0x33, 0,   0, 0, 0x12, 0,   0,   0x5e, 0, 2, 51, 0x86, 0xdd,           // Ethernet
      0x6c, 0,    0,   0, 0, 4,    112, 255,                                       // IPv6: CS6, 4 octets, hop limit
      0xfe, 0x80, 0,   0, 0, 0,    0,   0,   0,    0, 0, 0,  0,    0,    0, 1,     // from
      0xff, 0x02, 0,   0, 0, 0,    0,   0,   0,    0, 0, 0,  0,    0,    0, 0x12,  // to
      0x31, 51,   100, 1};
  CHECK(frame == expected);
}
