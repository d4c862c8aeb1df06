#include "vipd/config/named_programs.hpp"

#include "vipd/config/check_kinds.hpp"
#include "vipd/config/check_program.hpp"
#include "vipd/config/schema.hpp"

namespace vipd {
namespace {

/// Appends the programs under `hooks`.
template <typename Owner>
void collect_hooks(const Placed<Owner>& placed, std::vector<NamedProgram>& into) {
  const TomlNode* hooks = placed.table->find("hooks");
  if (hooks == nullptr) return;
  for (const TomlNode& node : hooks->children) {
    const Key<Owner>* key = find_key<Owner>("hooks." + node.key);
    const Value value = key->value(placed.config);
    const auto* arguments = std::get_if<const std::vector<std::string>*>(&value);
    if (arguments == nullptr) continue;
    const Place& place = node.children.empty() ? node.place : node.children.front().place;
    into.push_back({**arguments, key->name == "hooks.any", place});
  }
}

}  // namespace

void collect_program(const PlacedCheck& check, std::vector<NamedProgram>& into) {
  const auto program = program_of(check.config);
  if (program.empty()) return;
  const TomlNode& named = *check.table->find(kind_of(check.config).name());
  const TomlNode& node = named.children.empty() ? named : named.children[0];
  into.push_back({program, false, node.place});
}

void collect_programs(const PlacedInstance& instance, std::vector<NamedProgram>& into) {
  collect_hooks(instance, into);
}

void collect_programs(const PlacedGroup& group, std::vector<NamedProgram>& into) { collect_hooks(group, into); }

}  // namespace vipd
