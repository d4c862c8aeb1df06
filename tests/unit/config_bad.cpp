// Faulty files, each with its expected diagnostics in its first lines: "#! SEVERITY KIND LINE:COLUMN" for each
// diagnostic, in order, or "#! ok".
#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/render.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/schema.hpp"

using namespace vipd;
using vipd::test::read_file;
using vipd::test::render;

namespace {

constexpr auto kFolder = "tests/data/bad-configs";

std::vector<std::string> bad_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(VIPD_SOURCE_DIR) + "/" + kFolder))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

std::string expected(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("#! ") && line != "#! ok") result += line.substr(3) + "\n";
  return result;
}

std::string summary(const std::vector<Diagnostic>& diagnostics) {
  std::string result;
  for (const Diagnostic& one : diagnostics) {
    result += one.severity == Severity::error ? "error " : "warning ";
    result += one.kind + " " + std::to_string(one.line) + ":" + std::to_string(one.column) + "\n";
  }
  return result;
}

const std::string kWeb = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";

/// The smallest instance without `key`; a test appends it as the last line, number 5 or 4.
std::string without(std::string_view key) {
  std::istringstream lines(kWeb);
  std::string result;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with(key)) result += line + "\n";
  return result;
}

int count_lines(const std::string& text) { return static_cast<int>(std::ranges::count(text, '\n')); }

/// The only diagnostic about `statement`, which follows the smallest instance.
Diagnostic complaint(const KeySpec& key, const std::string& statement) {
  const std::string before = without(key.name), text = before + statement + "\n";
  const ParsedConfig parsed = parse_config(text);
  INFO(text << render(parsed.diagnostics, "f", text, false));
  CHECK_FALSE(parsed.config.has_value());
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics[0].line > count_lines(before));
  return parsed.diagnostics[0];
}

/// All keys of [instance.NAME].
std::vector<KeySpec> instance_keys() {
  std::vector<KeySpec> keys;
  std::ranges::copy_if(schema(), std::back_inserter(keys), [](const KeySpec& key) { return key.table == "instance"; });
  return keys;
}

}  // namespace

TEST_CASE("bad configs: each is told by kind, line and column, and nothing else", "[config][bad]") {
  const std::vector<std::string> names = bad_files();
  CHECK(names.size() >= 50);
  for (const std::string& name : names) {
    const std::string text = read_file(std::string(kFolder) + "/" + name);
    const ParsedConfig parsed = parse_config(text);
    const std::string shown = render(parsed.diagnostics, name, text, false);
    INFO(shown);
    CHECK(text.find("\n#! ") != std::string::npos);
    CHECK(summary(parsed.diagnostics) == expected(text));
    CHECK(shown.find("hunter") == std::string::npos);
  }
}

TEST_CASE("bad configs: each key in each wrong way", "[config][bad]") {
  for (const KeySpec& key : instance_keys()) {
    const std::string name(key.name), set = name + " = ";
    INFO(name);
    for (const char* value : {"1979-05-27", "nan", "[[]]", "{ x = 1 }", "\"\\u0000\"", "\"\"", "-1"}) {
      INFO(value);
      CHECK(complaint(key, set + value).column >= static_cast<int>(name.rfind('.') + 2));
    }
    CHECK(complaint(key, set).kind == "syntax");
    CHECK(complaint(key, set + "x y").kind == "syntax");
  }
}

TEST_CASE("bad configs: each key misspelt by one letter is one error with the right suggestion", "[config][bad]") {
  for (const KeySpec& key : instance_keys()) {
    std::string wrong(key.name);
    wrong.insert(wrong.size() - 1, "z");
    INFO(wrong);
    const Diagnostic error = complaint(key, wrong + " = 1");
    CHECK(error.kind == "unknown-key");
    CHECK(error.hint == "did you mean \"" + std::string(key.name) + "\"?");
    CHECK(error.column == static_cast<int>(wrong.rfind('.') + 2));
  }
}

TEST_CASE("bad configs: each key twice, and in the wrong table", "[config][bad]") {
  for (const KeySpec& key : instance_keys()) {
    if (key.initial.empty()) continue;
    const std::string set = std::string(key.name) + " = " + std::string(key.initial);
    INFO(set);
    const Diagnostic twice = complaint(key, set + "\n" + set);
    CHECK((twice.kind == "duplicate-key" && twice.line == 6 && twice.column == 1));
    REQUIRE(twice.related.has_value());
    CHECK(twice.related->line == 5);
    const Diagnostic astray = complaint(key, "[node]\n" + set);
    CHECK((astray.kind == "unknown-key" && astray.line == 6));
    CHECK(astray.hint.find("[instance.NAME]") != std::string::npos);
  }
}

TEST_CASE("bad configs: each key, overridden by a bad value, is refused in the override", "[config][bad]") {
  for (const KeySpec& key : instance_keys()) {
    const std::string text = kWeb + "[node.lb1.instance.web]\n" + std::string(key.name) + " = nan\n";
    const ParsedConfig parsed = parse_config(text);
    INFO(render(parsed.diagnostics, "f", text, false));
    REQUIRE(parsed.diagnostics.size() == 1);
    CHECK(parsed.diagnostics[0].line == 6);
  }
}
