#include <ctime>
#include <functional>
#include <random>
#include <string>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/render.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/toml.hpp"

using namespace vipd;
using vipd::test::read_file;
using vipd::test::render;

namespace {

/// All faults as "kind line:column message; ...".
std::string faults(const std::string& text) {
  std::string result;
  for (const Diagnostic& one : parse_config(text).diagnostics) {
    if (!result.empty()) result += "; ";
    result += one.kind + " " + std::to_string(one.line) + ":" + std::to_string(one.column) + " " + one.message;
  }
  return result;
}

struct BadText {
  const char* text;
  const char* kind;
  int line, column;
  const char* message;
  const char* hint;
};

}  // namespace

TEST_CASE("syntax: a fault is shown where it was made", "[config][syntax]") {
  const auto bad = GENERATE(
      BadText{"[a]\nname = \"gw\n", "syntax", 2, 8, "unterminated string: no closing \" before end of line", ""},
      BadText{"a = 'gw\n", "syntax", 1, 5, "no closing '", ""}, BadText{"a = 'gw", "syntax", 1, 5, "no closing '", ""},
      BadText{"a = \"gw", "syntax", 1, 5, "no closing \"", ""},
      BadText{"a = \"x\\\ny\"", "syntax", 1, 7, "joins lines only in a string", "begin and end it with"},
      BadText{"a = \"\"\"x\\ y\"\"\"", "syntax", 1, 9, "unknown escape sequence", ""},
      BadText{"a = 0xO\u00e4", "syntax", 1, 5, "needs quotes", ""},
      BadText{"a = 1\u00e4", "syntax", 1, 5, "needs quotes", ""},
      BadText{"a = true\u00a0", "syntax", 1, 9, "a no-break space (U+00A0)", "write a plain blank"},
      BadText{"a = [1]\u00e4", "syntax", 1, 8, "unexpected", ""},
      BadText{"[a]\u00e4", "syntax", 1, 4, "unexpected", ""},
      BadText{"a \u00e4= 1", "syntax", 1, 3, "expected \"=\"", ""},
      BadText{"a = \"gw\\", "syntax", 1, 8, "unknown escape sequence", ""},
      BadText{"a = \"\"\"gw\\", "syntax", 1, 10, "unknown escape sequence", ""},
      BadText{"a = \"\"\"gw\nb\n", "syntax", 1, 5, "before end of file", ""},
      BadText{"a = \"x\\q\"", "syntax", 1, 7, "unknown escape sequence \"\\q\"", "use \\\\ for a backslash"},
      BadText{"a = \"\\u00G0\"", "syntax", 1, 6, "needs 4 hexadecimal digits", ""},
      BadText{"priority = 0100", "syntax", 1, 12, "leading zeros", "write 100 (or 0o100 for octal)"},
      BadText{"priority = １00", "syntax", 1, 12, "full-width digits are not TOML digits (U+FF11)", "write 100"},
      BadText{"priority 100", "syntax", 1, 10, "expected \"=\" after key \"priority\"", "write priority = value"},
      BadText{"priority: 100", "syntax", 1, 9, "expected \"=\"", ""},
      BadText{"priority", "syntax", 1, 9, "expected \"=\"", ""},
      BadText{"priorität = 1", "syntax", 1, 8, "not allowed in a key", "need quotes"},
      BadText{"= 5", "syntax", 1, 1, "a key is missing", ""},
      BadText{"vrid =", "syntax", 1, 7, "a value is missing", ""},
      BadText{"vrid = # five", "syntax", 1, 8, "expected a value", ""},
      BadText{"vrid = = 5", "syntax", 1, 8, "expected a value", ""},
      BadText{"interface = eth0", "syntax", 1, 13, "\"eth0\" needs quotes", "write \"eth0\""},
      BadText{"advert_interval = 1s", "syntax", 1, 19, "needs quotes", "write \"1s\""},
      BadText{"addresses = [192.0.2.10/24]", "syntax", 1, 14, "needs quotes", "write \"192.0.2.10/24\""},
      BadText{"addresses = [192.0.2.10]", "syntax", 1, 14, "needs quotes", ""},
      BadText{"preempt = yes", "syntax", 1, 11, "is not a boolean", "write true"},
      BadText{"preempt = False", "syntax", 1, 11, "is not a boolean", "write false"},
      BadText{"a = \"x\" y", "syntax", 1, 9, "unexpected text", ""},
      BadText{"a = [1 2]", "syntax", 1, 8, "expected \",\" or \"]\"", ""},
      BadText{"a = [1,, 2]", "syntax", 1, 8, "missing before this comma", ""},
      BadText{"a = [1,\n  2\n", "syntax", 2, 4, "expected \"]\"", ""},
      BadText{"a = { b = 1", "syntax", 1, 5, "expected \"}\"", ""},
      BadText{"a = { b = 1, }", "syntax", 1, 14, "comma before", "remove the comma"},
      BadText{"[a\nb = 1", "syntax", 1, 3, "expected \"]\"", ""}, BadText{"[]", "syntax", 1, 1, "needs a name", ""},
      BadText{"a]\nb = 1", "syntax", 1, 2, "without its \"[\"", ""},
      BadText{"[a] b = 1", "syntax", 1, 5, "unexpected text", ""},
      BadText{"[global]\nx = 1\n[global]\nx = 2", "duplicate-table", 3, 1, "[global] is defined twice; first at line 1",
              ""},
      BadText{"[instance.a]\nhooks.any = \"/x\"\n[instance.a.hooks]\n", "duplicate-table", 3, 1, "first at line 2", ""},
      BadText{"a = 99999999999999999999", "range", 1, 5, "does not fit 64 bits", ""},
      BadText{"a = 1_", "syntax", 1, 5, "needs quotes", ""},
      BadText{"a = 1979-05-27T:07", "syntax", 1, 5, "needs quotes", ""},
      BadText{"a = 1.", "syntax", 1, 5, "needs quotes", ""}, BadText{"a = 0x", "syntax", 1, 5, "needs quotes", ""},
      BadText{"vrrp_instance VI_1 {\n  state MASTER\n}\n", "syntax", 1, 1, "keepalived.conf", "[instance.NAME]"},
      BadText{"a = \"x\0y\"", "syntax", 1, 5, "unterminated", ""},
      BadText{"\xef\xbb\xbf[a]", "encoding", 1, 1, "byte order mark", ""},
      BadText{"# \xff", "encoding", 1, 3, "not UTF-8", ""}, BadText{"a = 1\rb = 2", "encoding", 1, 6, "U+000D", ""});
  INFO(bad.text);
  const std::string text = bad.text;
  // Unknown keys and tables of the readable part do not matter here.
  const auto all = parse_config(text).diagnostics;
  INFO(faults(text));
  const auto first =
      std::find_if(all.begin(), all.end(), [](const auto& one) { return !one.kind.starts_with("unknown"); });
  REQUIRE(first != all.end());
  CHECK(first->kind == bad.kind);
  CHECK(first->line == bad.line);
  CHECK(first->column == bad.column);
  CHECK(first->message.find(bad.message) != std::string::npos);
  CHECK(first->hint.find(bad.hint) != std::string::npos);
}

