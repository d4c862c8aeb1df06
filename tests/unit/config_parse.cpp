#include <chrono>
#include <string>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/render.hpp"
#include "vipd/config/parse.hpp"

using namespace vipd;
using vipd::test::read_file;
using vipd::test::render;
using namespace std::chrono_literals;

namespace {

constexpr auto kPair = R"([instance.web]
interface = "eth0"
vrid = 51
addresses = ["192.0.2.10/24"]
)";

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

/// Parses a good text.
Config good(const std::string& text, std::size_t warnings = 0) {
  const ParsedConfig parsed = parse_config(text);
  INFO(render(parsed.diagnostics, "test.toml", text, false));
  REQUIRE(parsed.config.has_value());
  CHECK(parsed.diagnostics.size() == warnings);
  return *parsed.config;
}

/// Parses a text that has exactly one error.
Diagnostic only_error(const std::string& text) {
  const ParsedConfig parsed = parse_config(text);
  INFO(render(parsed.diagnostics, "test.toml", text, false));
  CHECK_FALSE(parsed.config.has_value());
  REQUIRE(parsed.diagnostics.size() == 1);
  return parsed.diagnostics.front();
}

/// "kind line:column" of each diagnostic, on a line of its own.
std::string places(const std::string& text) {
  std::string result;
  for (const Diagnostic& one : parse_config(text).diagnostics) {
    result += one.kind + " " + std::to_string(one.line) + ":" + std::to_string(one.column) + "\n";
  }
  return result;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("config: the smallest file has the documented defaults", "[config][B04+]") {
  const Config config = good(kPair);
  REQUIRE(config.instances.size() == 1);
  const InstanceConfig& web = config.instances[0];
  CHECK(config.node.empty());
  CHECK(web.name == "web");
  CHECK(web.interface == "eth0");
  CHECK(web.vrid == 51);
  CHECK(web.priority == 100);
  CHECK(web.advert_interval == 1s);
  CHECK(web.preempt);
  CHECK(web.ipv4_checksum == ChecksumPolicy::automatic);
  REQUIRE(web.addresses.size() == 1);
  CHECK(web.addresses[0].prefix.to_string() == "192.0.2.10/24");
  CHECK(web.addresses[0].advertised);
  CHECK(web.hooks == HookSettings{});
  CHECK(web.announce == AnnounceSettings{});
}

TEST_CASE("config: every key arrives where it belongs", "[config]") {
  const Config config = good(read_file("tests/data/config/full.toml"));
  CHECK(config.node == "lb1");
  CHECK(config.notify_fifo == "/run/vipd/notify.fifo");
  REQUIRE(config.instances.size() == 4);
  const InstanceConfig& web = config.instances[0];
  CHECK(web.priority == 254);
  CHECK(web.advert_interval == 250ms);
  CHECK_FALSE(web.preempt);
  CHECK(web.ipv4_checksum == ChecksumPolicy::rfc9568);
  CHECK(web.hooks.active == std::vector<std::string>{"/etc/vipd/hooks/active"});
  CHECK(web.hooks.backup == std::vector<std::string>{"/etc/vipd/hooks/backup", "an argument", ""});
  CHECK(web.hooks.fault == std::vector<std::string>{"/etc/vipd/hooks/fault"});
  CHECK(web.hooks.stop == std::vector<std::string>{"/etc/vipd/hooks/stop"});
  CHECK(web.hooks.any == std::vector<std::string>{"/etc/vipd/hooks/any"});
  CHECK(web.hooks.timeout == 1500ms);
  CHECK(web.hooks.reassert == std::vector<std::string>{"/etc/vipd/hooks/cloud", "reassert"});
  CHECK(web.hooks.reassert_interval == 5min);
  CHECK(web.hooks.before_active == std::vector<std::string>{"/etc/vipd/hooks/promote"});
  CHECK(web.hooks.before_active_timeout == 5s);
  CHECK(web.hooks.before_active_failure == HookFailure::resign);
  CHECK(web.hooks.before_release == std::vector<std::string>{"/etc/vipd/hooks/drain", "web"});
  CHECK(web.hooks.before_release_timeout == 10s);
  CHECK(web.flap_limit == 6);
  CHECK(web.flap_window == 5min);
  CHECK(web.announce.count == 3);
  CHECK(web.announce.again_after == 0s);
  CHECK(web.announce.refresh == 120s);
  CHECK(config.instances[1].family() == Family::ipv6);
  CHECK(config.instances[2].peers == std::vector<UnicastPeer>{{ip("192.0.2.2"), 255}, {ip("198.51.100.2"), 64}});
  CHECK(config.instances[2].source == ip("192.0.2.1"));
  REQUIRE(config.sync_groups.size() == 1);
  const SyncGroupConfig& both = config.sync_groups[0];
  CHECK(both.instances == std::vector<std::string>{"web6", "dns"});
  for (const auto* hook : {&both.hooks.active, &both.hooks.backup, &both.hooks.fault, &both.hooks.stop})
    CHECK(*hook == std::vector<std::string>{"/etc/vipd/hooks/group"});
  CHECK(both.hooks.timeout == 60s);
}

TEST_CASE("config: VRRPv2 with its password is taken, with a warning", "[config][D05+][D06+]") {
  const Config config = good(read_file("tests/data/config/version2.toml"), 1);
  CHECK(config.instances[0].version == 2);
  CHECK(config.instances[0].advert_interval == 3s);
  CHECK(config.instances[0].auth_legacy == "s3cret");
}

TEST_CASE("config: addresses of the other family ride along without being advertised", "[config]") {
  const Config config = good(read_file("tests/data/config/full.toml"));
  const auto& addresses = config.instances.at(0).addresses;
  REQUIRE(addresses.size() == 3);
  CHECK(addresses[0].advertised);
  CHECK(addresses[1].advertised);
  CHECK_FALSE(addresses[2].advertised);
}

TEST_CASE("config: what no longer fits an advert is held but not advertised, with a warning", "[config]") {
  std::string text = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"fe80::10/64\"";
  for (int i = 1; i < 92; ++i) text += ",\n\"2001:db8::" + std::to_string(1000 + i) + "/64\"";
  const ParsedConfig parsed = parse_config(text + "]\n");
  REQUIRE(parsed.config.has_value());
  const auto& addresses = parsed.config->instances[0].addresses;
  REQUIRE(addresses.size() == 92);
  CHECK(addresses[89].advertised);
  CHECK_FALSE(addresses[90].advertised);
  CHECK_FALSE(addresses[91].advertised);
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics[0].severity == Severity::warning);
  CHECK(parsed.diagnostics[0].line == 4 + 90);
}

