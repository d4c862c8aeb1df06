// Contender: another node that is Active while this router is.
#include "vipd/node/contender.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using vipd::Contender;
using vipd::IpAddress;
using vipd::Peer;
using vipd::TimePoint;

namespace {

const Peer kPeer{.address = *IpAddress::parse("192.0.2.2"), .priority = 100};
const TimePoint kStart(100s);

}  // namespace

TEST_CASE("Contender: it has gone when it was silent for two intervals, and its sentence says how long it was there") {
  Contender contender;
  CHECK(contender.gone_at(1s) == vipd::kNever);
  contender.heard(kPeer, 1s, kStart);
  contender.heard(kPeer, 1s, kStart + 1500ms);
  CHECK(contender.gone_at(1s) == kStart + 3500ms);
  const Contender::Gone gone = contender.take(kStart + 3500ms);
  CHECK(gone.sentence == "192.0.2.2 (priority 100) was Active, too, for 1.5s");
  CHECK(gone.is_told_now);
  CHECK(contender.gone_at(1s) == vipd::kNever);
}

TEST_CASE("Contender: one that does not give way for three intervals is told, once") {
  Contender contender;
  for (auto after = 0s; after <= 3s; after += 1s) CHECK_FALSE(contender.heard(kPeer, 1s, kStart + after));
  const auto warning = contender.heard(kPeer, 1s, kStart + 4s);
  REQUIRE(warning);
  CHECK(warning->starts_with("192.0.2.2 (priority 100) is Active, too, for 4s, and does not give way"));
  CHECK_FALSE(contender.heard(kPeer, 1s, kStart + 5s));
}

TEST_CASE("Contender: a priority 0 ends it by name, and does not replace the priority that it had") {
  Contender contender;
  contender.heard(kPeer, 1s, kStart);
  contender.heard({kPeer.address, 0}, 1s, kStart + 1s);
  CHECK(contender.take(kStart + 3s).sentence == "192.0.2.2 (priority 100) was Active, too, for 1s");
  contender.heard({kPeer.address, 0}, 1s, kStart + 90s);
  CHECK(contender.take(kStart + 95s).sentence == "192.0.2.2 was Active, too, and has resigned (priority 0)");
}

TEST_CASE("Contender: forged adverts make one go no more often than each five seconds, and one line a minute") {
  Contender contender;
  contender.heard(kPeer, 100ms, kStart);
  CHECK(contender.take(kStart + 200ms).is_told_now);
  contender.heard(kPeer, 100ms, kStart + 300ms);
  CHECK(contender.gone_at(100ms) == kStart + 5200ms);
  CHECK_FALSE(contender.take(kStart + 5200ms).is_told_now);
}