TEST_CASE("syntax: a NUL byte is named", "[config][syntax]") {
  const std::string text("a = \"gw\0\"\n", 10);
  CHECK(faults(text) == "encoding 1:8 control character U+0000 is not allowed");
}

TEST_CASE("syntax: reading goes on after a fault", "[config][syntax]") {
  CHECK(faults("[instance.a]\ninterface = eth0\nvrid = 051\naddresses = [\n  192.0.2.1/24,\n  "
               "\"192.0.2.2\"\n]\npriority = 0\n") ==
        "syntax 2:13 \"eth0\" needs quotes; syntax 3:8 leading zeros are not allowed in a decimal integer; "
        "syntax 5:3 \"192.0.2.1/24\" needs quotes; "
        "range 8:12 \"priority\" must be 1..255; 0 is reserved on the wire for \"I am leaving\"");
  CHECK(faults("[instance.a\nvrid = 1\n[instance.b]\nvrid = 0\n") ==
        "syntax 1:12 expected \"]\" at the end of the table's name; range 4:8 \"vrid\" must be 1..255, got 0");
}

TEST_CASE("syntax: one fault in a string of several lines is one, and what follows the string is read",
          "[config][syntax]") {
  CHECK(faults("[instance.a]\ninterface = \"\"\"\nvrid = \\q\n[x]\ny = \\z\"\n\"\"\"\nvrid = 0\n") ==
        "syntax 3:8 unknown escape sequence \"\\q\"; range 7:8 \"vrid\" must be 1..255, got 0");
}

