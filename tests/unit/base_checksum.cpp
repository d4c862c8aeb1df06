#include <array>
#include <vector>

#include "support/catch.hpp"
#include "vipd/base/ip.hpp"

namespace vipd {
namespace {

using Octets = std::vector<std::uint8_t>;

std::uint16_t sum_of(const Octets& octets) { return checksum_fold(checksum_add(0, octets)); }

}  // namespace

TEST_CASE("checksum of the example in RFC 1071", "[B11+]") {
  CHECK(sum_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}) == 0xddf2);
}

TEST_CASE("checksum pads an odd octet with zero behind it") {
  CHECK(sum_of({}) == 0);
  CHECK(sum_of({0x12}) == 0x1200);
  CHECK(sum_of({0x12, 0x34, 0x56}) == 0x1234 + 0x5600);
  for (std::size_t size = 1; size < 32; size += 2) {
    Octets odd(size, 0xa5);
    Octets even = odd;
    even.push_back(0);
    CHECK(sum_of(odd) == sum_of(even));
  }
}

TEST_CASE("checksum goes on from a sum") {
  const Octets all = {0x31, 0x33, 0x64, 0x01, 0x00, 0x64};
  const std::uint32_t first = checksum_add(0, std::span(all).first(4));
  CHECK(checksum_add(first, std::span(all).last(2)) == checksum_add(0, all));
}

TEST_CASE("checksum folds every carry") {
  CHECK(checksum_fold(0) == 0);
  CHECK(checksum_fold(0xffff) == 0xffff);
  CHECK(checksum_fold(0x10000) == 1);
  CHECK(checksum_fold(0x1ffff) == 1);  // the first fold leaves 0x10000
  CHECK(checksum_fold(0xffffffff) == 0xffff);
}

TEST_CASE("checksum holds the largest datagram") {
  CHECK(sum_of(Octets(65535, 0xff)) == 0xff00);  // 32767 words of 0xffff add nothing, 0xff00 is left
  CHECK(sum_of(Octets(65534, 0xff)) == 0xffff);
}

TEST_CASE("checksum of the pseudo-header of IPv4") {
  const auto source = IpAddress::parse("192.0.2.1").value();
  const auto group = vrrp_group(Family::ipv4);
  const std::uint32_t sum = checksum_pseudo_header(source, group, kVrrpProtocol, 12);
  CHECK(checksum_fold(sum) == checksum_fold(0xc000 + 0x0201 + 0xe000 + 0x0012 + 112 + 12));
}

TEST_CASE("checksum of the pseudo-header of IPv6 has a length of 32 bits", "[B10+]") {
  const auto source = IpAddress::parse("fe80::1").value();
  const auto group = vrrp_group(Family::ipv6);
  const std::uint32_t sum = checksum_pseudo_header(source, group, 58, 0x12345);
  CHECK(checksum_fold(sum) == checksum_fold(0xfe80 + 1 + 0xff02 + 0x12 + 0x1 + 0x2345 + 58));
}

}  // namespace vipd
