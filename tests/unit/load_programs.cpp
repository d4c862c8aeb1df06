#include "vipd/load/programs.hpp"

#include "support/catch.hpp"

using namespace vipd;

namespace {

using Words = std::vector<std::string>;

std::vector<NamedProgram> programs() {
  const std::string text =
      "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n"
      "hooks.active = [\"/usr/bin/env\", \"up\"]\nhooks.any = \"/tmp/any\"\nhooks.fault = \"/tmp/any\"\n";
  ParsedConfig parsed = parse_config(text);
  REQUIRE(parsed.config);
  return std::move(parsed.programs);
}

}  // namespace

TEST_CASE("programs: the configuration names each with its arguments and its place") {
  const auto named = programs();
  REQUIRE(named.size() == 3);
  CHECK(named[0].arguments == Words{"/usr/bin/env", "up"});
  CHECK_FALSE(named[0].notify);
  CHECK((named[0].place.line == 5 && named[0].place.column == 17));
  CHECK(named[1].notify);
  CHECK((named[1].place.line == 6 && named[1].place.column == 13));
}

TEST_CASE("programs: those of another node's overrides are not this node's") {
  const ConfigSource source{
      "vipd.toml",
      "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\nhooks.any = \"/all\"\n"
      "[node.lb2.instance.web]\nhooks.any = \"/second\"\nhooks.stop = \"/halt\"\n"};
  const auto on = [&](const std::string& host) {
    Words paths;
    for (const auto& program : parse_config({&source, 1}, host).programs) paths.push_back(program.arguments.front());
    return paths;
  };
  CHECK(on("lb1") == Words{"/all"});
  CHECK(on("lb2") == Words{"/second", "/halt"});
}

TEST_CASE("programs: those of hooks.d are run as notify scripts") {
  auto named = programs();
  add_shared_hooks({"/etc/vipd/hooks.d/10-log"}, named);
  CHECK(is_named(named, Words{"/etc/vipd/hooks.d/10-log", "INSTANCE", "web", "MASTER", "254"}));
  CHECK_FALSE(is_named(named, Words{"/etc/vipd/hooks.d/10-log"}));
  CHECK_FALSE(is_named(named, Words{"/etc/vipd/hooks.d/20-other", "INSTANCE", "web", "MASTER", "254"}));
}

TEST_CASE("programs: a path that is unfit is complained of once, where it stands") {
  const auto diagnostics = check_programs(programs());
  REQUIRE(diagnostics.size() == 1);
  CHECK(diagnostics[0].kind == "script-security");
  CHECK(diagnostics[0].severity == Severity::error);
  CHECK((diagnostics[0].line == 6 && diagnostics[0].column == 13));
  CHECK(diagnostics[0].message == "refusing /tmp/any: directory /tmp is writable by others (mode 1777)");
  CHECK(diagnostics[0].hint == "move it under /etc, owner root, mode 0755");
}

TEST_CASE("programs: a process check that can never pass is warned of, where it stands") {
  const auto warnings = [](const std::string& process) {
    const std::string text =
        "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\nchecks = [\"app\"]\n"
        "[check.app]\nprocess = \"" +
        process + "\"\n";
    const ParsedConfig parsed = parse_config(text);
    REQUIRE(parsed.config);
    CHECK(check_programs(parsed.programs).empty());
    return check_processes(parsed.programs);
  };
  CHECK(warnings("/bin/sh").empty());
  CHECK(warnings("/bin/sh /opt/x/daemon").empty());
  CHECK(warnings("nginx").empty());
  const auto missing = warnings("/opt/not-there/daemon 600");
  REQUIRE(missing.size() == 1);
  CHECK((missing[0].severity == Severity::warning && missing[0].kind == "process"));
  CHECK((missing[0].line == 7 && missing[0].column == 11));
  CHECK(missing[0].message == "no process can run this now: there is no /opt/not-there/daemon");
  CHECK(warnings("/etc").at(0).message == "no process can run this now: /etc is a directory");
}

TEST_CASE("programs: only what is named may run, with the words of a notify script only where they belong") {
  const auto named = programs();
  const auto may = [&](const Words& arguments) { return is_named(named, arguments); };
  CHECK(may({"/usr/bin/env", "up"}));
  CHECK(may({"/tmp/any", "INSTANCE", "web", "MASTER", "254"}));
  CHECK(may({"/tmp/any", "GROUP", "edge", "FAULT", "0"}));
  CHECK(may({"/tmp/any"}));  // hooks.fault names it, too
  for (const Words& arguments :
       {Words{}, Words{"/usr/bin/env"}, Words{"/usr/bin/env", "up", "more"}, Words{"/usr/bin/env", "down"},
        Words{"/bin/sh", "-c", "id"}, Words{"/usr/bin/env", "up", "INSTANCE", "web", "MASTER", "254"},
        Words{"/tmp/any", "INSTANCE", "web", "MASTER"}, Words{"/tmp/any", "INSTANCE", "web;id", "MASTER", "254"},
        Words{"/tmp/any", "INSTANCE", "web", "ROOT", "254"}, Words{"/tmp/any", "INSTANCE", "web", "MASTER", "-1"},
        Words{"/tmp/any", "INSTANCE", "web", "MASTER", "254", "x"}, Words{"/tmp/any", "OTHER", "web", "MASTER", "1"}})
    CHECK_FALSE(may(arguments));
}

TEST_CASE("programs: an environment is VIPD_ variables and nothing else") {
  CHECK(is_harmless(Words{"VIPD_STATE=active", "VIPD_PEER="}));
  CHECK(is_harmless(Words{}));
  for (const char* entry : {"LD_PRELOAD=/tmp/x.so", "BASH_ENV=/tmp/x", "PATH=/tmp", "VIPD_STATE", " VIPD_STATE=a"})
    CHECK_FALSE(is_harmless(Words{entry}));
  CHECK_FALSE(is_harmless(Words{std::string("VIPD_X=a\0LD_PRELOAD=x", 21)}));
}