// The library refuses a header after it has read the line break, and names the place behind it.
TEST_CASE("syntax: a header that a key contradicts is at fault, and not the line behind it", "[config][syntax]") {
  for (const std::string text : {"[instance]\na = 0\n[instance.a.x]\ny = 1\n[node]\nname = 0\n",
                                 "[instance]\na = {}\n[instance.a.x]\ny = 1\n[node]\nname = 0\n"}) {
    INFO(faults(text));
    CHECK(faults(text).find("syntax 3:1 table header: cannot") != std::string::npos);
    CHECK(faults(text).find("type 6:8 \"name\"") != std::string::npos);
  }
}

TEST_CASE("syntax: a key twice", "[config][syntax]") {
  const auto diagnostics =
      parse_config("[instance.a]\nvrid = 1\ninterface = \"e\"\naddresses = [\"192.0.2.1/24\"]\nvrid = 2\n").diagnostics;
  REQUIRE(diagnostics.size() == 1);
  CHECK(diagnostics[0].kind == "duplicate-key");
  CHECK((diagnostics[0].line == 5 && diagnostics[0].column == 1 && diagnostics[0].width == 4));
  CHECK(diagnostics[0].related->line == 2);
}

TEST_CASE("syntax: what TOML allows is not refused", "[config][syntax]") {
  const auto* const text = GENERATE(
      "", "\n\n", "# only a comment", "a = 1", "a.b.c = 1\na.b.d = 2", "[a.b]\n[a]\nc = 1", "\"a b\".'c' = 1",
      "a = \"\"", "a = ''", "a = \"\"\"\nx\\n\n  \"y\" \u00e4\"\"\"", "a = '''x'y''z'''", "a = \"\"\"a\"\"\"\"\"",
      "a = \"\\\\ \\\" \\u00e9 \\U0001F600\"", "a = [ ]", "a = [ # c\n 1, 2, # d\n [3, \"]\"],\n]", "a = {}",
      "a = { b = 1, c.d = { e = [1] } }", "a = +1_000", "a = 0x1F", "a = 0b01", "a = -0", "a = 0", "a = 1e5",
      "a = -0.5", "a = inf", "a = nan", "a = 1.5e-3", "a = 0xdead_BEEF", "[[a]]\nb = 1\n[[a]]\nb = 1\n[[a]]",
      "\t[ a . b ] # c\r\n  c = 1\t\r\n", "a = [{ b = 1 }, { b = 1 }]", "1234 = 1", "[a]\n[a.b]\n[a.c]",
      "a = [[\"x\"], [\"y\"]]", "a = [\n['x'],\n[1]\n]");
  INFO(text);
  const TomlFile file = read_toml(text, 0);
  INFO((file.faults.empty() ? "" : file.faults.front().message));
  CHECK(file.faults.empty());
  CHECK(faults(text).find("syntax") == std::string::npos);
}

