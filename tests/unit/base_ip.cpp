#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/dies.hpp"
#include "vipd/base/ip.hpp"

namespace vipd {
namespace {

using testing::dies;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

}  // namespace

TEST_CASE("IpAddress parses and prints both families") {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "fe80::1", "2001:db8::1:0:0:1",
                           "ff02::12", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"})
    CHECK(ip(text).to_string() == text);
  CHECK(ip("2001:0DB8:0:0:0:0:0:1").to_string() == "2001:db8::1");
  CHECK(ip("192.0.2.1").family() == Family::ipv4);
  CHECK(ip("::192.0.2.1").family() == Family::ipv6);
}

TEST_CASE("IpAddress refuses what is not an address alone") {
  for (const char* text :
       {"", " ", "192.0.2", "192.0.2.1.", "192.0.2.256", "192.0.2.1/24", " 192.0.2.1", "192.0.2.1 ", "0x7f.0.0.1",
        "192.0.2.01", "fe80::1%eth0", "2001:db8::1/64", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::1", "host"}) {
    INFO("'" << text << "'");
    CHECK_FALSE(IpAddress::parse(text).has_value());
  }
  CHECK_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0", 10)).has_value());
}

TEST_CASE("IpAddress parses a view that has no end of its own") {
  const std::string_view text = "192.0.2.123";
  CHECK(IpAddress::parse(text.substr(0, 9)) == ip("192.0.2.1"));
}

TEST_CASE("IpAddress keeps octets in network order") {
  const std::array<std::uint8_t, 4> octets = {192, 0, 2, 1};
  const IpAddress address(Family::ipv4, octets);
  CHECK(address == ip("192.0.2.1"));
  CHECK(std::ranges::equal(address.octets(), octets));
  CHECK(ip("fe80::12").octets().size() == 16);
  CHECK(ip("fe80::12").octets()[15] == 0x12);
}

TEST_CASE("IpAddress of a wrong number of octets is a bug") {
  const std::array<std::uint8_t, 16> octets{};
  CHECK(dies([&] { IpAddress(Family::ipv4, octets); }));
  CHECK(dies([&] { IpAddress(Family::ipv6, std::span(octets).first(4)); }));
  CHECK_FALSE(dies([&] { IpAddress(Family::ipv6, octets); }));
}

TEST_CASE("IpAddress orders families first and then unsigned numbers in network order", "[C18+]") {
  const std::vector<IpAddress> ascending = {
      ip("0.0.0.0"), ip("10.0.0.9"), ip("10.0.0.10"), ip("127.255.255.255"), ip("128.0.0.0"), ip("255.255.255.255"),
      ip("::"),      ip("fe80::9"),  ip("fe80::10"),  ip("fe80::8000"),      ip("ff02::1")};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(ascending[i].to_string() << " against " << ascending[j].to_string());
      CHECK((ascending[i] < ascending[j]) == (i < j));
      CHECK((ascending[i] == ascending[j]) == (i == j));
    }
}

TEST_CASE("IpAddress knows the unspecified address of both families") {
  CHECK(IpAddress().is_unspecified());
  CHECK(ip("::").is_unspecified());
  CHECK_FALSE(ip("0.0.0.1").is_unspecified());
  CHECK_FALSE(ip("::1").is_unspecified());
}

TEST_CASE("IpAddress knows loopback addresses") {
  for (const char* text : {"127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"}) CHECK(ip(text).is_loopback());
  for (const char* text : {"126.255.255.255", "128.0.0.0", "::", "::2", "1::1", "::1:1"})
    CHECK_FALSE(ip(text).is_loopback());
}

TEST_CASE("IpAddress knows multicast and broadcast addresses") {
  for (const char* text : {"224.0.0.0", "224.0.0.18", "239.255.255.255", "ff00::", "ff02::12"})
    CHECK(ip(text).is_multicast());
  for (const char* text : {"223.255.255.255", "240.0.0.0", "255.255.255.255", "fe80::1", "::ff02"})
    CHECK_FALSE(ip(text).is_multicast());
  CHECK(ip("255.255.255.255").is_broadcast());
  for (const char* text : {"255.255.255.254", "0.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    CHECK_FALSE(ip(text).is_broadcast());
}

TEST_CASE("IpAddress knows link-local addresses") {
  for (const char* text : {"169.254.0.0", "169.254.255.255", "fe80::", "fe80::1", "febf:ffff::1"})
    CHECK(ip(text).is_link_local());
  for (const char* text : {"169.253.255.255", "169.255.0.0", "fe7f:ffff::", "fec0::1", "ff02::1", "::fe80"})
    CHECK_FALSE(ip(text).is_link_local());
}

TEST_CASE("prefixes and hardware addresses print as ip(8) does") {
  CHECK(IpPrefix{ip("192.0.2.10"), 24}.to_string() == "192.0.2.10/24");
  CHECK(IpPrefix{ip("2001:db8::10"), 64}.to_string() == "2001:db8::10/64");
  CHECK(MacAddress{{0x00, 0x00, 0x5e, 0x00, 0x01, 0xff}}.to_string() == "00:00:5e:00:01:ff");
  CHECK(IpPrefix{ip("192.0.2.10"), 24} != IpPrefix{ip("192.0.2.10"), 32});
}

TEST_CASE("a prefix contains the addresses of its subnet") {
  const auto contains = [](const char* address, int length, const char* other) {
    return IpPrefix{ip(address), static_cast<std::uint8_t>(length)}.contains(ip(other));
  };
  CHECK(contains("192.0.2.10", 24, "192.0.2.255"));
  CHECK_FALSE(contains("192.0.2.10", 24, "192.0.3.10"));
  CHECK(contains("192.0.2.129", 25, "192.0.2.200"));
  CHECK_FALSE(contains("192.0.2.129", 25, "192.0.2.127"));
  CHECK(contains("192.0.2.10", 32, "192.0.2.10"));
  CHECK_FALSE(contains("192.0.2.10", 32, "192.0.2.11"));
  CHECK(contains("192.0.2.10", 0, "203.0.113.1"));
  CHECK_FALSE(contains("192.0.2.10", 0, "2001:db8::1"));
  CHECK(contains("2001:db8::1", 63, "2001:db8:0:1::9"));
  CHECK_FALSE(contains("2001:db8::1", 64, "2001:db8:0:1::9"));
  CHECK(contains("2001:db8::1", 128, "2001:db8::1"));
}

TEST_CASE("families have names and groups") {
  CHECK(to_string(Family::ipv4) == "ipv4");
  CHECK(to_string(Family::ipv6) == "ipv6");
  CHECK(vrrp_group(Family::ipv4) == ip("224.0.0.18"));
  CHECK(vrrp_group(Family::ipv6) == ip("ff02::12"));
}

}  // namespace vipd