TEST_CASE("config: instances keep the order of the file", "[config]") {
  const Config config = good(
      "[instance.z]\ninterface = \"eth0\"\nvrid = 1\naddresses = [\"192.0.2.1/24\"]\n"
      "[instance.a]\ninterface = \"eth0\"\nvrid = 2\naddresses = [\"192.0.2.2/24\"]\n");
  CHECK(config.instances[0].name == "z");
  CHECK(config.instances[1].name == "a");
}

TEST_CASE("config: each example is good as it stands", "[config]") {
  const auto* const name = GENERATE("pair", "pair-one-file", "pair-ipv6", "active-active", "router-pair", "hooks",
                                    "load-dependent", "pair-health");
  good(read_file(std::string("conf/examples/") + name + ".toml"));
}

TEST_CASE("config: durations", "[config][B07+]") {
  struct Case {
    const char* text;
    Duration duration;
  };
  const auto one = GENERATE(Case{"1s", 1s}, Case{"10ms", 10ms}, Case{"40.95s", 40950ms}, Case{"0.5s", 500ms},
                            Case{"40950ms", 40950ms}, Case{"0.01m", 600ms}, Case{"1.00s", 1s});
  const Config config = good(kPair + std::string("advert_interval = \"") + one.text + "\"\n");
  CHECK(config.instances[0].advert_interval == one.duration);
}