TEST_CASE("syntax: nesting is bounded", "[config][syntax]") {
  std::string dots = "a", brackets, tables;
  for (int i = 0; i < 200'000; ++i) dots += ".a", brackets += "[", tables += "{a=";
  CHECK(faults(dots + " = 1").starts_with("syntax 1:33 too many parts"));
  CHECK(faults("[" + dots + "]\n").starts_with("syntax 1:34 too many parts"));
  CHECK(faults("a = " + brackets).starts_with("syntax 1:21 nested too deeply"));
  CHECK(faults("a = " + tables).find("nested too deeply") != std::string::npos);
  CHECK(faults(std::string(2'000'000, '\n')) == "size 1:1 the file is larger than 1 MiB");
}

namespace {

/// Parses any text; the result has to be consistent.
ParsedConfig parse_anything(const std::string& text) {
  ParsedConfig parsed = parse_config(text);
  bool has_error = false;
  int line = 1;
  for (const Diagnostic& one : parsed.diagnostics) {
    has_error |= one.severity == Severity::error;
    CHECK((one.line >= line && one.column >= 1 && one.width >= 1));
    CHECK_FALSE((one.kind.empty() || one.message.empty()));
    line = one.line;
  }
  CHECK(parsed.config.has_value() != has_error);
  CHECK(parsed.diagnostics.size() <= kMaxDiagnostics);
  CHECK((parsed.diagnostics.empty() || !render(parsed.diagnostics, "f", text, true).empty()));
  return parsed;
}

/// True if this error leads to `line`.
bool is_near(const Diagnostic& error, int line) {
  if (std::abs(error.line - line) <= 1 || (error.related && std::abs(error.related->line - line) <= 1)) return true;
  // A missing key is reported at the head of its table, and a missing table where its name is used.
  return error.kind == "missing-key" || error.kind == "unknown-instance" || error.kind == "unknown-check";
}

}  // namespace

TEST_CASE("syntax: a deleted byte is an error near it, or none", "[config][syntax]") {
  const auto* const name =
      GENERATE("conf/examples/pair.toml", "conf/examples/pair-one-file.toml", "conf/examples/pair-ipv6.toml",
               "conf/examples/active-active.toml", "conf/examples/hooks.toml", "tests/data/config/full.toml");
  const std::string good = read_file(name);
  int line = 1;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string text = good;
    text.erase(i, 1);
    const std::clock_t start = std::clock();
    const ParsedConfig parsed = parse_anything(text);
    CHECK(std::clock() - start < CLOCKS_PER_SEC);  // milliseconds, without sanitizers
    INFO(name << " without byte " << i << " (line " << line << ")\n" << render(parsed.diagnostics, "f", text, false));
    CHECK(parsed.diagnostics.size() <= 1);
    if (!parsed.diagnostics.empty()) CHECK(is_near(parsed.diagnostics.front(), line));
    if (good[i] == '\n') ++line;
  }
}

TEST_CASE("syntax: no input is too rude", "[config][syntax]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string good = read_file("tests/data/config/full.toml");
  const std::string characters = "[]{}\"'=.,#\\\n\r\t 0a\xc3\xa9\xff";
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      if (below(2) == 0)
        text.insert(at, 1, characters[below(characters.size())]);
      else
        text.erase(at, below(12));
      if (text.empty()) text = "a";
    }
    INFO(text);
    parse_anything(text);
  }
}

namespace {

/// Four times the text must take less than sixteen times the processor time.
void check_growth(const std::function<std::string(std::size_t)>& text_of) {
  const auto cpu_time = [&](std::size_t size) {
    const std::string text = text_of(size);
    const std::clock_t start = std::clock();
    parse_anything(text);
    return std::clock() - start;
  };
  const std::clock_t quarter = cpu_time(1 << 18), whole = cpu_time(1 << 20);
  CAPTURE(quarter, whole);
  CHECK(whole < 8 * quarter + CLOCKS_PER_SEC / 10);
}

}  // namespace

TEST_CASE("syntax: faults beyond those that are told are counted", "[config][syntax]") {
  std::string text = "[instance.web]\n";
  for (int i = 0; i < 100; ++i) text += "x y\nz" + std::to_string(i) + " = 1\n";
  const ParsedConfig parsed = parse_config(text);
  REQUIRE(parsed.diagnostics.size() == kMaxDiagnostics);
  CHECK(parsed.omitted == 200 - kMaxDiagnostics);
  CHECK(parsed.diagnostics.back().line == 21);  // the first errors of all, not only those of the syntax
}

