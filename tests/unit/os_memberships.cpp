#include "vipd/os/memberships.hpp"

#include <bit>
#include <sstream>

#include "support/catch.hpp"

using namespace vipd;

namespace {

std::set<int> read(const std::string& text, Family family) {
  std::istringstream file(text);
  return read_members(file, family);
}

const std::string kGroup = std::endian::native == std::endian::little ? "120000E0" : "E0000012";

}  // namespace

TEST_CASE("memberships: /proc/net/igmp names each interface once and its groups below") {
  const std::string text =
      "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
      "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
      "2\teth0      :     2      V3\n\t\t\t\t" +
      kGroup +
      "     1 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
      "17\tbr0.100   :     1      V2\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\t\t\t\t" +
      kGroup + "     2 0:00000000\t\t0\n";
  CHECK(read(text, Family::ipv4) == std::set{2, 17});
}

TEST_CASE("memberships: /proc/net/igmp6 has a line for each interface and group") {
  const std::string text =
      "2    eth0            ff020000000000000000000000000012     1 0000000C 0\n"
      "2    eth0            ff020000000000000000000000000001     1 0000000C 0\n"
      "3    eth1            ff020000000000000000000000000001     1 0000000C 0\n"
      "1234 a-long-name-123 ff020000000000000000000000000012     1 0000000C 0\n";
  CHECK(read(text, Family::ipv6) == std::set{2, 1234});
}

TEST_CASE("memberships: what makes no sense is passed over") {
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const std::string& text :
         {std::string(), std::string("\n\n\t\n"), "\t\t\t\t" + kGroup + "\n", "x eth0\n\t" + kGroup + "\n",
          std::string("99999999999999999999 eth0 ff020000000000000000000000000012\n"), std::string("2 eth0"),
          "2 eth0\n\t" + kGroup + "F\n", std::string(100'000, '\t')})
      CHECK(read(text, family).empty());
}
