#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "vipd/config/parse.hpp"

using namespace vipd;
using vipd::test::read_file;

namespace {

using Sources = std::vector<ConfigSource>;

std::string instance(const std::string& name, int vrid, const std::string& more = "") {
  const std::string number = std::to_string(vrid);
  return "[instance." + name + "]\ninterface = \"eth0\"\nvrid = " + number + "\naddresses = [\"192.0.2." + number +
         "/24\"]\n" + more;
}

/// All diagnostics as the operator sees their first lines.
std::string heads(const Sources& sources, std::string_view host = "") {
  std::string result;
  for (const Diagnostic& one : parse_config(sources, host).diagnostics) {
    result += render({one}, sources, false);
    result.erase(result.find('\n', result.rfind(": error[")) + 1);
  }
  return result;
}

/// The config on `host`, which has no diagnostics.
Config good(const Sources& sources, std::string_view host = "") {
  INFO(heads(sources, host));
  ParsedConfig parsed = parse_config(sources, host);
  REQUIRE(parsed.config.has_value());
  CHECK(parsed.diagnostics.empty());
  return *parsed.config;
}

Config good(const std::string& text, std::string_view host) { return good(Sources{{"vipd.toml", text}}, host); }
std::string heads(const std::string& text, std::string_view host = "") {
  return heads(Sources{{"vipd.toml", text}}, host);
}

}  // namespace

TEST_CASE("files: several are one configuration, in their order", "[config][files]") {
  const Config config = good({{"vipd.toml", "[node]\nname = \"lb1\"\n" + instance("z", 9)},
                              {"conf.d/a.toml", instance("b", 2)},
                              {"conf.d/b.toml", "# nothing\n"},
                              {"conf.d/c.toml", instance("a", 1)}});
  CHECK(config.node == "lb1");
  REQUIRE(config.instances.size() == 3);
  CHECK(config.instances[0].name == "z");
  CHECK(config.instances[1].name == "b");
  CHECK(config.instances[2].name == "a");
}

TEST_CASE("files: an instance may stand in any of them", "[config][files]") {
  CHECK(good({{"vipd.toml", ""}, {"conf.d/web.toml", instance("web", 1)}}).instances.size() == 1);
  CHECK(heads({{"vipd.toml", ""}, {"conf.d/web.toml", ""}}) ==
        "vipd.toml:1:1: error[missing-key]: there is no [instance.NAME]\n");
}

TEST_CASE("files: what has a name is defined in one of them", "[config][files]") {
  CHECK(heads({{"vipd.toml", "\n" + instance("web", 1)}, {"conf.d/web.toml", "# again\n" + instance("web", 2)}}) ==
        "conf.d/web.toml:2:1: error[duplicate-table]: [instance.web] is defined in two files; first at vipd.toml:2\n");
  CHECK(heads({{"vipd.toml", "[node]\nname = \"a\"\n" + instance("web", 1)}, {"b.toml", "[node]\n\nname = \"b\"\n"}}) ==
        "b.toml:3:1: error[duplicate-key]: \"name\" in [node] is defined in two files; first at vipd.toml:2\n");
  CHECK(heads({{"vipd.toml", instance("web", 1)},
               {"b.toml", "[node.x.instance.web]\npriority = 1\n"},
               {"c.toml", "[node.x.instance.web]\npriority = 2\n"}}) ==
        "c.toml:1:1: error[duplicate-table]: [node.x.instance.web] is defined in two files; first at b.toml:1\n");
}

TEST_CASE("files: errors of all come out of one run, each with its file", "[config][files]") {
  const Sources sources{{"vipd.toml", instance("web", 1, "prioritty = 5\n")},
                        {"conf.d/bad.toml", "[instance.x\n"},
                        {"conf.d/db.toml", instance("db", 2, "priority = 256\n")}};
  CHECK(heads(sources) ==
        "vipd.toml:5:1: error[unknown-key]: unknown key \"prioritty\" in [instance.web]\n"
        "conf.d/bad.toml:1:12: error[syntax]: expected \"]\" at the end of the table's name\n"
        "conf.d/db.toml:5:12: error[range]: \"priority\" must be 1..255, got 256\n");
}

