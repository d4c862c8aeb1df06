#include "vipd/ctl/text.hpp"

#include <ctime>

#include "support/catch.hpp"

using namespace vipd;
using namespace std::chrono_literals;

namespace {

std::int64_t milliseconds_of(const std::string& text) {
  const auto time = parse_rfc3339(text);
  return time ? std::chrono::floor<std::chrono::milliseconds>(time->time_since_epoch()).count() : -1;
}

}  // namespace

TEST_CASE("terminal_safe: plain text of any language stays as it is") {
  for (const char* text : {"", "web", "no advert for 3.008s", "Z\u00fcrich \u2192 \u6771\u4eac \U0001f600", "a\\b"})
    CHECK(terminal_safe(text) == text);
}

TEST_CASE("terminal_safe: what moves a cursor or hides a text is written out") {
  CHECK(terminal_safe("a\x1b[2J\r\n\tb") == "a\\x1b[2J\\x0d\\x0a\\x09b");
  CHECK(terminal_safe(std::string_view("\0", 1)) == "\\x00");
  CHECK(terminal_safe("\x7f") == "\\x7f");
  CHECK(terminal_safe("\u009b31m") == "\\x9b31m");  // CSI as a single character
  CHECK(terminal_safe("\u202etxt") == "\\u202etxt");
  CHECK(terminal_safe("\u2028\u200b\ufeff") == "\\u2028\\u200b\\ufeff");
}

TEST_CASE("terminal_safe: invalid UTF-8 is written out octet by octet") {
  CHECK(terminal_safe("a\xff") == "a\\xff");
  CHECK(terminal_safe("\x9b") == "\\x9b");
  CHECK(terminal_safe("\xc3") == "\\xc3");                    // cut off
  CHECK(terminal_safe("\xc3(") == "\\xc3(");                  // not continued
  CHECK(terminal_safe("\xe0\x80\x9b") == "\\xe0\\x80\\x9b");  // longer than needed
  CHECK(terminal_safe("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(terminal_safe("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("parse_rfc3339: times with fractions and zones") {
  CHECK(milliseconds_of("1970-01-01T00:00:00Z") == 0);
  CHECK(milliseconds_of("2026-11-22T22:52:03.123Z") == 1795387923123);
  CHECK(milliseconds_of("2026-11-22T22:52:03.1Z") == 1795387923100);
  CHECK(milliseconds_of("2026-11-22T22:52:03.123456789Z") == 1795387923123);
  CHECK(milliseconds_of("2026-11-22T23:52:03+01:00") == 1795387923000);
  CHECK(milliseconds_of("2026-11-22T17:22:03-05:30") == 1795387923000);
}

TEST_CASE("parse_rfc3339: anything else is no time") {
  for (const char* text :
       {"", "now", "2026-11-22", "2026-11-22T22:52:03", "2026-11-22T22:52:03Zx", "2026-13-22T22:52:03Z",
        "2026-11-22T22:52:03+1:00", "2026-11-22T22:52:03+-1:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"})
    CHECK_FALSE(parse_rfc3339(text));
}

TEST_CASE("local_time: in the zone of the environment, the date where it is not today") {
  setenv("TZ", "UTC-1", 1);  // POSIX counts to the west: an hour ahead of UTC
  tzset();
  const auto time = *parse_rfc3339("2026-11-22T22:52:03.007Z");
  CHECK(local_time(time) == "2026-11-22 23:52:03.007");
  CHECK(short_local_time(time, {.now = time + 5min}) == "23:52:03");
  CHECK(short_local_time(time, {.now = time + 10min}) == "2026-11-22 23:52:03");
  unsetenv("TZ");
  tzset();
}

TEST_CASE("padded: counts characters") {
  CHECK(padded("web", 5) == "web  ");
  CHECK(padded("w\u00e9b", 5) == "w\u00e9b  ");
  CHECK(padded("website", 5) == "website");
}

TEST_CASE("paint: only on a display with colour") {
  CHECK(paint({.now = {}, .colour = false}, Emphasis::bad, "FAULT") == "FAULT");
  CHECK(paint({.now = {}, .colour = true}, Emphasis::plain, "x") == "x");
  CHECK(paint({.now = {}, .colour = true}, Emphasis::bad, "FAULT") == "\033[1;31mFAULT\033[0m");
}
