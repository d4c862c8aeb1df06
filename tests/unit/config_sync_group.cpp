// [sync_group.NAME]: instances that are all Active or none.
#include <string>

#include "support/catch.hpp"
#include "support/parsed.hpp"
#include "vipd/config/parse.hpp"

using namespace vipd;
using namespace vipd::test;

namespace {

std::string instance(const std::string& name, int vrid, const std::string& more = "") {
  return "[instance." + name + "]\ninterface = \"eth0\"\nvrid = " + std::to_string(vrid) + "\naddresses = [\"192.0.2." +
         std::to_string(vrid) + "/24\"]\n" + more;
}

const std::string kTwo = instance("lan", 51) + instance("wan", 52);  // 8 lines

}  // namespace

TEST_CASE("config: a sync group knows its instances and they know it, wherever it stands", "[config]") {
  const std::string group = "[sync_group.edge]\ninstances = [\"lan\", \"wan\"]\nhooks.any = [\"/g\", \"x\"]\n";
  const Config config = good(GENERATE_COPY(kTwo + group, group + kTwo));
  REQUIRE(config.sync_groups.size() == 1);
  CHECK(config.sync_groups[0].name == "edge");
  CHECK(config.sync_groups[0].instances == std::vector<std::string>{"lan", "wan"});
  CHECK(config.sync_groups[0].hooks.any == std::vector<std::string>{"/g", "x"});
  for (const auto& one : config.instances) CHECK(one.sync_group == "edge");
}

TEST_CASE("config: the programs of a sync group are named, so that they can be run", "[config]") {
  const auto parsed = parse_config(kTwo + "[sync_group.edge]\ninstances = [\"lan\", \"wan\"]\n" +
                                   "hooks.any = \"/any\"\nhooks.fault = [\"/fault\", \"x\"]\n");
  REQUIRE(parsed.programs.size() == 2);
  CHECK(parsed.programs[0].arguments == std::vector<std::string>{"/any"});
  CHECK(parsed.programs[0].notify);
  CHECK(parsed.programs[1].arguments == std::vector<std::string>{"/fault", "x"});
  CHECK_FALSE(parsed.programs[1].notify);
  CHECK(parsed.programs[1].place.line == 12);
}

TEST_CASE("config: a member that does not exist is refused where it stands, with a suggestion", "[config]") {
  const Diagnostic one = only(kTwo + "[sync_group.edge]\ninstances = [\"lan\", \"wam\"]\n");
  CHECK(one.kind == "unknown-instance");
  CHECK(place(one) == "10:21");
  CHECK(one.message == "there is no [instance.wam]");
  CHECK(one.hint == "did you mean \"wan\"?");
}

TEST_CASE("config: a member under a header that is wrong is not missing as well", "[config]") {
  CHECK(only(instance("lan", 51) + "[instnce.wan]\n[sync_group.edge]\ninstances = [\"lan\", \"wan\"]\n").kind ==
        "unknown-table");
}

TEST_CASE("config: an instance is in one sync group, and once", "[config]") {
  const std::string three = kTwo + instance("dmz", 53) + "[sync_group.a]\ninstances = [\"lan\", \"wan\"]\n";
  const Diagnostic twice = only(three + "[sync_group.b]\ninstances = [\"dmz\", \"wan\"]\n");
  CHECK(twice.kind == "conflict");
  CHECK(place(twice) == "16:21");
  CHECK(twice.message == "instance \"wan\" is also in sync group \"a\" (line 14)");
  const Diagnostic again = only(kTwo + "[sync_group.a]\ninstances = [\"lan\", \"wan\", \"lan\"]\n");
  CHECK(again.kind == "conflict");
  CHECK(place(again) == "10:28");
}

TEST_CASE("config: a sync group without instances is refused, one of a single instance is warned of", "[config]") {
  CHECK(only(kTwo + "[sync_group.a]\ninstances = []\n").kind == "missing-key");
  CHECK(only(kTwo + "[sync_group.a]\n").kind == "missing-key");
  CHECK(only(kTwo + "[sync_group.a]\nhooks.any = \"/g\"\n").kind == "missing-key");
  const Diagnostic single = only(kTwo + "[sync_group.a]\ninstances = [\"lan\"]\n");
  CHECK(single.severity == Severity::warning);
  CHECK(place(single) == "10:14");
}

TEST_CASE("config: where priorities in a sync group differ, a warning says which counts", "[config]") {
  const std::string text = instance("lan", 51, "priority = 254\n") + instance("wan", 52, "priority = 253\n") +
                           "[sync_group.a]\ninstances = [\"lan\", \"wan\"]\n";
  const Diagnostic one = only(text);
  CHECK(one.severity == Severity::warning);
  CHECK(one.message == "the instances of a sync group share one priority, the lowest: 253 of \"wan\"");
  CHECK(place(one) == "12:14");
  SECTION("also when an override makes the difference, and once") {
    CHECK(place(only(kTwo + "[sync_group.a]\ninstances = [\"lan\", \"wan\"]\n"
                            "[node.lb2.instance.lan]\npriority = 99\n[node.lb3.instance.lan]\npriority = 99\n")) ==
          "10:14");
  }
}

TEST_CASE("config: what cannot be a sync group, or a name in one", "[config]") {
  CHECK(only(kTwo + "sync_group = 1\n").kind == "unknown-key");
  CHECK(only("sync_group = 1\n" + kTwo).kind == "type");
  CHECK(only(kTwo + "[sync_group]\ninstances = [\"lan\", \"wan\"]\n").kind == "name");
  CHECK(only(kTwo + "[sync_group.\"a b\"]\ninstances = [\"lan\", \"wan\"]\n").kind == "name");
  CHECK(only(kTwo + "[sync_group.a]\ninstances = \"lan\"\n").kind == "type");
  CHECK(only(kTwo + "[sync_group.a]\ninstances = [\"lan\", 5]\n").kind == "type");
  CHECK(only(kTwo + "[sync_group.a]\ninstances = [\"lan\", \"w n\"]\n").kind == "name");
  CHECK(only(kTwo + "[sync_group.a]\ninstances = [\"lan\", \"wan\"]\npriority = 5\n").kind == "unknown-key");
  CHECK(only(kTwo + "[sync_group.a]\ninstances = [\"lan\", \"wan\"]\nhooks.any = \"g\"\n").kind == "script-security");
}

TEST_CASE("config: keepalived's words for sync groups have a hint", "[config]") {
  const std::string members = "[sync_group.a]\ngroup = [\"lan\", \"wan\"]\n";
  CHECK(only(kTwo + members).hint.find("instances = ") != std::string::npos);
  CHECK(only(kTwo + "[vrrp_sync_group.a]\n").hint.find("[sync_group.NAME]") != std::string::npos);
  CHECK(only(kTwo + "[sync_groups.a]\n").hint == "did you mean [sync_group.NAME]?");
}
