#include "vipd/config/plan.hpp"

#include <algorithm>
#include <tuple>

#include "vipd/config/schema.hpp"
#include "vipd/config/text.hpp"

namespace vipd {
namespace {

/// A value as it would be written in the file.
struct AsToml {
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::uint8_t* value) const { return std::to_string(*value); }
  std::string operator()(const unsigned* value) const { return std::to_string(*value); }
  std::string operator()(const Duration* value) const { return in_quotes(format_duration(*value)); }
  std::string operator()(const std::string* value) const { return value->empty() ? "" : in_quotes(*value); }
  std::string operator()(const std::optional<IpAddress>* value) const {
    return *value ? in_quotes((*value)->to_string()) : "";
  }
  std::string operator()(const ChecksumPolicy* value) const { return in_quotes(to_string(*value)); }
  std::string operator()(const std::vector<std::string>* value) const {
    return list(*value, [](const std::string& each) { return each; });
  }
  std::string operator()(const std::vector<VirtualAddress>* value) const {
    return list(*value, [](const VirtualAddress& each) { return to_string(each); });
  }

  std::string operator()(const std::vector<UnicastPeer>* value) const {
    return list(*value, [](const UnicastPeer& each) {
      const bool is_usual = each.min_hop_limit == kVrrpHopLimit;
      return each.address.to_string() + (is_usual ? "" : " min_hop_limit " + std::to_string(each.min_hop_limit));
    });
  }

  template <typename Value, typename Text>
  static std::string list(const std::vector<Value>& values, Text text) {
    std::string all;
    for (const Value& value : values) all += (all.empty() ? "" : ", ") + in_quotes(text(value));
    return all.empty() ? "" : "[" + all + "]";
  }
};

/// The member that `key` fills; it points there so that it can be filled, here it is only read.
Slot slot_of(const KeySpec& key, const Config& config, const InstanceConfig& instance) {
  return key.slot({const_cast<Config&>(config), const_cast<InstanceConfig&>(instance)});
}

/// Both are of one key, so of one type.
bool equal(const Slot& before, const Slot& after) {
  return std::visit([&](auto* value) { return *value == *std::get<decltype(value)>(after); }, before);
}

/// The keys of `table` that differ.
std::vector<KeyChange> differences(std::string_view table, const Config& before, const InstanceConfig& instance_before,
                                   const Config& after, const InstanceConfig& instance_after) {
  std::vector<KeyChange> changes;
  for (const KeySpec& key : schema()) {
    if (key.table != table) continue;
    const Slot old_value = slot_of(key, before, instance_before), new_value = slot_of(key, after, instance_after);
    if (equal(old_value, new_value)) continue;
    if (key.secret)
      changes.push_back({key.name, "(secret)", "(another secret)"});
    else
      changes.push_back({key.name, std::visit(AsToml{}, old_value), std::visit(AsToml{}, new_value)});
  }
  return changes;
}

const InstanceConfig* find(const Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.instances, name, &InstanceConfig::name);
  return found == config.instances.end() ? nullptr : &*found;
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

Plan plan(const Config& before, const Config& after) {
  const InstanceConfig nothing;
  Plan result{.node = differences("node", before, nothing, after, nothing), .instances = {}};
  for (const InstanceConfig& instance : before.instances)
    if (find(after, instance.name) == nullptr)
      result.instances.push_back(
          {Fate::removed, instance.name, differences("instance", before, instance, after, nothing)});
  for (const InstanceConfig& instance : after.instances) {
    const InstanceConfig* known = find(before, instance.name);
    auto changes = differences("instance", before, known != nullptr ? *known : nothing, after, instance);
    if (changes.empty()) continue;
    const Fate fate = known == nullptr                      ? Fate::added
                      : is_another_router(*known, instance) ? Fate::restarted
                                                            : Fate::changed;
    result.instances.push_back({fate, instance.name, std::move(changes)});
  }
  return result;
}

}  // namespace vipd
