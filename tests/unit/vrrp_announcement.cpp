#include <algorithm>

#include "support/catch.hpp"
#include "support/dies.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd {
namespace {

using testing::dies;

constexpr MacAddress kMac{{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};

}  // namespace

TEST_CASE("unsolicited NA: the checksum is right whatever the flag and the address", "[C03+]") {
  for (const char* text : {"fe80::1", "2001:db8::ffff", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    for (const bool router : {false, true}) {
      const IpAddress address = IpAddress::parse(text).value();
      const auto frame = unsolicited_na(kMac, address, router);
      const std::span<const std::uint8_t> message = std::span(frame).last(32);
      const IpAddress all_nodes = IpAddress::parse("ff02::1").value();
      const std::uint32_t sum = checksum_add(checksum_pseudo_header(address, all_nodes, 58, 32), message);
      CHECK(checksum_fold(sum) == 0xffff);
      CHECK(message[4] == (router ? 0xa0 : 0x20));
    }
  }
}

TEST_CASE("announcements of the other family are a bug") {
  const IpAddress ipv4 = IpAddress::parse("192.0.2.10").value();
  const IpAddress ipv6 = IpAddress::parse("fe80::10").value();
  CHECK(dies([&] { gratuitous_arp(kMac, ipv6); }));
  CHECK(dies([&] { unsolicited_na(kMac, ipv4, true); }));
  CHECK_FALSE(dies([&] { gratuitous_arp(kMac, ipv4); }));
}

}  // namespace vipd

TEST_CASE("announcement: the reply form differs in the operation and in the target's MAC", "[C02+]") {
  const vipd::MacAddress mac{{2, 0, 0, 0, 0, 1}};
  const vipd::IpAddress address = *vipd::IpAddress::parse("192.0.2.10");
  auto expected = vipd::gratuitous_arp(mac, address);
  const auto reply = vipd::gratuitous_arp(mac, address, vipd::ArpForm::reply);
  expected[21] = 2;
  std::ranges::copy(mac.octets, expected.begin() + 32);
  CHECK(reply == expected);
}
