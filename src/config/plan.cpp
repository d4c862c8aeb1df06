#include "vipd/config/plan.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "vipd/config/schema.hpp"
#include "vipd/config/text.hpp"

namespace vipd {
namespace {

/// True if two values of one key, and so of one type, are equal.
bool equal(const Value& before, const Value& after) {
  return std::visit([&](auto* value) { return *value == *std::get<decltype(value)>(after); }, before);
}

/// The numbers of equal entries at the beginning and the end of two lists, which are left out. Among many entries the
/// changed ones would be hard to find, and writing all took a third of the time of a large reload.
struct Shared {
  std::size_t front = 0, back = 0;
};

template <typename Entry>
Shared shared_by(const std::vector<Entry>& before, const std::vector<Entry>& after) {
  constexpr std::size_t kFew = 3;
  const auto at = std::ranges::mismatch(before, after);
  const auto ends = std::ranges::mismatch(std::ranges::subrange(at.in1, before.end()) | std::views::reverse,
                                          std::ranges::subrange(at.in2, after.end()) | std::views::reverse);
  const auto front = static_cast<std::size_t>(at.in1 - before.begin());
  const auto back = static_cast<std::size_t>(before.end() - ends.in1.base());
  return {.front = front > kFew ? front : 0, .back = back > kFew ? back : 0};
}

/// A value that is no list shares no entries.
template <typename Type>
Shared shared_by(const Type&, const Type&) {
  return {};
}

/// The entries that two values of one key share.
Shared shared_between(const Value& before, const Value& after) {
  return std::visit([&](auto* value) { return shared_by(*value, *std::get<decltype(value)>(after)); }, before);
}

std::string text_of(const Value& value, Shared unsaid = {});

/// A value as TOML; "" if the file would leave the key out.
struct AsToml {
  Shared unsaid;

  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::uint8_t* value) const { return std::to_string(*value); }
  std::string operator()(const unsigned* value) const { return std::to_string(*value); }
  std::string operator()(const Duration* value) const {
    using std::chrono::minutes, std::chrono::seconds;
    if (*value < minutes(1)) return in_quotes(format_duration(*value));
    const bool whole = *value % minutes(1) == Duration::zero();
    return in_quotes(whole ? std::to_string(*value / minutes(1)) + "m" : std::to_string(*value / seconds(1)) + "s");
  }
  std::string operator()(const std::string* value) const { return value->empty() ? "" : in_quotes(*value); }
  std::string operator()(const IpAddress* value) const { return in_quotes(value->to_string()); }
  std::string operator()(const IpPrefix* value) const {
    if (value->length > 0) return in_quotes(value->to_string());
    return value->address.is_unspecified() ? in_quotes("default") : in_quotes(value->address.to_string());
  }
  template <typename Type>
  std::string operator()(const std::optional<Type>* value) const {
    return *value ? in_quotes((*value)->to_string()) : "";
  }
  template <typename Choice>
    requires std::is_enum_v<Choice>
  std::string operator()(const Choice* value) const {
    return in_quotes(to_string(*value));
  }
  std::string operator()(const OnFail* value) const {
    const std::string text = to_string(*value);
    return value->effect == OnFail::Effect::weight ? text : in_quotes(text);
  }
  template <typename Entry>
  std::string operator()(const std::vector<Entry>* values) const {
    std::string all;
    const auto add = [&all](const std::string& one) { all += (all.empty() ? "" : ", ") + one; };
    if (unsaid.front > 0) add("...");
    for (const Entry& value : std::span(*values).subspan(unsaid.front, values->size() - unsaid.front - unsaid.back))
      add(entry(value));
    if (unsaid.back > 0 && all != "...") add("...");
    return all.empty() ? "" : "[" + all + "]";
  }

