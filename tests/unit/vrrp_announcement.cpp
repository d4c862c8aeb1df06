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

namespace {

constexpr vipd::MacAddress kSender{{2, 0, 0, 0, 0, 9}};

std::span<const std::uint8_t> icmp_of(std::span<const std::uint8_t> frame) { return frame.subspan(14 + 40); }

}  // namespace

TEST_CASE("F28: what a gratuitous ARP and an unsolicited advertisement claim is read back") {
  const vipd::IpAddress ipv4 = *vipd::IpAddress::parse("192.0.2.10"), ipv6 = *vipd::IpAddress::parse("2001:db8::10");
  using vipd::ArpForm;
  for (const auto form : {ArpForm::request, ArpForm::reply})
    CHECK(vipd::claim_in_arp(vipd::gratuitous_arp(kSender, ipv4, form)) == vipd::AddressClaim{ipv4, kSender});
  const auto advertisement = vipd::unsolicited_na(kSender, ipv6, true);
  CHECK(vipd::claim_in_advertisement(icmp_of(advertisement), 255) == vipd::AddressClaim{ipv6, kSender});
  CHECK_FALSE(vipd::claim_in_advertisement(icmp_of(advertisement), 254));  // from beyond a router
}

TEST_CASE("F28: probes claim nothing, and what is cut off or something else is no claim") {
  const vipd::IpAddress ipv4 = *vipd::IpAddress::parse("192.0.2.10"), ipv6 = *vipd::IpAddress::parse("2001:db8::10");
  CHECK_FALSE(vipd::claim_in_arp(vipd::arp_probe(kSender, ipv4)));
  CHECK_FALSE(vipd::claim_in_advertisement(icmp_of(vipd::neighbour_probe(kSender, ipv6)), 255));
  const auto arp = vipd::gratuitous_arp(kSender, ipv4);
  for (std::size_t size = 0; size < arp.size(); ++size) CHECK_FALSE(vipd::claim_in_arp(std::span(arp).first(size)));
  for (const std::size_t at : {12, 14, 16, 18, 19}) {
    auto other = arp;
    ++other[at];
    CHECK_FALSE(vipd::claim_in_arp(other));
  }
  const auto message = vipd::unsolicited_na(kSender, ipv6, false);
  for (std::size_t size = 0; size < 32; ++size)
    CHECK_FALSE(vipd::claim_in_advertisement(icmp_of(message).first(size), 255));
  auto option = message;
  option[14 + 40 + 25] = 0;  // length zero: a careless reader would never end
  CHECK_FALSE(vipd::claim_in_advertisement(icmp_of(option), 255));
  option[14 + 40 + 25] = 1;
  option[14 + 40 + 24] = 1;  // the source's link-layer address
  CHECK_FALSE(vipd::claim_in_advertisement(icmp_of(option), 255));
}

TEST_CASE("F11: a neighbour probe asks the solicited-node group, with a good checksum") {
  const vipd::IpAddress address = *vipd::IpAddress::parse("2001:db8::12:3456");
  const auto frame = vipd::neighbour_probe(kSender, address);
  const auto group = *vipd::IpAddress::parse("ff02::1:ff12:3456"), nobody = *vipd::IpAddress::parse("::");
  CHECK(vipd::IpAddress(vipd::Family::ipv6, std::span(frame).subspan(14 + 24, 16)) == group);
  CHECK(frame[2] == 0xff);
  const auto message = icmp_of(frame);
  const auto sum = vipd::checksum_add(vipd::checksum_pseudo_header(nobody, group, 58, message.size()), message);
  CHECK(vipd::checksum_fold(sum) == 0xffff);
}