// The explanation alone takes a word that begins with a digit for a number; only the library knows better.
TEST_CASE("syntax: faults beyond those that are told are counted, whatever their kind", "[config][syntax]") {
  const std::string fault = GENERATE("x y\n", "x = 1s\n", "x = 0xzz\n", "x = \"\\q\"\n", "x = [1, 2\n",
                                     "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1\n", "[x\n");
  std::string text;
  for (int i = 0; i < 30; ++i) text += "[t" + std::to_string(i) + "]\ny = 1\n" + fault;
  CAPTURE(fault);
  const TomlFile file = read_toml(text, 0);
  CHECK(file.faults.size() == kMaxDiagnostics);
  CHECK(file.omitted == 30 - kMaxDiagnostics);
  CHECK(file.root.find("t29") != nullptr);
}

// Each statement is examined by itself first.
TEST_CASE("syntax: what two statements make wrong is told beside a fault between them", "[config][syntax]") {
  const std::string fault = "x y\n";
  CHECK(faults("a = 1\n" + fault + "a = 2\n" + fault) ==
        "unknown-key 1:1 unknown key \"a\"; syntax 2:3 expected \"=\" after key \"x\"; duplicate-key 3:1 \"a\" is set "
        "twice; first at line 1; "
        "syntax 4:3 expected \"=\" after key \"x\"");
  CHECK(read_toml("[a]\nb = 1\n" + fault + "[a]\nc = 1\n[d]\n" + fault, 0).faults.size() == 3);
  CHECK(read_toml("[[a]]\n[a.b]\n" + fault + "[[a]]\n[a.b]\n" + fault, 0).faults.size() == 2);
}

// The library complains of some headers only when it has read the line break behind them.
TEST_CASE("syntax: a header that another statement excludes is told, and not the line behind it", "[config][syntax]") {
  const std::string text = GENERATE("a = 1\n[a.b]\nc = 2\n", "a = [1]\n[a.b]\nc = 2\n", "a = {b = 1}\n[a.c]\nd = 1\n",
                                    "a = 1\n[[a.b]]\nc = 1\n", "a = 1\n[[a]]\nb = 1\n");
  CAPTURE(text);
  const TomlFile file = read_toml(text, 0);
  REQUIRE(file.faults.size() == 1);
  CHECK(file.faults[0].line == 2);
  CHECK(file.root.find("a") != nullptr);
}

TEST_CASE("syntax: a large bad file is refused quickly", "[config][syntax]") {
  const auto* const line =
      GENERATE("a = [\n", "x y\n", "x = 1s\n", "[[[[\n", "a.b = \"\n", "key = 1\n", "[instance.a]\n", "{ = , ]\n");
  const auto text_of = [&](std::size_t size) {
    std::string text;
    while (text.size() + 16 < size) text += line;
    return text;
  };
  CAPTURE(line);
  check_growth(text_of);
}

// 1 MiB of entries took ten seconds, in which no advert was sent.
TEST_CASE("syntax: a list of many entries on one line is read quickly", "[config][syntax]") {
  const std::string entry = GENERATE("1,", "\"a\",", "{a=1},", "[1],");
  const auto text_of = [&](std::size_t size) {
    std::string text = "a = [";
    while (text.size() + 16 < size) text += entry;
    return text + "1]\n";
  };
  CAPTURE(entry);
  check_growth(text_of);
}

// The full name of each of its keys was kept, which took gigabytes.
TEST_CASE("syntax: a table with a name of half the file is read quickly", "[config][syntax]") {
  const bool is_list = GENERATE(false, true);
  const auto text_of = [&](std::size_t size) {
    std::string text = is_list ? "" : "[";
    text += std::string(size / 2, 'a') + (is_list ? " = [" : "]\n");
    for (int i = 0; text.size() + 16 < size; ++i) text += is_list ? "{b=1}," : "b" + std::to_string(i) + "=1\n";
    return text + (is_list ? "]\n" : "");
  };
  CAPTURE(is_list);
  check_growth(text_of);
}