 private:
  static std::string entry(const std::string& value) { return in_quotes(value); }
  /// An entry as a string if it has only an address, otherwise as a table.
  template <typename Object>
  static std::string entry(const Object& object) {
    const Object usual;
    std::string members, address;
    for (const Key<Object>& key : keys_of<Object>()) {
      const Value is = key.value(object);
      if (!key.required && equal(is, key.value(usual))) continue;
      const std::string text = text_of(is);
      if (key.name == "address") address = text;
      members += (members.empty() ? "" : ", ") + std::string(key.name) + " = " + text;
    }
    return members == "address = " + address ? address : "{" + members + "}";
  }
};

std::string text_of(const Value& value, Shared unsaid) { return std::visit(AsToml{unsaid}, value); }

/// The keys whose values differ.
template <typename Owner>
std::vector<KeyChange> differences(const Owner& before, const Owner& after) {
  std::vector<KeyChange> changes;
  for (const Key<Owner>& key : keys_of<Owner>()) {
    const Value old_value = key.value(before), new_value = key.value(after);
    if (equal(old_value, new_value)) continue;
    if (key.secret) {
      changes.push_back({key.name, "(secret)", "(another secret)"});
      continue;
    }
    const Shared unsaid = shared_between(old_value, new_value);
    changes.push_back({key.name, text_of(old_value, unsaid), text_of(new_value, unsaid)});
  }
  return changes;
}

template <typename Named>
using ByName = std::map<std::string_view, const Named*>;

template <typename Named>
ByName<Named> by_name(const std::vector<Named>& list) {
  ByName<Named> names;
  for (const Named& each : list) names.emplace(each.name, &each);
  return names;
}

/// The element with this name, or null.
template <typename Named>
const Named* find(const ByName<Named>& names, std::string_view name) {
  const auto found = names.find(name);
  return found == names.end() ? nullptr : found->second;
}

/// The changes of the tables of one kind. The tables in `restarted` do not go on.
template <typename Named>
std::vector<InstanceChange> plan_tables(const std::vector<Named>& before, const std::vector<Named>& after,
                                        const std::set<std::string>& restarted = {}) {
  std::vector<InstanceChange> result;
  const Named nothing;
  const auto old_ones = by_name(before), new_ones = by_name(after);
  for (const Named& each : before)
    if (find(new_ones, each.name) == nullptr) result.push_back({Fate::removed, each.name, differences(each, nothing)});
  for (const Named& each : after) {
    const Named* known = find(old_ones, each.name);
    const bool anew = restarted.contains(each.name);
    if (known != nullptr && *known == each && !anew) continue;
    const Named& was = known != nullptr ? *known : nothing;
    const Fate fate = known == nullptr ? Fate::added : anew ? Fate::restarted : Fate::changed;
    InstanceChange& change = result.emplace_back(fate, each.name, differences(was, each));
    if constexpr (std::is_same_v<Named, InstanceConfig>)
      if (was.sync_group != each.sync_group) change.leaves = was.sync_group, change.joins = each.sync_group;
  }
  return result;
}

}  // namespace

std::string_view to_string(Fate fate) {
  switch (fate) {
    case Fate::added:
      return "new";
    case Fate::removed:
      return "removed";
    case Fate::restarted:
      return "restart";
    case Fate::changed:
      break;
  }
  return "changed";
}

bool is_another_router(const InstanceConfig& before, const InstanceConfig& after) {
  const auto identity = [](const InstanceConfig& instance) {
    return std::tuple(instance.interface, instance.family(), instance.vrid, instance.version, instance.virtual_mac,
                      instance.accepts());
  };
  return identity(before) != identity(after);
}

std::set<std::string> instances_to_restart(const Config& before, const Config& after) {
  const auto old_ones = by_name(before.instances);
  std::set<std::string> names;
  for (const InstanceConfig& is : after.instances) {
    const InstanceConfig* was = find(old_ones, is.name);
    if (was != nullptr && is_another_router(*was, is)) names.insert(is.name);
  }
  return names;
}

Plan plan(const Config& before, const Config& after) {
  Plan result;
  result.node = differences(before, after);
  if (before.hooks_d != after.hooks_d)
    result.node.push_back({"hooks.d", text_of(&before.hooks_d), text_of(&after.hooks_d)});
  result.instances = plan_tables(before.instances, after.instances, instances_to_restart(before, after));
  result.sync_groups = plan_tables(before.sync_groups, after.sync_groups);
  result.checks = plan_tables(before.checks, after.checks);
  return result;
}

}  // namespace vipd