namespace {

/// A value that is wrong on line 5 of the pair.
struct BadValue {
  const char* line;     ///< appended to the pair
  const char* kind;     ///< the expected kind
  int column;           ///< the expected column
  const char* message;  ///< a part of the expected message
  const char* hint;     ///< a part of the expected hint
};

}  // namespace

TEST_CASE("config: a bad value is refused at its place with a remedy", "[config][B04-][B07-]") {
  const auto bad = GENERATE(
      BadValue{"priority = 0", "range", 12, "0 is reserved on the wire", ""},
      BadValue{"priority = 256", "range", 12, "must be 1..255, got 256", ""},
      BadValue{"priority = -1", "range", 12, "must be 1..255, got -1", ""},
      BadValue{"priority = 99999999999999999999", "range", 12, "does not fit 64 bits", ""},
      BadValue{"priority = \"254\"", "type", 12, "got the string \"254\"", "write 254"},
      BadValue{"priority = 1.5", "type", 12, "got a fraction", ""},
      BadValue{"priority.high = 1", "type", 1, "got a table", ""},
      BadValue{"preempt = \"no\"", "type", 11, "must be true or false, got the string \"no\"", "write false"},
      BadValue{"preempt = 1", "type", 11, "got the integer 1", "write true"},
      BadValue{"advert_interval = \"15ms\"", "duration", 19, "multiple of 10 ms", "use \"10ms\" or \"20ms\""},
      BadValue{"advert_interval = 1", "duration", 19, "got the bare integer 1", "write \"1s\" or \"100ms\""},
      BadValue{"advert_interval = \"1fortnight\"", "duration", 19, "unknown time unit \"fortnight\"", "units: ms, s"},
      BadValue{"advert_interval = \"1\"", "duration", 19, "needs a unit", "write \"1s\""},
      BadValue{"advert_interval = \"\"", "duration", 19, "is not a duration", ""},
      BadValue{"advert_interval = \"-1s\"", "duration", 19, "is not a duration", ""},
      BadValue{"advert_interval = \"1.2.3s\"", "duration", 19, "is not a duration", ""},
      BadValue{"advert_interval = \"41s\"", "range", 19, "10ms..40.95s", ""},
      BadValue{"advert_interval = \"0s\"", "range", 19, "10ms..40.95s", ""},
      BadValue{"advert_interval = \"99999999999999999999999h\"", "range", 19, "10ms..40.95s", ""},
      BadValue{"version = 4", "range", 11, "must be 2 or 3, got 4", ""},
      BadValue{"version = [2, 3]", "type", 11, "must be 2 or 3", "both at once are not offered"},
      BadValue{"ipv4_checksum = \"rfc5968\"", "choice", 17, "got \"rfc5968\"", "did you mean \"rfc9568\"?"},
      BadValue{"hooks.active = \"/usr/local/bin/up.sh; rm -rf /x\"", "script-security", 16,
               "\"; rm -rf /x\" would be part of the file name", "use an array: [\"/usr/local/bin/up.sh\", \"arg\"]"},
      BadValue{"hooks.active = \"/bin/a b\"", "script-security", 16, "run without a shell", "[\"/bin/a\", \"arg\"]"},
      BadValue{"hooks.active = \"up.sh\"", "script-security", 16, "absolute path", ""},
      BadValue{"hooks.active = \"\"", "script-security", 16, "absolute path", ""},
      BadValue{"hooks.active = \"/etc/\"", "script-security", 16, "is a directory", ""},
      BadValue{"hooks.active = []", "script-security", 16, "empty list", "leave the key out"},
      BadValue{"hooks.active = [\"/bin/a\", 5]", "type", 27, "must be a string, got the integer 5", ""},
      BadValue{"hooks.active = [\"a\", \"b\"]", "script-security", 17, "absolute path", ""},
      BadValue{"hooks.timeout = \"50ms\"", "range", 17, "100ms..1h", ""},
      BadValue{"hooks = \"/bin/a\"", "type", 9, "must be a table", "hooks.any"},
      BadValue{"announce.count = 0", "range", 18, "1..100", ""},
      BadValue{"announce.refresh = \"500ms\"", "range", 20, "0s (never) or 1s..24h", ""},
      BadValue{"announce.again_after = 5", "duration", 24, "needs a unit", "write \"5s\""},
      BadValue{"prioritty = 5", "unknown-key", 1, "unknown key \"prioritty\" in [instance.web]", "mean \"priority\"?"},
      BadValue{"Priority = 5", "unknown-key", 1, "unknown key", "did you mean \"priority\"?"},
      BadValue{"hooks.acitve = \"/x\"", "unknown-key", 7, "\"hooks.acitve\"", "did you mean \"hooks.active\"?"},
      BadValue{"timeout = \"3s\"", "unknown-key", 1, "", "did you mean \"hooks.timeout\"?"},
      BadValue{"hooks.priority = 5", "unknown-key", 7, "", "directly under [instance.NAME]"},
      BadValue{"xyzzy = 5", "unknown-key", 1, "unknown key \"xyzzy\"", ""},
      BadValue{"state = \"MASTER\"", "unknown-key", 1, "", "the highest priority becomes Active"},
      BadValue{"advert_int = 1", "unknown-key", 1, "",
               "keepalived calls it advert_int; here it is \"advert_interval\""},
      BadValue{"nopreempt = true", "unknown-key", 1, "", "preempt = false"},
      BadValue{"notify_master = \"/x\"", "unknown-key", 1, "", "\"hooks.active\""},
      BadValue{"checks = [\"x\"]", "unknown-check", 11, "there is no [check.x]", "none"},
      BadValue{"auth = { key = 1, foo = 2 }", "unsupported", 1, "\"auth\"", ""},
      BadValue{"[vrrp_instance.gw]\nx = 1", "unknown-table", 2, "\"vrrp_instance\"", "here it is [instance.NAME]"},
      BadValue{"[instances.b]\nx = 1", "unknown-table", 2, "\"instances\"", "did you mean [instance.NAME]?"},
      BadValue{"[node]\nname = \"a b\"", "name", 8, "got \"a b\"", ""},
      BadValue{"[node]\nvrid = 5", "unknown-key", 1, "in [node]", "under [instance.NAME]"});
  const std::string line = bad.line;
  INFO(line);
  const Diagnostic error = only_error(kPair + line + "\n");
  CHECK(error.kind == bad.kind);
  const bool second_line = contains(line, "[node]\n");
  CHECK(error.line == (second_line ? 6 : 5));
  CHECK(error.column == bad.column);
  CHECK(contains(error.message, bad.message));
  CHECK(contains(error.hint, bad.hint));
}

