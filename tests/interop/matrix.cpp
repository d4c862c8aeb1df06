// vipd beside keepalived and FRR.
#include <fstream>

#include "cells.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

void require_all(const std::vector<Cell>& cells) {
  std::string failures;
  for (const auto& failure : run_cells(cells)) failures += failure + "\n";
  CAPTURE(failures);
  REQUIRE(failures.empty());
}

}  // namespace

TEST_CASE("interop: keepalived, version 3, IPv4, multicast", "[interop]") {
  require_all(cells_of(Foreign::keepalived, {.family = Family::ipv4}));
}

TEST_CASE("interop: keepalived, version 3, IPv6, multicast", "[interop]") {
  require_all(cells_of(Foreign::keepalived, {.family = Family::ipv6}));
}

TEST_CASE("interop: keepalived, version 3, IPv4, unicast", "[interop]") {
  require_all(cells_of(Foreign::keepalived, {.family = Family::ipv4, .unicast = true}));
}

TEST_CASE("interop: keepalived, version 3, IPv6, unicast", "[interop]") {
  require_all(cells_of(Foreign::keepalived, {.family = Family::ipv6, .unicast = true}));
}

TEST_CASE("interop: keepalived, version 2, multicast and unicast", "[interop]") {
  auto cells = cells_of(Foreign::keepalived, {.version = 2, .interval = 1s});
  const auto unicast = cells_of(Foreign::keepalived, {.version = 2, .unicast = true, .interval = 1s});
  cells.insert(cells.end(), unicast.begin(), unicast.end());
  require_all(cells);
}

TEST_CASE("interop: FRR, version 3, IPv4", "[interop]") {
  require_all(cells_of(Foreign::frr, {.family = Family::ipv4}));
}

TEST_CASE("interop: FRR, version 3, IPv6", "[interop]") {
  require_all(cells_of(Foreign::frr, {.family = Family::ipv6}));
}

TEST_CASE("interop: keepalived, as little configured on both sides as they take", "[interop][B09+][B09-]") {
  Lab lab;
  Node &ours = lab.add_node("ours", 1), &theirs = lab.add_node("theirs", 2);
  const AddressMonitor monitor(ours);
  lab.drop("ip protocol 112");
  ours.start_vipd("[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n");
  std::ofstream(theirs.directory() / "keepalived.conf")
      << "global_defs {\n vrrp_version 3\n}\nvrrp_instance web {\n interface eth0\n virtual_router_id 51\n"
         " virtual_ipaddress {\n  192.0.2.10/24\n }\n}\n";
  Sniffer sniffer(ours);
  Keepalived keepalived(theirs, ours, {.interval = 1s}, 100);
  keepalived.start_as_configured();
  REQUIRE(wait_until(10s, [&] { return ours.has("192.0.2.10") && keepalived.holds(); }));
  lab.drop_nothing();  // at equal priorities the greater address wins, which is theirs
  REQUIRE(wait_until(10s, [&] { return sniffer.adverts_from("192.0.2.2").size() >= 3; }));
  const WallTime first = time_of(sniffer.adverts_from("192.0.2.2").front());
  const Duration both = moment_of(monitor, "192.0.2.10", false, first) - first;
  measured("both hold it with default settings, after the first advert of keepalived", both);
  REQUIRE(both <= 2s + kSlack);
  REQUIRE(keepalived.holds());
  REQUIRE(ours.state() == "backup");
  REQUIRE(ours.instance().at("counters").at("adverts_refused").empty());
  REQUIRE(keepalived.log().find("checksum") == std::string::npos);
}
