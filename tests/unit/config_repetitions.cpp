// Repetitions: one walk finds the statements that define a key or a table again.
#include "vipd/config/repetitions.hpp"

#include <algorithm>
#include <ctime>
#include <string>

#include "support/catch.hpp"
#include "vipd/config/toml.hpp"

using namespace vipd;

namespace {

/// "first..second" of each repetition, as line numbers; the second with its last line.
std::string repetitions(const std::string& text) {
  const auto line = [&](std::size_t offset) {
    return std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  };
  std::string all;
  for (const auto& [statement, first] : find_repetitions(text))
    all += line(first.begin) + ">" + line(statement.begin) + "-" + line(statement.end - 1) + " ";
  return all;
}

std::string faults_of(const std::string& text) {
  std::string all;
  for (const Diagnostic& fault : read_toml(text, 0).faults)
    all +=
        fault.kind + " " + std::to_string(fault.line) + ":" + std::to_string(fault.column) + " " + fault.message + "; ";
  return all;
}

}  // namespace

TEST_CASE("repetitions: a key that is twice below one header", "[config][syntax]") {
  CHECK(repetitions("a = 1\nb = 2\na = 3\na = 4\n") == "1>3-3 1>4-4 ");
  CHECK(repetitions("[s]\nhooks.any = 1\nhooks . any = [\n2]\n") == "2>3-4 ");
  CHECK(repetitions("a = 1\n[s]\na = 1\n[t]\na = 1\n").empty());
  CHECK(repetitions("a = 1\na.b = 1\nab = 1\n").empty());
}

TEST_CASE("repetitions: a header that is twice takes its section along", "[config][syntax]") {
  CHECK(repetitions("[s]\na = 1\n[ s ]\na = 1\nb = 2\n[t]\na = 1\n[s]\nc = 1\n") == "1>3-5 1>8-9 ");
  CHECK(repetitions("[s.t]\n[s]\n[s.u]\n[t.s]\n").empty());
}

// The tables below belong to different entries.
TEST_CASE("repetitions: a table of each entry of a list is none", "[config][syntax]") {
  CHECK(repetitions("[[s]]\na = 1\n[s.t]\na = 1\n[[s]]\na = 1\n[s.t]\na = 1\n").empty());
  CHECK(repetitions("[[s]]\n[s.t]\n[s.t]\n[[s]]\na = 1\na = 1\n") == "2>3-3 5>6-6 ");
}

// 'a\n' and "a\n" are different keys, and "a" is a.
TEST_CASE("repetitions: keys in quotes are left to the library, which finds them", "[config][syntax]") {
  CHECK(repetitions("'a\\n' = 1\n\"a\\n\" = 1\n\"b\" = 1\nb = 2\n\"b\" = 3\n[\"s\"]\n['s']\n").empty());
  CHECK(read_toml("'a\\n' = 1\n\"a\\n\" = 1\n", 0).faults.empty());
  CHECK(read_toml("\"b\" = 1\nb = 2\n\"b\" = 3\n", 0).faults.size() == 2);
}

TEST_CASE("repetitions: each is told with the line and the place of the first one", "[config][syntax]") {
  CHECK(faults_of("# c\n  key = 'x'\n[s]\n  key = 1\n key = 2\n[t]\n[s]\nkey = 3\n[s]\n") ==
        "duplicate-key 5:2 \"key\" is set twice; first at line 4; "
        "duplicate-table 7:1 table [s] is defined twice; first at line 3; "
        "duplicate-table 9:1 table [s] is defined twice; first at line 3; ");
  const TomlFile file = read_toml("# c\n  key = 'xy'\nkey = 2\n", 0);
  REQUIRE(file.faults.size() == 1);
  REQUIRE(file.faults[0].related);
  CHECK(file.faults[0].related->line == 2);
  CHECK(file.faults[0].related->column == 9);
  CHECK(file.faults[0].related->width == 4);
}

TEST_CASE("repetitions: those beyond the ones that are told are counted", "[config][syntax]") {
  const std::string repeated = GENERATE("key = 1\n", "[instance.a]\n", "a.b = 1\n");
  std::string text;
  for (int i = 0; i < 5001; ++i) text += repeated;
  const TomlFile file = read_toml(text, 0);
  CHECK(file.faults.size() == kMaxDiagnostics);
  CHECK(file.omitted == 5000 - kMaxDiagnostics);
  CHECK(!file.root.children.empty());
}

// Each repetition cost two readings of all text before it.
TEST_CASE("repetitions: thirty in a large file are found as quickly as one", "[config][syntax]") {
  const auto cpu_time = [](int count) {
    std::string text;
    for (int i = 0; text.size() < (1 << 20) - 100; ++i) {
      text += "[instance.i" + std::to_string(i) + "]\npriority = 100\nvrid = 1\ninterface = \"eth0\"\n";
      if (i % 400 == 0 && i / 400 < count) text += "vrid = 2\n";
    }
    const std::clock_t start = std::clock();
    CHECK(read_toml(text, 0).faults.size() ==
          static_cast<std::size_t>(std::min(count, static_cast<int>(kMaxDiagnostics))));
    return std::clock() - start;
  };
  const std::clock_t one = cpu_time(1), thirty = cpu_time(30);
  CAPTURE(one, thirty);
  CHECK(thirty < 2 * one + CLOCKS_PER_SEC / 20);
}
