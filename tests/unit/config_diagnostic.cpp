#include <string>

#include "support/catch.hpp"
#include "support/render.hpp"
#include "vipd/config/diagnostic.hpp"
#include "vipd/config/text.hpp"

using namespace vipd;
using vipd::test::render;

namespace {

Diagnostic make(int line, int column, int width) {
  Diagnostic diagnostic;
  diagnostic.kind = "range";
  diagnostic.line = line;
  diagnostic.column = column;
  diagnostic.width = width;
  diagnostic.message = "no good";
  return diagnostic;
}

}  // namespace

TEST_CASE("render: head, source line, caret, other place and hint", "[config][render]") {
  Diagnostic diagnostic = make(2, 8, 3);
  diagnostic.related = Place{};
  diagnostic.hint = "use 1";
  CHECK(render({diagnostic}, "vipd.toml", "a = 1\nvrid = 256 # x\n", false) ==
        "vipd.toml:2:8: error[range]: no good\n"
        "  2 | vrid = 256 # x\n"
        "    |        ^~~\n"
        "  other place: line 1\n"
        "  hint: use 1\n");
}

TEST_CASE("render: the caret stands under its character", "[config][render]") {
  CHECK(render({make(1, 3, 1)}, "f", "\t\tx", false) == "f:1:3: error[range]: no good\n  1 | \t\tx\n    | \t\t^\n");
  CHECK(render({make(1, 3, 2)}, "f", "éü=1", false) == "f:1:3: error[range]: no good\n  1 | éü=1\n    |   ^~\n");
  CHECK(render({make(10, 1, 9)}, "f", "\n\n\n\n\n\n\n\n\nab\r\n", false) ==
        "f:10:1: error[range]: no good\n  10 | ab\n     | ^~\n");
  CHECK(render({make(1, 5, 1)}, "f", "abcd", false) == "f:1:5: error[range]: no good\n  1 | abcd\n    |     ^\n");
}

TEST_CASE("render: a warning says so, colours are there only on request", "[config][render]") {
  Diagnostic diagnostic = make(1, 1, 1);
  diagnostic.severity = Severity::warning;
  CHECK(render({diagnostic}, "f", "x", false).starts_with("f:1:1: warning[range]: "));
  CHECK(render({diagnostic}, "f", "x", false).find('\033') == std::string::npos);
  CHECK(render({diagnostic}, "f", "x", true).find('\033') != std::string::npos);
}

TEST_CASE("render: nothing of the file can control the terminal", "[config][render]") {
  const std::string text = "a = \x1b[2J \x07 \xff \xc2\x9b x";
  const std::string shown = render({make(1, 5, 1)}, "na\x1bme", text, false);
  CHECK(shown.find('\x1b') == std::string::npos);
  CHECK(shown.find('\x07') == std::string::npos);
  CHECK(shown.find('\xff') == std::string::npos);
  CHECK(shown.find("\xc2\x9b") == std::string::npos);
}

TEST_CASE("render: a line that is far too long is cut around the caret", "[config][render]") {
  std::string text(200'001, 'a');
  text[100'000] = 'X';
  const std::string shown = render({make(1, 100'001, 1)}, "f", text, false);
  CHECK(shown.size() < 1000);
  const std::size_t source = shown.find("| a"), caret = shown.find('^');
  const std::size_t source_start = source + 2, caret_start = shown.rfind("| ") + 2;
  CHECK(shown.find('X') - source_start == caret - caret_start);
}

TEST_CASE("render: places beyond the file do no harm", "[config][render]") {
  CHECK(render({make(1, 1, 1)}, "f", "", false) == "f:1:1: error[range]: no good\n  1 | \n    | ^\n");
  CHECK(render({make(9, 9, 9)}, "f", "x", false) == "f:9:9: error[range]: no good\n");
  CHECK_FALSE(render({make(1, 1'000'000'000, 1'000'000'000)}, "f", "x", false).empty());
}

TEST_CASE("text: places count characters", "[config][text]") {
  CHECK(place_at("ab\ncdé f", 7, 1) == Place{2, 4, 1});
  CHECK(place_at("ab\ncd", 3, 100) == Place{2, 1, 2});
  CHECK(place_at("ab", 2, 1) == Place{1, 3, 1});
  CHECK(count_scalars("é\xff\xe2\x82") == 4);
}

TEST_CASE("text: UTF-8 as Unicode defines it", "[config][text]") {
  CHECK(utf8_sequence("a", 0) == 1);
  CHECK(utf8_sequence("\xc3\xa9", 0) == 2);
  CHECK(utf8_sequence("\xf0\x9f\x98\x80", 0) == 4);
  CHECK(utf8_sequence("\xc0\x80", 0) == 0);          // overlong
  CHECK(utf8_sequence("\xe0\x80\x80", 0) == 0);      // overlong
  CHECK(utf8_sequence("\xed\xa0\x80", 0) == 0);      // surrogate
  CHECK(utf8_sequence("\xf4\x90\x80\x80", 0) == 0);  // beyond U+10FFFF
  CHECK(utf8_sequence("\xe2\x82", 0) == 0);          // cut off
  CHECK(utf8_sequence("\x80", 0) == 0);
}
