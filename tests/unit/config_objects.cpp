// Addresses as tables, routes and rules: their meaning, and the diagnostics of their faults.
#include <string>

#include "support/catch.hpp"
#include "vipd/config/parse.hpp"

using namespace vipd;

namespace {

const std::string kHead = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\n";
const std::string kAddress = "addresses = [\"192.0.2.10/24\"]\n";

InstanceConfig good(const std::string& lines) {
  const ParsedConfig parsed = parse_config(kHead + lines);
  for (const auto& diagnostic : parsed.diagnostics) UNSCOPED_INFO(diagnostic.message);
  REQUIRE(parsed.diagnostics.empty());
  return parsed.config->instances.at(0);
}

struct Bad {
  std::string lines;  ///< lines after the head; the first is line 4
  std::string kind;
  int line, column;
  std::string message, hint;
};

void check(const Bad& bad) {
  const ParsedConfig parsed = parse_config(kHead + bad.lines);
  INFO(bad.lines);
  for (const auto& diagnostic : parsed.diagnostics) UNSCOPED_INFO(diagnostic.message << " / " << diagnostic.hint);
  REQUIRE(parsed.diagnostics.size() == 1);
  const Diagnostic& error = parsed.diagnostics.front();
  CHECK(error.severity == Severity::error);
  CHECK(error.kind == bad.kind);
  CHECK(error.line == bad.line);
  CHECK(error.column == bad.column);
  CHECK(error.message.find(bad.message) != std::string::npos);
  CHECK(error.hint.find(bad.hint) != std::string::npos);
}

}  // namespace

TEST_CASE("config objects: an address as a table", "[config]") {
  const InstanceConfig web = good(R"(addresses = [
  "192.0.2.10/24",
  {address = "203.0.113.10/29", interface = "eth1", label = "eth1:vip", scope = "link", advertise = false},
  {address = "2001:db8::10/64", nodad = false, preferred_lifetime = "0s", peer = "2001:db8::11"},
]
)");
  REQUIRE(web.addresses.size() == 3);
  CHECK(web.addresses[0] == VirtualAddress{{.prefix = {*IpAddress::parse("192.0.2.10"), 24}}});
  const VirtualAddress& second = web.addresses[1];
  CHECK(to_string(second) == "203.0.113.10/29");
  CHECK(second.interface == "eth1");
  CHECK(second.label == "eth1:vip");
  CHECK(second.scope == Scope::link);
  CHECK_FALSE(second.advertised);
  const VirtualAddress& third = web.addresses[2];
  CHECK_FALSE(third.nodad);
  CHECK(third.preferred_lifetime == PreferredLifetime::zero);
  CHECK(third.peer == IpAddress::parse("2001:db8::11"));
}

TEST_CASE("config objects: routes and rules", "[config]") {
  const InstanceConfig web = good(kAddress + R"(
rules = [{from = "192.0.2.10/32", to = "198.51.100.0/24", table = 10, priority = 100, interface = "eth2"}]
[[instance.web.routes]]
to = "default"
via = "192.0.2.1"
table = 10
metric = 7
source = "192.0.2.10"
interface = "eth1"
[[instance.web.routes]]
to = "198.51.100.0/24"
type = "blackhole"
)");
  REQUIRE(web.routes.size() == 2);
  CHECK(to_string(web.routes[0]) == "default via 192.0.2.1 dev eth1 src 192.0.2.10 table 10 metric 7");
  CHECK(to_string(web.routes[1]) == "blackhole 198.51.100.0/24");
  REQUIRE(web.rules.size() == 1);
  CHECK(to_string(web.rules[0]) == "from 192.0.2.10/32 to 198.51.100.0/24 iif eth2 lookup 10 priority 100");
}

TEST_CASE("config objects: a default route has the family of what it names, else the instance's", "[config]") {
  const InstanceConfig mixed = good(kAddress + R"(routes = [{to = "default"}, {to = "default", via = "fe80::1"}])");
  CHECK(mixed.routes.at(0).to.address == *IpAddress::parse("0.0.0.0"));
  CHECK(mixed.routes.at(1).to.address == *IpAddress::parse("::"));
  const InstanceConfig six = good("addresses = [\"fe80::10/64\"]\nroutes = [{to = \"default\"}]\n");
  CHECK(six.routes.at(0).to.address == *IpAddress::parse("::"));
}

