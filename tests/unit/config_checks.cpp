// [check.NAME], and the checks that instances list.
#include <string>

#include "support/catch.hpp"
#include "support/parsed.hpp"
#include "support/render.hpp"
#include "vipd/config/check_kinds.hpp"
#include "vipd/config/check_program.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/plan.hpp"

using namespace vipd;
using namespace vipd::test;

namespace {

std::string instance(const std::string& more) {
  return "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n" + more;  // 4 lines
}

const std::string kCheck = "[check.app]\ncommand = [\"/usr/bin/true\", \"x\"]\n";
const std::string kListed = instance("checks = [\"app\"]\n");

}  // namespace

TEST_CASE("config: a check and the instance that lists it, in either order", "[config]") {
  const Config config = good(GENERATE_COPY(kListed + kCheck, kCheck + kListed));
  REQUIRE(config.checks.size() == 1);
  CHECK(config.checks[0].name == "app");
  CHECK(config.checks[0].kind == decltype(CheckConfig::kind)(CommandCheck{{"/usr/bin/true", "x"}}));
  CHECK(config.checks[0].rules == CheckRules());
  CHECK(config.instances[0].checks == std::vector<std::string>{"app"});
}

TEST_CASE("config: all that a check can say", "[config]") {
  const Config config = good(kListed + kCheck +
                             "interval = \"2s\"\ntimeout = \"500ms\"\nrise = 3\nfall = 4\ninvert = true\n"
                             "initial = \"pass\"\non_fail = -20\ndelivers_weight = true\n");
  const CheckRules& rules = config.checks[0].rules;
  CHECK(rules.interval == std::chrono::seconds(2));
  CHECK(rules.timeout == std::chrono::milliseconds(500));
  CHECK(rules.rise == 3);
  CHECK(rules.fall == 4);
  CHECK(rules.invert);
  CHECK(rules.initial == CheckState::pass);
  CHECK(rules.on_fail == OnFail{OnFail::Effect::weight, -20});
  CHECK(rules.delivers_weight);
  CHECK(good(kListed + kCheck + "on_fail = \"fault\"\n").checks[0].rules.on_fail.effect == OnFail::Effect::fault);
}

TEST_CASE("config: a string is a command for the shell, a list is not", "[config]") {
  const ParsedConfig parsed = parse_config(kListed + "[check.app]\ncommand = \"pidof nginx | grep -q .\"\n");
  REQUIRE(parsed.config.has_value());
  const std::vector<std::string> shell = {"/bin/sh", "-c", "pidof nginx | grep -q ."};
  CHECK(std::get<CommandCheck>(parsed.config->checks[0].kind).arguments == shell);
  REQUIRE(parsed.programs.size() == 1);
  CHECK(parsed.programs[0].arguments == shell);
  CHECK_FALSE(parsed.programs[0].notify);
  CHECK(parsed.programs[0].place.line == 7);
  CHECK(only(kListed + "[check.app]\ncommand = [\"pidof\", \"nginx\"]\n").kind == "script-security");
  CHECK(only(kListed + "[check.app]\ncommand = \"\"\n").kind == "script-security");
}

TEST_CASE("config: checks that do not exist are refused where they are listed (B56)", "[config]") {
  const Diagnostic unknown = only(instance("checks = [\"chk_web\"]\n"));
  CHECK(unknown.kind == "unknown-check");
  CHECK(place(unknown) == "5:11");
  CHECK(unknown.message == "there is no [check.chk_web]");
  CHECK(unknown.hint == "checks that are defined: none");
  const ParsedConfig misspelt = parse_config(instance("checks = [\"ap\"]\n") + kCheck);
  CHECK(misspelt.diagnostics.at(0).hint == "did you mean \"app\"?");
  CHECK(only(instance("checks = [\"app\", \"app\"]\n") + kCheck).message == "check \"app\" is listed twice");
  CHECK(only(instance("checks = [\"app\", 5]\n") + kCheck).message ==
        "a check is listed by its name, got the integer 5");
}

TEST_CASE("config: a header of a check that is wrong is one complaint", "[config]") {
  CHECK(only(kListed + "[chek.app]\ncommand = [\"/x\"]\n").kind == "unknown-table");
  CHECK(only(kListed + "[check.app\ncommand = [\"/x\"]\n").line == 6);
  CHECK(only(kListed + "[check.app]\n").kind == "missing-key");
  CHECK(only(kListed + kCheck + "intervall = \"1s\"\n").hint == "did you mean \"interval\"?");
}

