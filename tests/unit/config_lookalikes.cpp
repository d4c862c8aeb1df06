// Lookalikes of the quotes and blanks of TOML, and interface names as ip(8) shows them: each has its remedy.
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/render.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/text.hpp"

using namespace vipd;
using vipd::test::read_file;
using vipd::test::render;

namespace {

/// "line:column message (hint)" of the first fault that is not about an unknown key or table.
std::string first_fault(const std::string& text) {
  for (const Diagnostic& one : parse_config(text).diagnostics)
    if (!one.kind.starts_with("unknown"))
      return std::to_string(one.line) + ":" + std::to_string(one.column) + " " + one.message + " (" + one.hint + ")";
  return "";
}

/// The smallest instance, with `interface` as its second line.
std::string with_interface(const std::string& line) {
  return "[instance.web]\n" + line + "\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";
}

bool ends_in(const std::string& text, const std::string& end) { return text.ends_with("(" + end + ")"); }

}  // namespace

TEST_CASE("lookalikes: typographic quotes around a value are named, with the value in plain ones",
          "[config][lookalikes]") {
  const std::string value =
      GENERATE("“eth0”", "„eth0“", "”eth0”", "‘eth0’", "‚eth0‘", "«eth0»", "»eth0«", "‹eth0›", "“eth0\"", "“eth0",
               "eth0”", "`eth0`", "´eth0´", "‘eth0'", "``eth0''", "“eth0” # the “uplink”");
  INFO(value);
  const std::string told = first_fault(with_interface("interface = " + value));
  INFO(told);
  CHECK(told.starts_with("2:13 a"));
  CHECK(told.find(" is no quote in TOML") != std::string::npos);
  CHECK(ends_in(told, "write \"eth0\""));
}

TEST_CASE("lookalikes: a string that ends in a typographic quote", "[config][lookalikes]") {
  CHECK(first_fault("a = \"eth0”\n") ==
        "1:5 unterminated string: no closing \" before end of line (a typographic quote (U+201D) is no quote in TOML: "
        "write \"eth0\")");
  CHECK(ends_in(first_fault("a = 'eth0’\n"), "a typographic quote (U+2019) is no quote in TOML: write \"eth0\""));
  CHECK(ends_in(first_fault("a = [\"eth0”, \"eth1\"]\n"),
                "a typographic quote (U+201D) is no quote in TOML: write \"eth0\""));
}

TEST_CASE("lookalikes: typographic quotes in lists, keys and tables", "[config][lookalikes]") {
  CHECK(first_fault("a = [“eth0”, “eth1”]\n") ==
        "1:6 a typographic quote (U+201C) is no quote in TOML (write \"eth0\")");
  CHECK(first_fault("a = [\"eth0\", “my eth1”]\n") ==
        "1:14 a typographic quote (U+201C) is no quote in TOML (write \"my eth1\")");
  CHECK(first_fault("a = { b = “Bob’s” }\n") ==
        "1:11 a typographic quote (U+201C) is no quote in TOML (write \"Bob’s\")");
  CHECK(first_fault("a = “” # “\n") == "1:5 a typographic quote (U+201C) is no quote in TOML (write \"\")");
  CHECK(first_fault("“a” = 1\n") == "1:1 a typographic quote (U+201C) is no quote in TOML (write \"a\")");
  CHECK(first_fault("a” = 1\n") == "1:2 a typographic quote (U+201D) is no quote in TOML (write a)");
  CHECK(first_fault("[instance.“web”]\n") == "1:11 a typographic quote (U+201C) is no quote in TOML (write \"web\")");
}

TEST_CASE("lookalikes: a typographic quote within the right ones", "[config][lookalikes]") {
  CHECK(first_fault(with_interface("interface = \"“eth0”\"")) ==
        "2:14 a typographic quote (U+201C) stands within the value of \"interface\" (write \"eth0\")");
}

