// vipd beside programs that it was not written together with.
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

TEST_CASE("interop: FRR, version 3, IPv4", "[interop]") {
  require_all(cells_of(Foreign::frr, {.family = Family::ipv4}));
}

TEST_CASE("interop: FRR, version 3, IPv6", "[interop]") {
  require_all(cells_of(Foreign::frr, {.family = Family::ipv6}));
}