TEST_CASE("config: values of on_fail and initial that are refused, with what may be meant", "[config]") {
  for (const char* value : {"0", "254", "-254"}) CHECK(only(kListed + kCheck + "on_fail = " + value).kind == "range");
  CHECK(only(kListed + kCheck + "on_fail = \"stop\"").kind == "choice");
  CHECK(only(kListed + kCheck + "on_fail = \"-20\"").hint == "write -20");
  CHECK(only(kListed + kCheck + "on_fail = true").kind == "type");
  CHECK(only(kListed + kCheck + "initial = \"unknown\"").kind == "choice");
}

TEST_CASE("config: an owner can only fault", "[config][B04-]") {
  const std::string owner = instance("checks = [\"app\"]\npriority = 255\n");
  const Diagnostic refused = only(owner + kCheck);
  CHECK(refused.kind == "owner");
  CHECK(place(refused) == "5:11");
  CHECK(only(owner + kCheck + "on_fail = -20\n").kind == "owner");
  CHECK(only(owner + kCheck + "on_fail = \"fault\"\ndelivers_weight = true\n").kind == "owner");
  good(owner + kCheck + "on_fail = \"fault\"\n");
}

TEST_CASE("config: a weight beyond the priorities is said (B57), and so is a priority of the unfit", "[config]") {
  const Diagnostic low = only(instance("checks = [\"app\"]\npriority = 100\n") + kCheck + "on_fail = -100\n");
  CHECK(low.severity == Severity::warning);
  CHECK(low.message == "this takes the priority of \"web\" to 0; that counts as 2");
  CHECK(only(instance("checks = [\"app\"]\npriority = 254\n") + kCheck + "on_fail = 1\n").message ==
        "this takes the priority of \"web\" to 255; that counts as 254");
  CHECK(only(instance("checks = [\"app\"]\npriority = 1\n") + kCheck).message ==
        "priority 1 is that of a node whose check has failed");
  good(instance("checks = [\"app\"]\npriority = 100\n") + kCheck + "on_fail = -98\n");
}

TEST_CASE("config: warnings of a timeout beyond the interval and of a check that nobody lists", "[config]") {
  const Diagnostic slow = only(kListed + kCheck + "timeout = \"5s\"\n");
  CHECK(slow.severity == Severity::warning);
  CHECK(place(slow) == "8:11");
  good(kListed + kCheck + "timeout = \"5s\"\ninterval = \"5s\"\n");
  const Diagnostic unused = only(instance("") + kCheck);
  CHECK(unused.severity == Severity::warning);
  CHECK(unused.message == "no instance lists check \"app\"");
}

TEST_CASE("config: a check that one node's override lists is used, and its owner is an owner there", "[config]") {
  good(instance("") + kCheck + "[node.lb1.instance.web]\nchecks = [\"app\"]\n");
  const Diagnostic owner = only(kListed + kCheck + "[node.lb1.instance.web]\npriority = 255\n");
  CHECK(owner.kind == "owner");
}

TEST_CASE("plan: checks that are new, gone or changed", "[config]") {
  const Config before = good(kListed + kCheck), none = good(instance(""));
  const Config after = good(kListed + kCheck + "on_fail = -20\nfall = 5\n");
  const Plan changed = plan(before, after);
  CHECK(changed.instances.empty());
  REQUIRE(changed.checks.size() == 1);
  CHECK(changed.checks[0].fate == Fate::changed);
  REQUIRE(changed.checks[0].keys.size() == 2);
  CHECK(changed.checks[0].keys[1].key == "on_fail");
  CHECK(changed.checks[0].keys[1].before == "\"yield\"");
  CHECK(changed.checks[0].keys[1].after == "-20");
  CHECK(plan(none, before).checks.at(0).fate == Fate::added);
  CHECK(plan(before, none).checks.at(0).fate == Fate::removed);
  CHECK(plan(before, before).empty());
}

