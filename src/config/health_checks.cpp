#include "vipd/config/checks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "vipd/config/check_kinds.hpp"
#include "vipd/config/schema.hpp"

namespace vipd {

namespace {

/// The kind that a key names, or null.
const CheckKind* kind_named(std::string_view key) {
  const auto kinds = check_kinds();
  const auto found = std::ranges::find(kinds, key, &CheckKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

/// True if `key` belongs to this kind and not to every check.
bool belongs_to(std::string_view key, const CheckKind& kind) {
  return key == "delivers_weight" ? kind.delivers_weight
                                  : std::ranges::find(kind.keys, key, &KeySpec::name) != kind.keys.end();
}

/// The names of the kinds for which `fits` is true, such as "command or file".
template <typename Fits>
std::string names_of_kinds(std::string_view separator, Fits fits) {
  std::string names;
  for (const CheckKind& kind : check_kinds())
    if (fits(kind)) names += (names.empty() ? "" : std::string(separator)) + std::string(kind.name());
  return names;
}

void check_timing(const PlacedCheck& check, Report& report) {
  const CheckRules& rules = check.config.rules;
  const TomlNode* timeout = check.table->find("timeout");
  if (rules.timeout <= rules.interval || timeout == nullptr) return;
  report.warning(
      "conflict", timeout->place,
      "a run may take longer than the interval (" + format_duration(rules.interval) + "); the next one waits for it",
      "use a timeout of at most " + in_quotes(format_duration(rules.interval)));
}

/// The place of entry `index` of an instance's checks.
const Place& listed_place(const PlacedInstance& instance, std::size_t index) {
  return instance.table->entry("checks", index).place;
}

void refuse_unknown_check(const Place& place, const std::string& name, std::span<const PlacedCheck> checks,
                          Report& report) {
  if (!report.wants_hints()) return report.error("unknown-check", place, "there is no [check." + name + "]");
  std::vector<std::string_view> names;
  std::string defined;
  for (const PlacedCheck& check : checks) {
    names.push_back(check.config.name);
    defined += (defined.empty() ? "" : ", ") + check.config.name;
  }
  const std::string_view near = nearest(name, names);
  report.error("unknown-check", place, "there is no [check." + name + "]",
               near.empty() ? "checks that are defined: " + (defined.empty() ? "none" : defined) : did_you_mean(near));
}

/// RFC 9568 6.1: an owner has priority 255. It can give way only by leaving the election.
void check_owner_fails(const PlacedInstance& instance, std::size_t index, const CheckRules& rules, Report& report) {
  if (instance.config.priority != kOwnerPriority) return;
  if (rules.on_fail.effect == OnFail::Effect::fault && !rules.delivers_weight) return;
  report.error("owner", listed_place(instance, index),
               "an owner (priority 255) has that priority or none (RFC 9568 6.1); check " +
                   in_quotes(instance.config.checks[index]) + " would change it",
               "write on_fail = \"fault\" in the check, or use priority = 254");
}

void check_weight(const PlacedInstance& instance, const PlacedCheck& check, Report& report) {
  const CheckRules& rules = check.config.rules;
  const int sum = instance.config.priority + rules.on_fail.weight;
  if (instance.config.priority == kOwnerPriority || (sum >= 2 && sum < kOwnerPriority)) return;
  if (rules.on_fail.effect != OnFail::Effect::weight) return;
  report.warning("conflict", check.table->find("on_fail")->place,
                 "this takes the priority of " + in_quotes(instance.config.name) + " to " + std::to_string(sum) +
                     "; that counts as " + (sum < 2 ? "2" : "254"),
                 sum < 2 ? "on_fail = \"yield\" gives the addresses to anybody who is fit" : "");
}

}  // namespace

void check_kind(const PlacedCheck& check, bool whole, Report& report) {
  const std::vector<TomlNode>& children = check.table->children;
  const auto is_kind = [](const TomlNode& node) { return kind_named(node.key) != nullptr; };
  const auto first = std::ranges::find_if(children, is_kind);
  if (first == children.end()) {
    if (whole)
      report.error("missing-key", check.table->place, "[check." + check.config.name + "] does not say what to ask for",
                   "one of " + names_of_kinds(", ", [](const CheckKind&) { return true; }));
    return;
  }
  const auto second = std::ranges::find_if(first + 1, children.end(), is_kind);
  if (second != children.end())
    report.error("conflict", second->key_place,
                 "a check asks for one thing; this one has " + in_quotes(first->key) + " already",
                 "make two checks of it, and list both", first->key_place);
  for (const TomlNode& node : children) {
    const std::string kinds = names_of_kinds(" or ", [&](const CheckKind& kind) { return belongs_to(node.key, kind); });
    if (kinds.empty() || is_kind(node) || belongs_to(node.key, *kind_named(first->key))) continue;
    report.error("conflict", node.key_place,
                 in_quotes(node.key) + " has no effect on a check of " + in_quotes(first->key),
                 "it belongs to " + kinds);
  }
}

void check_health(std::span<const PlacedInstance> instances, std::span<const PlacedCheck> checks, bool hidden,
                  Report& report) {
  std::map<std::string_view, const PlacedCheck*> by_name;
  for (const PlacedCheck& check : checks) by_name.emplace(check.config.name, &check);
  for (const PlacedInstance& instance : instances) {
    const std::vector<std::string>& listed = instance.config.checks;
    std::set<std::string_view> earlier;
    for (std::size_t i = 0; i < listed.size(); ++i) {
      const auto check = by_name.find(listed[i]);
      if (check != by_name.end() && !earlier.insert(listed[i]).second)
        report.error("conflict", listed_place(instance, i), "check " + in_quotes(listed[i]) + " is listed twice",
                     "remove one of them");
      if (check != by_name.end()) {
        check_owner_fails(instance, i, check->second->config.rules, report);
        check_weight(instance, *check->second, report);
      } else if (!listed[i].empty() && !hidden) {
        refuse_unknown_check(listed_place(instance, i), listed[i], checks, report);
      }
    }
    if (instance.config.priority == 1 && !listed.empty())
      report.warning("conflict", instance.table->find("priority")->place,
                     "priority 1 is that of a node whose check has failed", "use a priority of at least 2");
  }
}

void check_usefulness(std::span<const PlacedCheck> checks, const std::set<std::string>& used, Report& report) {
  for (const PlacedCheck& check : checks) {
    check_timing(check, report);
    if (!used.contains(check.config.name))
      report.warning("conflict", check.table->place, "no instance lists check " + in_quotes(check.config.name),
                     "write checks = [" + in_quotes(check.config.name) + "] in one, or remove it");
  }
}

}  // namespace vipd
