// The changes of a reload: every key counts, and equal values do not.
#include <map>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/plan.hpp"
#include "vipd/config/schema.hpp"

using namespace vipd;
using vipd::test::read_file;

namespace {

const std::string kWeb = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";

Config config_of(const std::string& text) {
  const ParsedConfig parsed = parse_config(text);
  INFO(text);
  REQUIRE(parsed.config.has_value());
  return *parsed.config;
}

Plan plan_of(const std::string& before, const std::string& after) { return plan(config_of(before), config_of(after)); }

/// The change of the only instance.
InstanceChange change_of(const std::string& before, const std::string& after) {
  const Plan result = plan_of(before, after);
  REQUIRE(result.instances.size() == 1);
  return result.instances[0];
}

}  // namespace

TEST_CASE("plan: the same configuration changes nothing", "[config][plan]") {
  const std::string full = read_file("tests/data/config/full.toml");
  CHECK(plan_of(full, full).empty());
  CHECK(plan_of(kWeb, "# a remark\n" + kWeb + "preempt = true  # the default\n").empty());
}

TEST_CASE("plan: a key with another value says both", "[config][plan]") {
  const InstanceChange change = change_of(kWeb + "priority = 254\n", kWeb + "priority = 200\nhooks.any = \"/bin/x\"\n");
  CHECK(change.fate == Fate::changed);
  CHECK(change.name == "web");
  REQUIRE(change.keys.size() == 2);
  CHECK(change.keys[0].key == "priority");
  CHECK(change.keys[0].before == "254");
  CHECK(change.keys[0].after == "200");
  CHECK(change.keys[1].key == "hooks.any");
  CHECK(change.keys[1].before.empty());
  CHECK(change.keys[1].after == "[\"/bin/x\"]");
}

TEST_CASE("plan: every key of an instance is seen", "[config][plan]") {
  std::vector<std::string_view> seen;
  for (const char* file : {"tests/data/config/full.toml", "tests/data/config/version2.toml"}) {
    const Config all = config_of(read_file(file));
    Config plain = all;
    for (InstanceConfig& instance : plain.instances) {
      InstanceConfig bare;
      bare.name = instance.name;
      bare.addresses = {{{.prefix = {*IpAddress::parse("203.0.113.1"), 32}}}};
      instance = bare;
    }
    for (const InstanceChange& change : plan(plain, all).instances)
      for (const KeyChange& key : change.keys) seen.push_back(key.key);
  }
  for (const KeySpec& key : schema()) {
    if (key.table != "instance") continue;
    INFO(key.name);
    CHECK(std::ranges::find(seen, key.name) != seen.end());
  }
}

TEST_CASE("plan: lists of tables are shown as they would be written", "[config][plan]") {
  const std::string after =
      kWeb.substr(0, kWeb.find("addresses")) + R"(peers = [{address = "192.0.2.2", min_hop_limit = 64}]
addresses = ["192.0.2.10/24", {address = "192.0.2.11", label = "eth0:vip", scope = "link", advertise = false}]
routes = [{type = "unicast", to = "default", via = "192.0.2.1", table = 10}, {to = "10.0.0.0/8", type = "blackhole"}]
rules = [{priority = 100, from = "192.0.2.10/32", table = 10}]
announce.form = "both"
)";
  const InstanceChange change = change_of(kWeb, after);
  std::map<std::string_view, std::string> now;
  for (const KeyChange& key : change.keys) now[key.key] = key.after;
  CHECK(now.size() == 5);
  CHECK(now["peers"] == R"([{address = "192.0.2.2", min_hop_limit = 64}])");
  CHECK(now["addresses"] ==
        R"(["192.0.2.10/24", {address = "192.0.2.11", label = "eth0:vip", scope = "link", advertise = false}])");
  CHECK(now["routes"] ==
        R"([{to = "default", via = "192.0.2.1", table = 10}, {to = "10.0.0.0/8", type = "blackhole"}])");
  CHECK(now["rules"] == R"([{from = "192.0.2.10/32", table = 10, priority = 100}])");
  CHECK(now["announce.form"] == R"("both")");
  CHECK(change.keys[0].before == R"(["192.0.2.10/24"])");
}

TEST_CASE("plan: what differs only where a message would be cut short is seen", "[config][plan]") {
  const std::string path(300, 'x');
  CHECK(change_of(kWeb + "hooks.any = \"/" + path + "a\"\n", kWeb + "hooks.any = \"/" + path + "b\"\n").keys.size() ==
        1);
}

TEST_CASE("plan: of many entries those are said that differ", "[config][plan]") {
  const auto with = [](const std::vector<int>& last) {
    std::string list;
    for (const int number : last) list += "\"192.0.2." + std::to_string(number) + "/32\",";
    return kWeb.substr(0, kWeb.find("addresses")) + "addresses = [" + list + "]\n";
  };
  const auto change = [&](const std::vector<int>& before, const std::vector<int>& after) {
    const KeyChange key = change_of(with(before), with(after)).keys.at(0);
    return key.before + " -> " + key.after;
  };
  CHECK(change({1, 2, 3, 4}, {1, 2, 3, 4, 9}) == R"([...] -> [..., "192.0.2.9/32"])");
  CHECK(change({1, 2, 3, 4, 9, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8}) == R"([..., "192.0.2.9/32", ...] -> [...])");
  CHECK(change({1, 5, 6, 7, 8}, {2, 5, 6, 7, 8}) == R"(["192.0.2.1/32", ...] -> ["192.0.2.2/32", ...])");
  CHECK(change({1, 2}, {1, 3}) == R"(["192.0.2.1/32", "192.0.2.2/32"] -> ["192.0.2.1/32", "192.0.2.3/32"])");
}