TEST_CASE("files: a collision across files names both and shows the line of its own", "[config][files]") {
  const Sources sources{{"vipd.toml", instance("web", 1)}, {"conf.d/db.toml", "\n" + instance("db", 1)}};
  const ParsedConfig parsed = parse_config(sources, "");
  REQUIRE(parsed.diagnostics.size() == 2);
  CHECK(render({parsed.diagnostics[0]}, sources, false) ==
        "conf.d/db.toml:4:8: error[conflict]: vrid 1 is already used on eth0 for IPv4 by instance \"web\" "
        "(vipd.toml:3)\n"
        "  4 | vrid = 1\n"
        "    |        ^\n"
        "  other place: vipd.toml:3\n"
        "  hint: each instance on an interface needs a vrid of its own\n");
}

TEST_CASE("files: a required key that may be in a part that was not read is not missed, elsewhere it is",
          "[config][files]") {
  CHECK(heads({{"a.toml", "[instance.a]\nvrid = 1\ninterface = eth0\naddresses = [\"192.0.2.1/24\"]\n"},
               {"b.toml", "[instance.b]\nvrid = 2\ninterface = \"eth0\"\n"}}) ==
        "a.toml:3:13: error[syntax]: \"eth0\" needs quotes\n"
        "b.toml:1:1: error[missing-key]: [instance.b]: required key \"addresses\" is missing (table starts here)\n");
}

namespace {

const std::string kOneFile = instance("web", 1, "hooks.any = \"/bin/any\"\nhooks.stop = \"/bin/stop\"\n") +
                             "[node.lb1.instance.web]\npriority = 254\ninterface = \"ens3\"\nhooks.any = \"/bin/lb1\"\n"
                             "[node.\"lb2.example.org\".instance.web]\npriority = 253\n"
                             "addresses = [\"192.0.2.77/24\", \"192.0.2.78/24\"]\n";

}  // namespace

TEST_CASE("overrides: the same file means something else on each node", "[config][overrides]") {
  const InstanceConfig first = good(kOneFile, "lb1").instances.at(0);
  CHECK(first.priority == 254);
  CHECK(first.interface == "ens3");
  CHECK(first.vrid == 1);
  CHECK(first.addresses.size() == 1);
  CHECK(first.hooks.any == std::vector<std::string>{"/bin/lb1"});
  CHECK(first.hooks.stop == std::vector<std::string>{"/bin/stop"});

  const InstanceConfig second = good(kOneFile, "lb2.example.org").instances.at(0);
  CHECK(second.priority == 253);
  CHECK(second.interface == "eth0");
  REQUIRE(second.addresses.size() == 2);  // replaced, not added to
  CHECK(second.addresses[0].prefix.to_string() == "192.0.2.77/24");

  const InstanceConfig other = good(kOneFile, "lb3").instances.at(0);
  CHECK(other.priority == 100);
  CHECK(other.addresses[0].prefix.to_string() == "192.0.2.1/24");
}

TEST_CASE("overrides: a node is known by its name, its host's name or the first label of that", "[config][overrides]") {
  const auto priority = [](const std::string& text, std::string_view host) {
    return int{good(text, host).instances.at(0).priority};
  };
  CHECK(priority(kOneFile, "lb1.example.org") == 254);
  CHECK(priority(kOneFile, "lb2") == 100);
  CHECK(priority(kOneFile, "lb11") == 100);
  CHECK(priority("[node]\nname = \"lb1\"\n" + kOneFile, "lb2.example.org") == 254);
  CHECK(priority("[node]\nname = \"other\"\n" + kOneFile, "lb1") == 100);
  const std::string both = kOneFile + "[node.\"lb1.example.org\".instance.web]\npriority = 9\n";
  CHECK(priority(both, "lb1.example.org") == 9);
  CHECK(priority(both, "lb1") == 254);
}

TEST_CASE("overrides: it is said which apply", "[config][overrides]") {
  const auto said = [](const std::string& text, std::string_view host) {
    const Sources sources{{"vipd.toml", text}};
    return parse_config(sources, host).overrides;
  };
  CHECK(said(kOneFile, "lb1.example.org") == "the overrides of [node.lb1] apply");
  CHECK(said(kOneFile, "lb3") == "no overrides are for this node, \"lb3\"");
  CHECK(said("[node]\nname = \"x\"\n" + kOneFile, "lb1") == "no overrides are for this node, \"x\"");
  CHECK(said(instance("web", 1), "lb1").empty());
}