TEST_CASE("config objects: an override replaces the whole list", "[config]") {
  const ConfigSource source{"f",
                            kHead + kAddress + "routes = [{to = \"default\", via = \"192.0.2.1\"}]\n" +
                                "[node.lb1.instance.web]\nroutes = [{to = \"10.0.0.0/8\", via = \"192.0.2.2\"}]\n"};
  const ParsedConfig parsed = parse_config({&source, 1}, "lb1");
  REQUIRE(parsed.config.has_value());
  REQUIRE(parsed.config->instances[0].routes.size() == 1);
  CHECK(to_string(parsed.config->instances[0].routes[0]) == "10.0.0.0/8 via 192.0.2.2");
}

TEST_CASE("config objects: mistakes are told at their place", "[config]") {
  check(GENERATE_COPY(values<Bad>({
      {"addresses = [{address = \"192.0.2.10/24\", dev = \"eth1\"}]", "unknown-key", 4, 42,
       "\"addresses\" of [instance.web]", "here it is \"interface\""},
      {"addresses = [{address = \"192.0.2.10/24\", lable = \"eth0\"}]", "unknown-key", 4, 42, "unknown key \"lable\"",
       "did you mean \"label\"?"},
      {"addresses = [{label = \"eth0:1\"}]", "missing-key", 4, 14, "required key \"address\" is missing", "address:"},
      {"addresses = [{address = \"192.0.2.300/24\"}]", "address", 4, 26, "octet 300 > 255", ""},
      {"addresses = [{address = \"192.0.2.10/24\", label = \"vip\"}]", "name", 4, 50, "must begin with",
       "\"eth0:vip\""},
      {"addresses = [{address = \"192.0.2.10/24\", label = \"eth0:0123456789abc\"}]", "name", 4, 50, "1 to 15 bytes",
       ""},
      {"addresses = [{address = \"192.0.2.10/24\", scope = \"lnk\"}]", "choice", 4, 50, "", "did you mean \"link\"?"},
      {"addresses = [{address = \"192.0.2.10/24\", nodad = true}]", "conflict", 4, 50, "no effect on an IPv4", ""},
      {"addresses = [{address = \"192.0.2.10/24\", peer = \"2001:db8::1\"}]", "address", 4, 49, "another family", ""},
      {"addresses = [{address = \"192.0.2.10/24\", assign = false, label = \"eth0:vip\"}]", "conflict", 4, 66,
       "\"label\" has no effect with assign = false", "remove it"},
      {"addresses = [{address = \"192.0.2.10/24\", advertise = false}]", "address", 4, 25, "in its adverts",
       "advertise = true"},
      {"addresses = [{address = \"fe80::10/64\", scope = \"link\"}]", "conflict", 4, 48, "an IPv6 address has no", ""},
      {kAddress + "routes = [\"default\"]", "type", 5, 11, "must be a table", "is a list of tables"},
      {kAddress + "routes = \"default\"", "type", 5, 10, "must be a list of tables", ""},
      {kAddress + "routes = [{via = \"192.0.2.1\"}]", "missing-key", 5, 11, "required key \"to\"", ""},
      {kAddress + "routes = [{to = \"10.0.0.1/8\"}]", "address", 5, 17, "is an address, not a network",
       "write 10.0.0.0/8"},
      {kAddress + "routes = [{to = \"10.0.0.1\"}]", "address", 5, 18, "no prefix length",
       "10.0.0.1/32 for a single host"},
      {kAddress + "routes = [{to = \"10.0.0.0/8\", gateway = \"192.0.2.1\"}]", "unknown-key", 5, 31, "",
       "here it is \"via\""},
      {kAddress + "routes = [{to = \"10.0.0.0/8\", via = \"fe80::1\"}]", "address", 5, 37, "another family", ""},
      {kAddress + "routes = [{to = \"10.0.0.0/8\", via = \"192.0.2.1\", type = \"prohibit\"}]", "conflict", 5, 37,
       "leads nowhere", "remove it"},
      {kAddress + "routes = [{to = \"10.0.0.0/8\", table = 0}]", "range", 5, 39, "1..4294967295, got 0", ""},
      {kAddress + "routes = [{to = \"10.0.0.0/8\"}, {to = \"10.0.0.0/8\", via = \"192.0.2.1\"}]", "conflict", 5, 38,
       "is listed twice", "remove one"},
      {kAddress + "rules = [{from = \"192.0.2.10/32\", table = 10}]", "missing-key", 5, 10, "required key \"priority\"",
       ""},
      {kAddress + "rules = [{table = 10, priority = 100}]", "missing-key", 5, 10, "\"from\" or \"to\"", ""},
      {kAddress + "rules = [{from = \"0.0.0.0/0\", table = 10, priority = 100}]", "address", 5, 18, "says nothing",
       "leave the key out"},
      {kAddress + "rules = [{from = \"192.0.2.0/24\", to = \"fe80::/10\", table = 10, priority = 100}]", "address", 5,
       39, "another family", ""},
      {kAddress + "rules = [{from = \"192.0.2.0/24\", table = 10, prio = 100}]", "unknown-key", 5, 46, "", "priority"},
  })));
}

