#include <algorithm>
#include <array>
#include <string>

#include "support/catch.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {
namespace {

/// All causes in the order in which they are shown, the most basic first.
constexpr std::array kCauses = {FaultCause::interface_missing,
                                FaultCause::interface_down,
                                FaultCause::no_source,
                                FaultCause::wire,
                                FaultCause::sending,
                                FaultCause::preparation,
                                FaultCause::claim,
                                FaultCause::check,
                                FaultCause::sync};

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
  standing.clear(FaultCause::wire);  // this cause was not set
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

TEST_CASE("Standing: the sync group's priority counts if it is lower, and it is unfit as a whole") {
  Standing standing(100);
  standing.share(99, std::nullopt);
  CHECK(standing.effective_priority() == 99);
  CHECK(standing.own_priority() == 100);
  CHECK(standing.base_priority() == 100);
  standing.share(200, std::nullopt);
  CHECK(standing.effective_priority() == 100);
  standing.share(1, "another is unfit");
  CHECK(standing.effective_priority() == 1);
  CHECK(*standing.unfit() == "another is unfit");
  CHECK(standing.own_unfit() == nullptr);
  CHECK(standing.own_priority() == 100);
  standing.set_health({.unfit = "own"});
  CHECK(*standing.unfit() == "own");
  standing.set_health({});
  standing.share(100, std::nullopt);
  CHECK(standing.fit());
  CHECK(standing.effective_priority() == 100);
}

TEST_CASE("Standing: unfit is priority 1 and no fault, and a fault is not unfit") {
  Standing standing(254);
  standing.set_health({.unfit = "check haproxy failed", .weight = 50});
  CHECK_FALSE(standing.fit());
  CHECK(standing.fault() == nullptr);
  CHECK(*standing.unfit() == "check haproxy failed");
  CHECK(standing.effective_priority() == 1);
  CHECK(standing.base_priority() == 254);
  standing.set_health({.fault = "check disk failed"});
  CHECK(standing.unfit() == nullptr);
  CHECK(*standing.fault() == "check disk failed");
  CHECK(*standing.own_fault() == "check disk failed");
  CHECK(standing.effective_priority() == 254);
  standing.set_health({});
  CHECK(standing.fit());
}

TEST_CASE("B04 Standing: weights neither reach 255 nor what the unfit have", "[B04+][B04-]") {
  const auto with_weight = [](std::uint8_t base, int weight) {
    Standing standing(base);
    standing.set_health({.weight = weight});
    return int(standing.effective_priority());
  };
  CHECK(with_weight(100, 20) == 120);
  CHECK(with_weight(100, -20) == 80);
  CHECK(with_weight(250, 253) == 254);
  CHECK(with_weight(100, -253) == 2);
  CHECK(with_weight(1, -5) == 1);
  CHECK(with_weight(1, 5) == 6);
  CHECK(with_weight(255, -100) == 255);
}

TEST_CASE("B04 Standing: an owner is never unfit: it is in fault", "[B04+][B04-]") {
  Standing standing(255);
  standing.set_health({.unfit = "check haproxy failed"});
  CHECK(standing.unfit() == nullptr);
  CHECK(*standing.fault() == "check haproxy failed");
  CHECK(standing.effective_priority() == 255);
  standing.set_base_priority(254);
  CHECK(standing.fault() == nullptr);
  CHECK(*standing.unfit() == "check haproxy failed");
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
