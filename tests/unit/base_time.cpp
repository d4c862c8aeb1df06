#include <limits>
#include <string>

#include "support/catch.hpp"
#include "vipd/base/time.hpp"

namespace vipd {
namespace {

using namespace std::chrono_literals;

struct DurationRow {
  Duration duration;
  const char* text;
};

constexpr DurationRow kDurations[] = {
    {0ns, "0ms"},
    {1ms, "1ms"},
    {250ms, "250ms"},
    {999ms, "999ms"},
    {499us, "0ms"},
    {501us, "1ms"},
    {999'600us, "1s"},
    {1s, "1s"},
    {3'609'375us, "3.609s"},
    {3'610ms, "3.61s"},
    {10s, "10s"},
    {59'999ms, "59.999s"},
    {59'999'600us, "1min"},
    {1min, "1min"},
    {125s, "2min 5s"},
    {59min + 59s, "59min 59s"},
    {1h, "1h"},
    {25h + 59min, "1d 1h"},
    {24h * 365, "365d"},
    {-250ms, "-250ms"},
    {-1'500ms, "-1.5s"},
    {-125s, "-2min 5s"},
};

std::string at(std::chrono::milliseconds since_epoch) {
  return format_rfc3339(std::chrono::system_clock::time_point(since_epoch));
}

}  // namespace

TEST_CASE("format_duration is short and rounds to a millisecond") {
  for (const DurationRow& row : kDurations) {
    INFO(row.duration.count() << " ns");
    CHECK(format_duration(row.duration) == row.text);
  }
}

TEST_CASE("format_duration of less than half a millisecond before zero has no sign") {
  CHECK(format_duration(-400us) == "0ms");
}

TEST_CASE("format_duration takes the longest duration") { CHECK(format_duration(Duration::max()) == "106751d 23h"); }

TEST_CASE("format_rfc3339 is UTC with milliseconds") {
  CHECK(at(0ms) == "1970-01-01T00:00:00.000Z");
  CHECK(at(1'795'387'923'123ms) == "2026-11-22T22:52:03.123Z");
  CHECK(at(951'782'400'007ms) == "2000-02-29T00:00:00.007Z");
}

TEST_CASE("format_rfc3339 cuts what is finer so that no moment is shown before it has come") {
  const auto almost = std::chrono::system_clock::time_point(999'999us);
  CHECK(format_rfc3339(almost) == "1970-01-01T00:00:00.999Z");
}

TEST_CASE("centiseconds become durations without loss") {
  CHECK(Duration(Centiseconds(1)) == 10ms);
  CHECK(Duration(Centiseconds(4095)) == 40'950ms);
}

TEST_CASE("never is behind every moment") { CHECK(kNever > TimePoint(24h * 365 * 200)); }

}  // namespace vipd
