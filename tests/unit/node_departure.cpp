// Departure: how many entries are removed, and when, while a peer adds them.
#include "vipd/node/departure.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using vipd::Departure;
using vipd::Duration;
using vipd::TimePoint;

namespace {

constexpr Duration kObjectTakes = 100us;
const TimePoint kStart(100s);

}  // namespace

TEST_CASE("Departure: of a peer that is not heard, 16 objects go in four times the time that they take") {
  Departure departure(kObjectTakes, kStart);
  CHECK(departure.next() == 0);
  CHECK(departure.due() == kStart + 4 * 16 * kObjectTakes);
  departure.note_gone(16);
  CHECK(departure.next() == 16);
  CHECK(departure.due() == kStart + 2 * 4 * 16 * kObjectTakes);
}

TEST_CASE("Departure: what the peer has announced goes at once, and what stands before it") {
  Departure departure(kObjectTakes, kStart);
  departure.note_taken(40, kStart + 1ms);
  CHECK(departure.due() == TimePoint());
  departure.note_gone(16);
  departure.note_gone(32);
  CHECK(departure.due() == TimePoint());
  departure.note_gone(48);
  CHECK(departure.due() > kStart + 1ms);
}

TEST_CASE("Departure: a peer that has begun may pause for 200 ms") {
  Departure departure(kObjectTakes, kStart);
  departure.note_taken(9, kStart + 1ms);
  departure.note_gone(10);
  CHECK(departure.due() >= kStart + 201ms);
  CHECK(departure.due() <= kStart + 201ms + 4 * 16 * kObjectTakes);
}

TEST_CASE("Departure: after five seconds all goes, however slow the peer is") {
  Departure slow(1s, kStart);
  CHECK(slow.due() == kStart + 5s);
  slow.note_gone(16);
  CHECK(slow.due() == kStart + 5s);
  Departure heard(kObjectTakes, kStart);
  heard.note_taken(0, kStart + 4900ms);
  heard.note_gone(16);
  CHECK(heard.due() == kStart + 5s);
}

TEST_CASE("Departure: the peer may miss 512 announcements in a row; further on it adds in another order") {
  Departure departure(kObjectTakes, kStart);
  CHECK(departure.expected(5000) == std::pair<std::size_t, std::size_t>(0, 512));
  departure.note_taken(99, kStart);
  CHECK(departure.expected(5000) == std::pair<std::size_t, std::size_t>(100, 612));
  CHECK(departure.expected(300) == std::pair<std::size_t, std::size_t>(100, 300));
}

TEST_CASE("Departure: without a peer objects go in turns without a pause, and no announcement counts") {
  Departure departure;
  CHECK(departure.due() == TimePoint());
  const auto [from, to] = departure.expected(5000);
  CHECK(from == to);
  departure.note_gone(16);
  CHECK(departure.due() == TimePoint());
}

TEST_CASE("Departure: entries that are others begin to go again, at the pace of before") {
  Departure departure(kObjectTakes, kStart);
  departure.note_taken(40, kStart);
  departure.note_gone(32);
  departure.begin_again();
  CHECK(departure.next() == 0);
  CHECK(departure.expected(100).first == 0);
  CHECK(departure.due() > kStart);
}
