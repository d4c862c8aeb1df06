#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <variant>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/schema.hpp"

using namespace vipd;
using vipd::test::read_file;

namespace {

/// The name of a key in vipd.toml(5). A key of an entry is named after its list, "routes.via".
std::string full_name(const KeySpec& key) {
  for (const KeySpec& list : schema())
    if (!list.entries.empty() && list.entries == key.table) return std::string(list.name) + "." + std::string(key.name);
  return std::string(key.name);
}

/// The entry of vipd.toml(5) for `spec`, as plain text on one line; empty if there is none.
std::string manual_entry(const std::string& whole, const KeySpec& spec) {
  const std::string manual = whole.substr(spec.table == "check" ? whole.find("\n.Sh CHECKS\n") : 0);
  const std::string head = "\n.It Ic " + full_name(spec) + "\n";
  const std::size_t begin = manual.find(head);
  if (begin == std::string::npos) return "";
  const std::size_t end = std::min(manual.find("\n.It ", begin + head.size()), manual.find("\n.El", begin));
  std::string text;
  std::istringstream lines(manual.substr(begin + head.size(), end - begin - head.size()));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".Ql ")) line.erase(0, 4);
    if (line.starts_with(".Qq "))
      line = "\"" + line.substr(4, line.find(' ', 4) - 4) + "\"" + (line.ends_with(" ,") ? "," : "");
    for (std::size_t at; (at = line.find("\\(dq")) != std::string::npos;) line.replace(at, 4, "\"");
    text += line + " ";
  }
  return text;
}

/// A file that sets `key` to `value`, otherwise the smallest.
std::string with_key(const KeySpec& key, std::string_view value) {
  const std::string set = std::string(key.name) + " = " + std::string(value);
  const std::string head = "[instance.web]\ninterface = \"eth0\"\nvrid = 51\n";
  const std::string_view end = "}]\n";
  if (key.table == "address") {
    const bool is_of_ipv6 = key.name == "nodad" || key.name == "preferred_lifetime";
    return head + "addresses = [{address = \"" + (is_of_ipv6 ? "fe80::10/64" : "192.0.2.10/24") + "\", " + set +
           std::string(end);
  }
  const std::string plain = head + "addresses = [\"192.0.2.10/24\"]\n";
  if (key.table == "route") return plain + "routes = [{to = \"default\", " + set + std::string(end);
  if (key.table == "rule") return plain + "rules = [{from = \"192.0.2.10/32\", table = 10, " + set + std::string(end);
  if (key.table == "peer") return plain + "peers = [{address = \"192.0.2.2\", " + set + std::string(end);
  if (key.table == "sync_group") return plain + "[sync_group.a]\ninstances = [\"web\"]\n" + set + "\n";
  if (key.table == "check") {
    const bool is_of_http = key.name == "status" || key.name == "contains";
    const std::string kind = key.name == "count" ? "process = \"a\""
                             : is_of_http        ? "http = \"http://a\""
                                                 : "command = \"a\"";
    return plain + "checks = [\"a\"]\n[check.a]\n" + kind + "\n" + set + "\n";
  }
  return plain + set + "\n";
}

}  // namespace

TEST_CASE("schema: vipd.toml(5) describes every key, with its values and default", "[config][schema]") {
  const std::string manual = read_file("man/vipd.toml.5");
  for (const KeySpec& key : schema()) {
    INFO(key.name);
    const std::string entry = manual_entry(manual, key);
    INFO(entry);
    REQUIRE_FALSE(entry.empty());
    CHECK((entry.find("Required") != std::string::npos) == key.required);
    const std::string said = entry.substr(0, 250);
    if (key.range.max > 0) CHECK(said.find(key.values) != std::string::npos);
    CHECK(said.find(key.initial) != std::string::npos);
  }
}

TEST_CASE("schema: vipd.toml(5) describes no key that does not exist", "[config][schema]") {
  std::istringstream lines(read_file("man/vipd.toml.5"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(".It Ic ")) continue;
    const std::string name = line.substr(7);
    INFO(name);
    CHECK(std::ranges::find(schema(), name, full_name) != schema().end());
  }
}

TEST_CASE("schema: a key's default is what its member starts with", "[config][schema]") {
  for (const KeySpec& key : schema()) {
    if (key.initial.empty()) continue;
    INFO(key.name);
    const ParsedConfig parsed = parse_config(with_key(key, key.initial));
    REQUIRE(parsed.config.has_value());
    InstanceConfig plain = parsed.config->instances[0], untouched;
    untouched.name = plain.name, untouched.interface = plain.interface, untouched.vrid = plain.vrid;
    untouched.addresses = {VirtualAddress{{.prefix = plain.addresses[0].prefix}}};
    untouched.sync_group = plain.sync_group;
    if (key.table == "route") untouched.routes = {VirtualRoute{}};
    if (key.table == "peer") untouched.peers = {UnicastPeer{.address = *IpAddress::parse("192.0.2.2")}};
    untouched.checks = plain.checks;
    CHECK(plain == untouched);
    for (const CheckConfig& check : parsed.config->checks) CHECK(check.rules == CheckRules());
    for (const SyncGroupConfig& group : parsed.config->sync_groups) CHECK(group.hooks == HookSettings());
  }
}