TEST_CASE("plan: instances come and go", "[config][plan]") {
  const std::string db = "[instance.db]\ninterface = \"eth0\"\nvrid = 52\naddresses = [\"192.0.2.11/24\"]\n";
  const Plan added = plan_of(kWeb, kWeb + db);
  REQUIRE(added.instances.size() == 1);
  CHECK(added.instances[0].name == "db");  // and not "web"
  CHECK(added.instances[0].fate == Fate::added);
  const Plan swapped = plan_of(kWeb, db);
  REQUIRE(swapped.instances.size() == 2);
  CHECK(swapped.instances[0].fate == Fate::removed);
  CHECK(swapped.instances[1].fate == Fate::added);
  CHECK(plan_of(kWeb + db, db + kWeb).empty());  // the order does not matter
}

TEST_CASE("plan: another interface, VRID or family is another virtual router", "[config][plan]") {
  for (const char* other : {"interface = \"eth1\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n",
                            "interface = \"eth0\"\nvrid = 52\naddresses = [\"192.0.2.10/24\"]\n",
                            "interface = \"eth0\"\nvrid = 51\naddresses = [\"fe80::10/64\"]\n"}) {
    CHECK(change_of(kWeb, std::string("[instance.web]\n") + other).fate == Fate::restarted);
  }
  CHECK(change_of(kWeb, "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.11/24\"]\n").fate ==
        Fate::changed);
}

namespace {

/// The changes of each instance and its sync group: "c: changed leaves g joins h".
std::string memberships(const Plan& plan) {
  std::string text;
  for (const InstanceChange& change : plan.instances)
    text += (text.empty() ? "" : ", ") + change.name + ": " + std::string(to_string(change.fate)) +
            (change.leaves.empty() ? "" : " leaves " + change.leaves) +
            (change.joins.empty() ? "" : " joins " + change.joins);
  return text;
}

}  // namespace

TEST_CASE("plan: a sync group goes on with whom a reload does not make another router (F9)", "[config][plan]") {
  const auto instance = [](const std::string& name, int vrid) {
    const std::string number = std::to_string(vrid);
    return "[instance." + name + "]\ninterface = \"eth0\"\nvrid = " + number + "\naddresses = [\"192.0.2." + number +
           "/24\"]\n";
  };
  const std::string three = instance("a", 51) + instance("b", 52) + instance("c", 53);
  const std::string group = "[sync_group.g]\ninstances = [\"a\", \"b\"]\n";
  SECTION("its hooks alone touch no instance") {
    const Plan hooks = plan_of(three + group, three + group + "hooks.any = \"/g\"\n");
    CHECK(hooks.instances.empty());
    REQUIRE(hooks.sync_groups.size() == 1);
    CHECK(hooks.sync_groups[0].fate == Fate::changed);
    CHECK(hooks.sync_groups[0].keys.at(0).key == "hooks.any");
  }
  SECTION("a member that is another router leaves the others where they are") {
    const Plan moved = plan_of(three + group, instance("a", 51) + instance("b", 99) + instance("c", 53) + group);
    REQUIRE(moved.instances.size() == 1);
    CHECK(moved.instances[0].name == "b");
    CHECK(moved.instances[0].fate == Fate::restarted);
  }
  SECTION("so does one that joins or leaves, and a group that comes, goes or gets another name") {
    const std::string all = "[sync_group.g]\ninstances = [\"a\", \"b\", \"c\"]\n";
    const Plan joined = plan_of(three + group, three + all);
    CHECK(memberships(joined) == "c: changed joins g");
    CHECK(joined.sync_groups.at(0).keys.at(0).after == R"(["a", "b", "c"])");
    CHECK(memberships(plan_of(three + all, three + group)) == "c: changed leaves g");
    const Plan formed = plan_of(three, three + group);
    CHECK(memberships(formed) == "a: changed joins g, b: changed joins g");
    CHECK(formed.sync_groups.at(0).fate == Fate::added);
    const Plan dissolved = plan_of(three + group, three);
    CHECK(memberships(dissolved) == "a: changed leaves g, b: changed leaves g");
    CHECK(dissolved.sync_groups.at(0).fate == Fate::removed);
    const std::string other = "[sync_group.h]\ninstances = [\"a\", \"b\"]\n";
    CHECK(memberships(plan_of(three + group, three + other)) ==
          "a: changed leaves g joins h, b: changed leaves g joins h");
  }
  SECTION("an instance that comes into a group, or is another router there, says so") {
    const std::string two = instance("a", 51) + instance("b", 52);
    const std::string all = "[sync_group.g]\ninstances = [\"a\", \"b\", \"c\"]\n";
    CHECK(memberships(plan_of(two + group, three + all)) == "c: new joins g");
    CHECK(memberships(plan_of(three + group, two + instance("c", 99) + all)) == "c: restart joins g");
    CHECK(memberships(plan_of(three + all, two + group)) == "c: removed");
  }
}

TEST_CASE("plan: the node's name", "[config][plan]") {
  const Plan renamed = plan_of(kWeb, kWeb + "[node]\nname = \"lb9\"\n");
  CHECK(renamed.instances.empty());
  REQUIRE(renamed.node.size() == 1);
  CHECK(renamed.node[0].after == "\"lb9\"");
}

TEST_CASE("plan: programs that have come to hooks.d", "[config][plan]") {
  Config before = *parse_config(kWeb).config, after = before;
  after.hooks_d = {"/etc/vipd/hooks.d/10-log"};
  const Plan changed = plan(before, after);
  REQUIRE(changed.node.size() == 1);
  CHECK(changed.node[0].key == "hooks.d");
  CHECK(changed.node[0].before.empty());
  CHECK(changed.node[0].after == "[\"/etc/vipd/hooks.d/10-log\"]");
}