TEST_CASE("config: each kind of check, and what the runner is asked for", "[config]") {
  using Words = std::vector<std::string>;
  const auto asked = [](const std::string& lines) {
    const ParsedConfig parsed = parse_config(kListed + "[check.app]\n" + lines);
    INFO(lines << render(parsed.diagnostics, "f", lines, false));
    REQUIRE(parsed.config.has_value());
    const Words words = program_of(parsed.config->checks[0]);
    if (words.empty()) CHECK(parsed.programs.empty());
    if (!words.empty()) CHECK(parsed.programs.at(0).arguments == words);
    return words;
  };
  CHECK(asked("process = \"nginx\"") == Words{"count-processes", "nginx", "1"});
  CHECK(asked("process = \"/usr/sbin/nginx\"\ncount = 3") == Words{"count-processes", "/usr/sbin/nginx", "3"});
  for (const char* program : {"my-very-long-daemon.py", "/opt/x/daemon 600", "daemon -c /etc/x",
                              "nginx: master process", "/opt/my own/daemon"})
    CHECK(asked("process = \"" + std::string(program) + "\"") == Words{"count-processes", program, "1"});
  CHECK(asked("unit = \"nginx.service\"") == Words{"probe:unit", "nginx.service"});
  CHECK(asked("file = \"/run/fit\"") == Words{"probe:file", "/run/fit", ""});
  CHECK(asked("file = \"/run/fit\"\ndelivers_weight = true") == Words{"probe:file", "/run/fit", "content"});
  CHECK(asked("interface = \"eth1\"").empty());
  for (const char* target : {"localhost:80", "192.0.2.1:65535", "[2001:db8::1]:443"})
    CHECK(asked("tcp = \"" + std::string(target) + "\"") == Words{"probe:tcp", target});
  CHECK(asked("http = \"https://x/y\"") == Words{"probe:http", "https://x/y", "0", ""});
  CHECK(asked("http = \"http://x\"\nstatus = 204\ncontains = \"all is well\"") ==
        Words{"probe:http", "http://x", "204", "all is well"});
  CHECK(asked("ping = \"2001:db8::1\"") == Words{"probe:ping", "2001:db8::1"});
}

TEST_CASE("config: the table of kinds has the kinds in their order", "[config]") {
  for (const CheckKind& kind : check_kinds()) {
    INFO(kind.name());
    CheckConfig check;
    kind.keys.front().slot(check);
    CHECK(&kind_of(check) == &kind);
    for (const auto& key : kind.keys) key.slot(check);
    CHECK(&kind_of(check) == &kind);
  }
}

TEST_CASE("config: the keys of a kind may stand in any order", "[config]") {
  const Config config = good(kListed + "[check.app]\ncount = 3\nprocess = \"nginx\"\n");
  CHECK(config.checks[0].kind == decltype(CheckConfig::kind)(ProcessCheck{"nginx", 3}));
}

TEST_CASE("plan: a check that becomes one of another kind", "[config]") {
  const Plan changed = plan(good(kListed + kCheck), good(kListed + "[check.app]\nprocess = \"a\"\ncount = 2\n"));
  REQUIRE(changed.checks.size() == 1);
  std::string text;
  for (const KeyChange& key : changed.checks[0].keys)
    text += std::string(key.key) + ": " + key.before + " -> " + key.after + "; ";
  CHECK(text == "command: [\"/usr/bin/true\", \"x\"] -> ; process:  -> \"a\"; count: 1 -> 2; ");
}

TEST_CASE("config: a check asks for exactly one thing, with the keys that belong to it", "[config]") {
  const auto kind = [](const std::string& lines) { return only(kListed + "[check.app]\n" + lines).kind; };
  CHECK(kind("interval = \"1s\"\n") == "missing-key");
  CHECK(kind("file = \"/x\"\ntcp = \"x:1\"\n") == "conflict");
  CHECK(kind("file = \"/x\"\ncount = 2\n") == "conflict");
  CHECK(kind("tcp = \"x:1\"\nstatus = 200\n") == "conflict");
  CHECK(kind("tcp = \"x:1\"\ndelivers_weight = true\n") == "conflict");
  CHECK(kind("proces = \"nginx\"\n") == "unknown-key");
}

TEST_CASE("config: what no check can ask for is refused", "[config]") {
  for (const char* line :
       {"tcp = \"localhost\"", "tcp = \":80\"", "tcp = \"x:0\"", "tcp = \"x:65536\"", "tcp = \"2001:db8::1:80\"",
        "http = \"localhost\"", "http = \"ftp://x\"", "http = \"http://x y\"", "file = \"fit\"", "process = \"a/b\"",
        "process = \"\"", "process = \"./a\"", "process = \"bin/a 600\"", "process = \" nginx\"",
        "process = \"nginx \"", "process = \"/opt/x/\"", "unit = \"a b\"", "contains = \"\"\nhttp = \"http://x\""}) {
    INFO(line);
    CHECK(only(kListed + "[check.app]\n" + line + "\n").kind == "value");
  }
  CHECK(only(kListed + "[check.app]\nprocess = \"bin/a\"\n").hint ==
        "write its absolute path, or its name alone: \"a\"");
  CHECK(only(kListed + "[check.app]\nping = \"gateway\"\n").kind == "address");
  CHECK(only(kListed + "[check.app]\ninterface = \"far-too-long-a-name\"\n").kind == "interface");
}