TEST_CASE("schema: every key is set by the test file, required ones have no default", "[config][schema]") {
  const std::string full = read_file("tests/data/config/full.toml") + read_file("tests/data/config/version2.toml");
  for (const KeySpec& key : schema()) {
    INFO(key.name);
    const std::string_view last = key.name.substr(key.name.rfind('.') + 1);
    CHECK(full.find(std::string(last) + " = ") != std::string::npos);
    CHECK_FALSE((key.required && !key.initial.empty()));
    CHECK_FALSE(key.summary.empty());
  }
}

TEST_CASE("schema: a key misspelt by one letter is suggested", "[config][schema]") {
  for (const KeySpec& key : schema()) {
    if (key.table != "instance") continue;
    for (std::size_t i = 0; i < key.name.size(); ++i) {
      std::string wrong(key.name);
      wrong.erase(i, 1);
      INFO(wrong);
      CHECK(nearest_key("instance", wrong) == key.name);
    }
  }
  CHECK(nearest_key("instance", "interafce") == "interface");
  CHECK(nearest_key("instance", "advert-interval") == "advert_interval");
  CHECK(nearest_key("instance", "colour").empty());
  CHECK(nearest_key("instance", std::string(100'000, 'x')).empty());
}

namespace {

/// Both ends of a range are accepted, and values a step beyond are refused.
template <typename Owner>
void check_ranges() {
  Owner owner;
  for (const Key<Owner>& key : keys_of<Owner>()) {
    if (key.required || key.range.max == 0) continue;
    const bool is_duration = std::holds_alternative<Duration*>(key.slot(owner));
    const auto text = [&](std::int64_t value) {
      return is_duration ? "\"" + std::to_string(value) + "ms\"" : std::to_string(value);
    };
    INFO(key.name);
    CHECK(parse_config(with_key(key, text(key.range.min))).config.has_value());
    const bool both = key.name == "advert_interval";  // the longest interval is for version 2 alone
    CHECK(parse_config(with_key(key, text(key.range.max)) + (both ? "version = 2\n" : "")).config.has_value());
    CHECK(parse_config(with_key(key, text(key.range.max + key.range.step))).diagnostics.at(0).kind == "range");
    const std::int64_t below = key.range.min - key.range.step;
    if (below != 0 || !key.range.zero)
      CHECK(parse_config(with_key(key, text(below))).diagnostics.at(0).kind == "range");
  }
}

}  // namespace

TEST_CASE("schema: each number refuses what is just outside of its range", "[config][schema]") {
  check_ranges<InstanceConfig>();
  check_ranges<CheckConfig>();
}

TEST_CASE("schema: the words of a range follow from its numbers", "[config][schema]") {
  const auto words = [](std::string_view name) { return find_key<InstanceConfig>(name)->values; };
  CHECK(words("vrid") == "1..255");
  CHECK(words("version") == "2 or 3");
  CHECK(words("preempt_delay") == "0s or 10ms..1h");
  CHECK(words("flap_window") == "10s..24h");
  CHECK(words("max_adopted_interval") == "10ms..40.95s in steps of 10ms");
  CHECK(words("hooks.before_active_timeout") == "100ms..1m");
  CHECK(words("announce.refresh") == "0s (never) or 1s..24h");
  CHECK(words("announce.form") == "\"request\", \"reply\" or \"both\"");
}

TEST_CASE("schema: a key fills the member that it is looked at in", "[config][schema]") {
  const auto check = []<typename Owner>(Owner owner) {
    for (const Key<Owner>& key : keys_of<Owner>()) {
      INFO(key.table << " " << key.name);
      const Slot slot = key.slot(owner);
      const Value value = key.value(owner);
      std::visit(
          [&]<typename Type>(Type* member) {
            REQUIRE(std::holds_alternative<const Type*>(value));
            CHECK(std::get<const Type*>(value) == member);
          },
          slot);
    }
  };
  check(Config());
  check(InstanceConfig());
  check(SyncGroupConfig());
  check(CheckConfig());
}

TEST_CASE("config: a rule of priority 0 is not told of the adverts' priority 0", "[config][schema]") {
  const auto parsed = parse_config(with_key(*find_key("rule", "priority"), "0"));
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics[0].message == "\"priority\" must be 1..32765, got 0");
}