TEST_CASE("overrides: those of all nodes are checked on each", "[config][overrides]") {
  const std::string text = instance("web", 1, "preempt = false\n") + instance("db", 2) +
                           "[node.a.instance.web]\nprioritty = 254\n"                // 11
                           "[node.b.instance.web]\npriority = 255\n"                 // 13
                           "[node.c.instance.db]\naddresses = [\"192.0.2.1/24\"]\n"  // 15
                           "[node.d.instance.wbe]\npriority = 0\n";                  // 17
  const std::string expected =
      "vipd.toml:5:11: error[owner]: preempt = false has no effect with priority 255: the owner always preempts (RFC "
      "9568 6.1)\n"
      "vipd.toml:11:1: error[unknown-key]: unknown key \"prioritty\" in [node.a.instance.web]\n"
      "vipd.toml:15:14: error[conflict]: virtual address 192.0.2.1 is also in instance \"web\" (line 4)\n"
      "vipd.toml:16:18: error[unknown-table]: there is no [instance.wbe] to override\n"
      "vipd.toml:17:12: error[range]: \"priority\" must be 1..255; 0 is reserved on the wire for \"I am leaving\"\n";
  CHECK(heads(text) == expected);
  CHECK(heads(text, "a") == expected);
}

TEST_CASE("overrides: what is wrong on every node is said once", "[config][overrides]") {
  CHECK(heads(instance("web", 1) + instance("db", 1) +
              "[node.a.instance.web]\npriority = 1\n[node.b.instance.web]\npriority = 2\n") ==
        "vipd.toml:7:8: error[conflict]: vrid 1 is already used on eth0 for IPv4 by instance \"web\" (line 3)\n"
        "vipd.toml:8:14: error[conflict]: virtual address 192.0.2.1 is also in instance \"web\" (line 4)\n");
}

TEST_CASE("overrides: nothing but instances can be overridden", "[config][overrides]") {
  const std::string web = instance("web", 1);
  CHECK(heads(web + "[node.a]\npriority = 1\n") ==
        "vipd.toml:6:1: error[unknown-key]: unknown key \"priority\" in [node.a]\n");
  CHECK(heads(web + "[node.a.b.instance.web]\npriority = 1\n") ==
        "vipd.toml:5:9: error[unknown-table]: unknown table \"b\" in [node.a]\n");
  CHECK(heads(web + "[node.a.instance]\npriority = 1\n") ==
        "vipd.toml:6:12: error[type]: \"node.a.instance.priority\" must be a table, got the integer 1\n");
  CHECK(heads(web + "[node.a]\ninstance = 1\n") ==
        "vipd.toml:6:1: error[unknown-key]: unknown key \"instance\" in [node.a]\n");
  CHECK(heads(web + "[node.\"a b\".instance.web]\npriority = 1\n") ==
        "vipd.toml:5:7: error[name]: \"a b\" is not the name of a node\n");
  CHECK(heads(web + "[node.name.instance.web]\npriority = 1\n") ==
        "vipd.toml:5:1: error[type]: \"name\" must be 1 to 64 characters of A-Z a-z 0-9 _ . -, got a table\n");
}

TEST_CASE("overrides: required keys stand in the instance itself", "[config][overrides]") {
  CHECK(heads("[instance.web]\nvrid = 1\naddresses = [\"192.0.2.1/24\"]\n"
              "[node.a.instance.web]\ninterface = \"eth0\"\n",
              "a") ==
        "vipd.toml:1:1: error[missing-key]: [instance.web]: required key \"interface\" is missing (table starts "
        "here)\n");
}

TEST_CASE("overrides: an instance that is there under a wrong header is not missed", "[config][overrides]") {
  const std::string over = "[node.a.instance.web]\npriority = 1\n";
  CHECK(heads("[instanze.web]\nvrid = 1\n" + over) ==
        "vipd.toml:1:2: error[unknown-table]: unknown table \"instanze\"\n");
  CHECK(heads(instance("db", 2) + "[instance.web\nvrid = 1\n" + over) ==
        "vipd.toml:5:14: error[syntax]: expected \"]\" at the end of the table's name\n");
}

TEST_CASE("overrides: so many nodes that checking them takes long are refused", "[config][overrides]") {
  std::string text = instance("web", 1);
  for (int i = 1; i <= 65; ++i) text += "[node.n" + std::to_string(i) + ".instance.web]\npriority = 1\n";
  CHECK(heads(text) == "vipd.toml:133:7: error[range]: more than 64 nodes have overrides\n");
}