TEST_CASE("config objects: the first address in the adverts is IPv6's link-local one", "[config]") {
  check({R"(addresses = [{address = "fe80::10/64", advertise = false}, "2001:db8::10/64"])", "address", 4, 60,
         "must be link-local", "fe80::10/64"});
}

TEST_CASE("config: track = false is for the other interfaces that an instance names", "[config]") {
  const std::string head = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\n";
  const std::string both = head +
                           "addresses = [\"192.0.2.10/24\", {address = \"203.0.113.10/29\", interface = \"eth1\", "
                           "track = false}]\nroutes = [{to = \"default\", interface = \"eth1\", track = false}]\n";
  const ParsedConfig parsed = parse_config(both);
  REQUIRE(parsed.config);
  CHECK(parsed.config->instances[0].addresses[0].tracked);
  CHECK_FALSE(parsed.config->instances[0].addresses[1].tracked);
  CHECK_FALSE(parsed.config->instances[0].routes[0].tracked);
  for (const char* own :
       {"addresses = [{address = \"192.0.2.10/24\", track = false}]",
        "addresses = [{address = \"192.0.2.10/24\", interface = \"eth0\", track = false}]",
        "addresses = [\"192.0.2.10/24\"]\nroutes = [{to = \"default\", track = false}]",
        "addresses = [\"192.0.2.10/24\"]\nroutes = [{to = \"default\", type = \"prohibit\", track = false}]",
        "addresses = [\"192.0.2.10/24\", {address = \"192.0.2.11/24\", assign = false, track = true}]"}) {
    const ParsedConfig refused = parse_config(head + own + "\n");
    INFO(own);
    CHECK_FALSE(refused.config);
    REQUIRE(refused.diagnostics.size() == 1);
    CHECK(refused.diagnostics[0].kind == "conflict");
    CHECK(refused.diagnostics[0].line == (std::string(own).find("routes") != std::string::npos ? 5 : 4));
  }
}

TEST_CASE("config: F7 the loopback can never be the interface of an instance, though it may have its addresses") {
  const ParsedConfig refused = parse_config(
      "[instance.web]\ninterface = \"lo\"\nvrid = 51\naddresses = [\"192.0.2.10/32\"]\npeers = [\"192.0.2.2\"]\n");
  CHECK_FALSE(refused.config);
  REQUIRE(refused.diagnostics.size() == 1);
  CHECK(refused.diagnostics[0].kind == "conflict");
  CHECK(refused.diagnostics[0].line == 2);
  CHECK(parse_config("[instance.web]\ninterface = \"eth0\"\nvrid = 51\n"
                     "addresses = [{address = \"192.0.2.10/32\", interface = \"lo\"}]\n")
            .config);
}
