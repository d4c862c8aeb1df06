#include <algorithm>
#include <array>
#include <string>

#include "support/catch.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {
namespace {

/// In the order in which they are shown, the most basic first.
constexpr std::array kCauses = {
    FaultCause::interface_missing, FaultCause::interface_down, FaultCause::no_source, FaultCause::wire,
    FaultCause::preparation,       FaultCause::claim,          FaultCause::sync};

std::string sentence(FaultCause cause) { return "cause " + std::to_string(static_cast<int>(cause)); }

std::string shown(const Standing& standing) { return standing.fault() ? *standing.fault() : "fit"; }

}  // namespace

TEST_CASE("Standing is fit until a cause is set and again when it is cleared") {
  static_assert(kCauses.size() == kFaultCauses);
  for (const FaultCause cause : kCauses) {
    Standing standing(100);
    CHECK(standing.fit());
    CHECK(standing.fault() == nullptr);
    standing.set(cause, sentence(cause));
    CHECK_FALSE(standing.fit());
    CHECK(standing.has(cause));
    CHECK(shown(standing) == sentence(cause));
    standing.clear(cause);
    CHECK(standing.fit());
    CHECK_FALSE(standing.has(cause));
  }
}

TEST_CASE("Standing shows the most basic cause whatever the order in which they came") {
  std::array order = kCauses;
  do {
    Standing standing(100);
    for (const FaultCause cause : order) standing.set(cause, sentence(cause));
    for (const FaultCause cause : kCauses) {
      REQUIRE(shown(standing) == sentence(cause));
      standing.clear(cause);
    }
    REQUIRE(standing.fit());
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("Standing keeps one sentence for each cause, the last") {
  Standing standing(100);
  standing.set(FaultCause::claim, "first");
  standing.set(FaultCause::claim, "second");
  CHECK(shown(standing) == "second");
  standing.clear(FaultCause::wire);  // was not set
  CHECK(shown(standing) == "second");
  standing.clear(FaultCause::claim);
  CHECK(standing.fit());
}

TEST_CASE("Standing tells what others cause from its own") {
  Standing standing(100);
  CHECK(standing.own_fault() == nullptr);
  standing.set(FaultCause::sync, "another");
  CHECK_FALSE(standing.fit());
  CHECK(standing.own_fault() == nullptr);
  CHECK(*standing.sync_fault() == "another");
  standing.set(FaultCause::wire, "own");
  CHECK(shown(standing) == "own");
  CHECK(*standing.own_fault() == "own");
}

TEST_CASE("Standing: the sync group's priority counts if it is lower") {
  Standing standing(100);
  standing.limit_priority(99);
  CHECK(standing.effective_priority() == 99);
  CHECK(standing.own_priority() == 100);
  CHECK(standing.base_priority() == 100);
  standing.limit_priority(200);
  CHECK(standing.effective_priority() == 100);
}

TEST_CASE("B04 Standing: a fault does not change the priority", "[B04+]") {
  for (const int priority : {1, 100, 254, 255}) {
    Standing standing(static_cast<std::uint8_t>(priority));
    standing.set(FaultCause::interface_down, "interface eth0 is down");
    CHECK(standing.base_priority() == priority);
    CHECK(standing.effective_priority() == priority);
  }
}

}  // namespace vipd