namespace {

struct BadList {
  const char* list;
  const char* kind;
  int column;
  const char* message;
  const char* hint;
};

}  // namespace

TEST_CASE("config: a bad address is refused at the part that is wrong", "[config][B14-]") {
  const auto bad = GENERATE(
      BadList{"[]", "missing-key", 13, "must list at least one", ""},
      BadList{"\"192.0.2.10/24\"", "type", 13, "must be a list", "write [\"192.0.2.10/24\"]"},
      BadList{"[5]", "type", 14, "got the integer 5", ""},
      BadList{"[{ address = \"192.0.2.0/24\" }]", "address", 27, "network address", ""},
      BadList{"[\"192.0.2.300/24\"]", "address", 15, "octet 300 > 255", ""},
      BadList{"[\"192.0.02.3/24\"]", "address", 15, "leading zero", ""},
      BadList{"[\"192.0.2/24\"]", "address", 15, "four numbers", ""},
      BadList{"[\"\"]", "address", 14, "is not an IP address", ""},
      BadList{"[\"www.example.org/24\"]", "address", 15, "is not an IP address", ""},
      BadList{"[\"192.0.2.10/33\"]", "address", 26, "33 > 32 for an IPv4", ""},
      BadList{"[\"fe80::1/129\"]", "address", 23, "129 > 128 for an IPv6", ""},
      BadList{"[\"192.0.2.10/0\"]", "address", 26, "1..32", ""},
      BadList{"[\"192.0.2.10/-0\"]", "address", 26, "1..32", ""},
      BadList{"[\"192.0.2.10/\"]", "address", 26, "1..32", ""},
      BadList{"[\"192.0.2.10/255.255.255.0\"]", "address", 26, "1..32", "write /24"},
      BadList{"[\"192.0.2.0/24\"]", "address", 15, "192.0.2.0/24 is the network address, not a host", ""},
      BadList{"[\"192.0.2.255/24\"]", "address", 15, "broadcast address of its network", ""},
      BadList{"[\"255.255.255.255/32\"]", "address", 15, "the broadcast address", ""},
      BadList{"[\"127.0.0.2/8\"]", "address", 15, "loopback", ""},
      BadList{"[\"224.0.0.18/24\"]", "address", 15, "multicast", ""},
      BadList{"[\"0.0.0.0/24\"]", "address", 15, "unspecified", ""},
      BadList{"[\"0.1.2.3/24\"]", "address", 15, "0.0.0.0/8", ""},
      BadList{"[\"::1/128\"]", "address", 15, "loopback", ""},
      BadList{"[\"ff02::12/64\"]", "address", 15, "multicast", ""},
      BadList{"[\"fe80::/64\"]", "address", 15, "network address", ""},
      BadList{"[\"fe80::1%eth0/64\"]", "address", 15, "is not an IP address", "zone"},
      BadList{"[\"2001:db8::1/64\"]", "address", 14, "first IPv6 virtual address must be link-local",
              "add \"fe80::10/64\""},
      BadList{"[\"192.0.2.1/24\", \"192.0.2.1/25\"]", "address", 30, "listed twice; first at line 4 column 14", ""},
      BadList{"[\"192.0.2.1/24\", \"nonsense\"]", "address", 31, "is not an IP address", ""},
      BadList{"[\"\\u0031.2.3\"]", "address", 14, "is not an IP address", ""});
  INFO(bad.list);
  const Diagnostic error =
      only_error(std::string("[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = ") + bad.list);
  CHECK(error.kind == bad.kind);
  CHECK(error.line == 4);
  CHECK(error.column == bad.column);
  CHECK(contains(error.message, bad.message));
  CHECK(contains(error.hint, bad.hint));
}