TEST_CASE("lookalikes: a secret in typographic quotes is not shown", "[config][lookalikes]") {
  for (const std::string line :
       {"auth_legacy = “hunter2”", "auth_legacy = \"hunter2”", "auth_legacy “hunter2”", "auth_legacy: “hunter2”",
        "auth_legacy:“hunter2”", "auth_legacy = \"x\" “hunter2”", "auth_legacy = \"hunter2\"\u00a0",
        "auth_legacy = \u00a0\"hunter2\"", "auth_legacy = \"hunter2\u00a0\"", "auth_legacy“ = “hunter2”",
        "“auth_legacy = hunter2”", "‘auth_legacy = \"hunter2\"’"}) {
    const std::string text = with_interface("interface = \"eth0\"\nversion = 2\n" + line);
    for (const Diagnostic& one : parse_config(text).diagnostics) {
      INFO(line << ": " << one.message << " (" << one.hint << ")");
      CHECK((one.message + one.hint).find("hunter") == std::string::npos);
    }
  }
}

TEST_CASE("lookalikes: a no-break space before a secret is named", "[config][lookalikes]") {
  CHECK(first_fault("auth_legacy =\u00a0\"hunter2\"\n") ==
        "1:14 a no-break space (U+00A0) stands here, where TOML takes plain blanks only (write a plain blank)");
}

TEST_CASE("lookalikes: what looks like a blank and is none is named with its column", "[config][lookalikes]") {
  struct Odd {
    std::string character, name, remedy;
  };
  const auto odd = GENERATE(Odd{"\u00a0", "a no-break space (U+00A0)", "write a plain blank"},
                            Odd{"\u202f", "a narrow no-break space (U+202F)", "write a plain blank"},
                            Odd{"\u2007", "a figure space (U+2007)", "write a plain blank"},
                            Odd{"\u3000", "an ideographic space (U+3000)", "write a plain blank"},
                            Odd{"\u200b", "a zero-width space (U+200B)", "remove it"},
                            Odd{"\ufeff", "a byte order mark (U+FEFF)", "remove it"});
  struct Spot {
    const char* text;  ///< '~' stands for the lookalike
    const char* place;
  };
  const auto spot =
      GENERATE(Spot{"a = true~", "1:9"}, Spot{"a = 5~ # c", "1:6"}, Spot{"a =~5", "1:4"}, Spot{"a =~\"x\"", "1:4"},
               Spot{"a~= 5", "1:2"}, Spot{"a ~= 5", "1:3"}, Spot{"a = \"x\"~", "1:8"}, Spot{"a = 'x' ~# c", "1:9"},
               Spot{"\n~a = 5", "2:1"}, Spot{"\n  ~~a = 5", "2:3"}, Spot{"\n~\n", "2:1"}, Spot{"\n~[a]", "2:1"},
               Spot{"[a]~", "1:4"}, Spot{"[~a]", "1:2"}, Spot{"[a~]", "1:3"}, Spot{"[a.~b]", "1:4"},
               Spot{"a.~b = 1", "1:3"}, Spot{"a = [1,~2]", "1:8"}, Spot{"a = [1~, 2]", "1:7"},
               Spot{"a = [\"x\"~]", "1:9"}, Spot{"a = [~]", "1:6"}, Spot{"a = [\n~\"x\",\n]", "2:1"},
               Spot{"a = [\n\"x\",\n~]", "3:1"}, Spot{"a = [\n\"x\",~\n]", "2:5"}, Spot{"a = {~b = 1 }", "1:6"},
               Spot{"a = { b~= 1 }", "1:8"}, Spot{"a = { b = 1~}", "1:12"}, Spot{"a = { b = \"x\"~}", "1:14"});
  std::string text = spot.text;
  for (std::size_t at = 0; (at = text.find('~', at)) != std::string::npos; at += odd.character.size())
    text.replace(at, 1, odd.character);
  INFO(spot.text);
  CHECK(first_fault(text) ==
        spot.place + (" " + odd.name) + " stands here, where TOML takes plain blanks only (" + odd.remedy + ")");
}

TEST_CASE("lookalikes: lines that are indented by no-break spaces are each told", "[config][lookalikes]") {
  std::string told;
  for (const Diagnostic& one : parse_config("[instance.web]\n\u00a0vrid = 51\n\u00a0\u00a0priority = 5\n"
                                            "\u00a0[instance.db]\nvrid = 0\n[instance.c]\nvrid = 0\n")
                                   .diagnostics)
    told += std::to_string(one.line) + ":" + std::to_string(one.column) + " ";
  CHECK(told == "2:1 3:1 4:1 7:8 ");  // behind an unreadable header, the table of the key vrid is not known
}