TEST_CASE("config: an address without a prefix length has the subnet's, with a warning", "[config]") {
  const ParsedConfig parsed =
      parse_config("[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10\", \"2001:db8::10\"]\n");
  REQUIRE(parsed.config.has_value());
  CHECK(parsed.config->instances[0].addresses[0].prefix.length == 0);
  CHECK(to_string(parsed.config->instances[0].addresses[1]) == "2001:db8::10");
  REQUIRE(parsed.diagnostics.size() == 2);
  const Diagnostic& first = parsed.diagnostics[0];
  CHECK((first.severity == Severity::warning && first.kind == "address" && first.line == 4 && first.column == 15));
  CHECK(contains(first.message, "\"192.0.2.10\" has no prefix length; that of the interface's own subnet is used"));
  CHECK(contains(first.hint, "write 192.0.2.10/24 to be sure"));
}

TEST_CASE("config: addresses without a network are hosts", "[config]") {
  const auto* const address = GENERATE("192.0.2.0/31", "192.0.2.1/31", "192.0.2.0/32", "192.0.2.255/32");
  good(std::string("[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"") + address + "\"]");
}

TEST_CASE("config: interface names that Linux cannot have", "[config]") {
  const auto* const name = GENERATE("", "eth0.1234567890123", "a/b", "a b", "..", "eth0:1", "a\\tb", "a\\u0000");
  const Diagnostic error = only_error(
      std::string("[instance.web]\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\ninterface = \"") + name + "\"");
  CHECK(error.kind == "interface");
  CHECK(error.line == 4);
  CHECK(error.column == 13);
}

TEST_CASE("config: what is missing is reported where its table starts", "[config]") {
  CHECK(places("[instance.a]\n") == "missing-key 1:1\n");
  CHECK(places("[node]\nname = \"x\"\n\n[instance.a]\nvrid = 5\naddresses = [\"192.0.2.1/24\"]\n") ==
        "missing-key 4:1\n");
  const Diagnostic none = only_error("# nothing\n");
  CHECK((none.line == 1 && none.column == 1));
  CHECK(contains(none.hint, "[instance.web]"));
  CHECK(only_error("").kind == "missing-key");
}

TEST_CASE("config: one defect is one error, not a cascade", "[config]") {
  // The key is present under a wrong name.
  CHECK(places("[instance.a]\ninterface = \"eth0\"\nvird = 5\naddresses = [\"192.0.2.1/24\"]\n") ==
        "unknown-key 3:1\n");
  CHECK(places("[instance.a]\ninterface = \"eth0\"\nvirtual_router_id = 5\nvirtual_ipaddress = [\"192.0.2.1/24\"]\n") ==
        "unknown-key 3:1\nunknown-key 4:1\n");
  // The key was on an unreadable line.
  CHECK(places("[instance.a]\ninterface = \"eth0\nvrid = 5\naddresses = [\"192.0.2.1/24\"]\n") == "syntax 2:13\n");
  // The instance is present under a wrong table name.
  CHECK(places("[instanze.a]\ninterface = \"eth0\"\n") == "unknown-table 1:2\n");
  CHECK(places("[instance]\ninterface = \"eth0\"\nvrid = 5\nhooks.any = \"x\"\n") == "name 1:1\n");
  CHECK(places("[[instance]]\ninterface = \"eth0\"\n") == "type 1:3\n");
  // After a bad first address the family is not known.
  CHECK(places("[instance.a]\ninterface = \"e\"\nvrid = 5\naddresses = [\"x/64\", \"2001:db8::1/64\"]\n") ==
        "address 4:15\n");
}

TEST_CASE("config: all independent errors come out of one run, in order, at most 20", "[config]") {
  CHECK(places(
            "[instance.web]\ninterface = eth0\nvrid = 256\naddresses = [\"192.0.2.0/24\", \"192.0.2.1\"]\nfoo = 1\n") ==
        "syntax 2:13\nrange 3:8\naddress 4:15\naddress 4:31\nunknown-key 5:1\n");
  std::string many = kPair;
  for (int i = 0; i < 30; ++i) many += "unknown" + std::to_string(i) + " = 1\n";
  const ParsedConfig parsed = parse_config(many);
  REQUIRE(parsed.diagnostics.size() == 20);
  CHECK(parsed.omitted == 10);
  CHECK(parsed.diagnostics.front().line == 5);
  CHECK(parsed.diagnostics.back().line == 24);
}

TEST_CASE("config: of too many, warnings are left out first", "[config]") {
  std::string many = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\n";
  for (int i = 1; i <= 25; ++i) many += "\"192.0.2." + std::to_string(i) + "\",\n";
  const ParsedConfig warned = parse_config(many + "]\n");
  CHECK(warned.config.has_value());
  CHECK((warned.diagnostics.size() == 20 && warned.omitted == 5));
  const ParsedConfig refused = parse_config(many + "]\nprioritty = 5\n");
  CHECK((refused.diagnostics.size() == 20 && refused.omitted == 6));
  CHECK(refused.diagnostics.front().line == 5);
  CHECK(refused.diagnostics.back().kind == "unknown-key");
}

TEST_CASE("config: collisions name both places", "[config][B03-]") {
  const std::string second = "[instance.b]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";
  const auto diagnostics = parse_config(kPair + second).diagnostics;
  REQUIRE(diagnostics.size() == 2);
  CHECK((diagnostics[0].kind == "conflict" && diagnostics[0].line == 7 && diagnostics[0].column == 8));
  CHECK(diagnostics[0].related->line == 3);
  CHECK((diagnostics[1].kind == "conflict" && diagnostics[1].line == 8 && diagnostics[1].column == 14));
  CHECK(diagnostics[1].related->line == 4);
  CHECK(contains(diagnostics[1].message, "\"web\" (line 4)"));
}

TEST_CASE("config: a VRID may serve once for each family and interface", "[config][B03+]") {
  good(kPair + std::string("[instance.b]\ninterface = \"eth1\"\nvrid = 51\naddresses = [\"192.0.2.11/24\"]\n"
                           "[instance.c]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"fe80::10/64\"]\n"
                           "[instance.d]\ninterface = \"eth1\"\nvrid = 51\naddresses = [\"fe80::10/64\"]\n"));
}

TEST_CASE("config: delays of the election and the cap on adopted intervals", "[config]") {
  const ParsedConfig parsed = parse_config(
      kPair + std::string("preempt_delay = \"5m\"\nstartup_delay = \"30s\"\nmax_adopted_interval = \"2s\"\n"));
  REQUIRE(parsed.config);
  const InstanceConfig& web = parsed.config->instances.front();
  CHECK(web.preempt_delay == std::chrono::minutes(5));
  CHECK(web.startup_delay == std::chrono::seconds(30));
  CHECK(web.max_adopted_interval == std::chrono::seconds(2));
  CHECK(only_error(kPair + std::string("preempt = false\npreempt_delay = \"5s\"\n")).kind == "conflict");
}

TEST_CASE("config: an owner always preempts", "[config][C14-]") {
  const Diagnostic error = only_error(kPair + std::string("priority = 255\npreempt = false\n"));
  CHECK((error.kind == "owner" && error.line == 6 && error.column == 11));
  good(kPair + std::string("priority = 255\n"));
}

TEST_CASE("config: instance names", "[config]") {
  const std::string body = "]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";
  CHECK(good("[instance.\"a.b-c_9\"" + body).instances[0].name == "a.b-c_9");
  CHECK(only_error("[instance.\"a b\"" + body).kind == "name");
  CHECK(only_error("[instance.\"\"" + body).column == 11);
  CHECK(only_error("[instance." + std::string(65, 'a') + body).kind == "name");
}

TEST_CASE("config: columns count characters, a tab is one", "[config]") {
  CHECK(places("[instance.a]\n\tinterface = \"eth0\"\n\tvrid = 0\n\taddresses = [\"192.0.2.1/24\"]\n") ==
        "range 3:9\n");
  CHECK(places("[instance.a]\ninterface = \"eth0\"\nvrid = 5\naddresses = [\"192.0.2.1/24\"]\n"
               "hooks.any = [\"/b\", \"äöü\", 1]\n") == "type 5:27\n");
}

TEST_CASE("config: CRLF files are fine", "[config]") {
  good("[instance.web]\r\ninterface = \"eth0\"\r\nvrid = 51\r\naddresses = [\r\n  \"192.0.2.10/24\", # c\r\n]\r\n");
}

TEST_CASE("config: the path of the notify FIFO is absolute", "[config]") {
  const std::string web = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";
  for (const char* wrong : {"\"notify.fifo\"", "\"\"", "\"/run/vipd/\"", "\"/run/a\\u0000b\""}) {
    INFO(wrong);
    const ParsedConfig parsed = parse_config(web + "[node]\nnotify_fifo = " + wrong + "\n");
    REQUIRE(parsed.diagnostics.size() == 1);
    CHECK(parsed.diagnostics[0].kind == "path");
    CHECK((parsed.diagnostics[0].line == 6 && parsed.diagnostics[0].column == 15));
  }
}

TEST_CASE("config: [node] is a table", "[config]") {
  const ParsedConfig parsed =
      parse_config("node = 1\n[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n");
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics[0].kind == "type");
  CHECK(parsed.diagnostics[0].line == 1);
}