TEST_CASE("lookalikes: a list that was never closed ends before an indented statement", "[config][lookalikes]") {
  CHECK(first_fault("a = [\n1,\n\u00a0b = 2\n").starts_with("2:3 expected \"]\""));
}

TEST_CASE("lookalikes: a no-break space within a value is named with its column", "[config][lookalikes]") {
  CHECK(first_fault(with_interface("interface = \"eth0\u00a0\"")) ==
        "2:18 a no-break space (U+00A0) stands within the value of \"interface\" (write \"eth0\")");
  CHECK(first_fault(with_interface("interface = \"eth0\"\nadvert_interval = \"1\u202fs\"")) ==
        "3:21 a narrow no-break space (U+202F) stands within the value of \"advert_interval\" (write \"1s\")");
  CHECK(first_fault("[instance.web]\ninterface = \"eth0\"\nvrid = 1\naddresses = [\"192.0.2.1/24\", "
                    "\"192.0.2.2\u200b/24\"]\n") ==
        "4:40 a zero-width space (U+200B) stands within the value of \"address\" (write \"192.0.2.2/24\")");
  CHECK(first_fault(with_interface("interface = \"eth0\"\nchecks = [\"a\u00a0\"]")) ==
        "3:13 a no-break space (U+00A0) stands within the value of \"checks\" (write \"a\")");
}

TEST_CASE("lookalikes: free text and comments may have them", "[config][lookalikes]") {
  CHECK(first_fault(with_interface("interface = \"eth0\" # “the\u00a0uplink”\nchecks = [\"a\"]") +
                    "[check.a]\ncommand = \"test -e '/run/“my\u00a0file”'\"\n") == "");
}

TEST_CASE("lookalikes: the name of an interface as ip(8) shows it", "[config][lookalikes]") {
  for (const std::string name : {"eth0@if3", "eth0@eth1", "eth0@NONE"})
    CHECK(first_fault(with_interface("interface = \"" + name + "\"")) ==
          "2:13 \"" + name + "\" is what ip(8) shows for the interface \"eth0\"; behind the @ it names another one " +
              "(write \"eth0\")");
}

TEST_CASE("lookalikes: only what stands behind the name of an interface in ip(8)", "[config][lookalikes]") {
  CHECK(first_fault(with_interface("interface = \"@if3\"")) ==
        "2:13 \"@if3\" is not an interface name (write what ip(8) shows in front of the @)");
}

TEST_CASE("lookalikes: a name too long for an interface may be an alternative one", "[config][lookalikes]") {
  CHECK(first_fault(with_interface("interface = \"enp0s31f6-uplink-kubevip\"")) ==
        "2:13 interface name is 24 bytes; Linux allows at most 15 (a longer one can only be an alternative name: write "
        "the interface's own name (`ip link` shows it))");
}

TEST_CASE("lookalikes: random edits with pieces of them are read within bounds", "[config][lookalikes]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::vector<std::string> pieces{"“",    "”",  "‘", "`",  "\u00a0", "\u200b", "\ufeff", "\xe2\x80", "\xe2",
                                        "\xc2", "\"", "'", "\n", "[",      "]",      "=",      "\\"};
  const std::string good = read_file("tests/data/config/full.toml");
  for (int round = 0; round < 2000; ++round) {
    std::string text = good.substr(below(good.size()), 1 + below(300));
    for (std::size_t edits = 1 + below(6); edits > 0; --edits)
      text.insert(below(text.size() + 1), pieces[below(pieces.size())]);
    INFO(text);
    const ParsedConfig parsed = parse_config(text);
    for (const Diagnostic& one : parsed.diagnostics) CHECK((one.line >= 1 && one.column >= 1 && one.width >= 1));
    render(parsed.diagnostics, "f", text, true);
    for (std::size_t i = 0; i <= text.size(); ++i) lookalike_at(text, i);
  }
}
