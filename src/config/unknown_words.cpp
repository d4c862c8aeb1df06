#include "vipd/config/unknown_words.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "vipd/config/foreign.hpp"
#include "vipd/config/schema.hpp"

namespace vipd {

namespace {

constexpr auto kTables = std::to_array<std::string_view>({"node", "instance", "sync_group", "check"});

bool is_of_instance(std::string_view name) {
  return find_key("instance", name) != nullptr || is_group("instance", name);
}

}  // namespace

void UnknownWords::refuse_key(const Section& section, const TomlNode& node, const std::string& name) {
  if (is_unsupported(section.table, name))
    report_.error("unsupported", node.key_place, in_quotes(name) + " is not supported by this version of vipd");
  else
    report_.error("unknown-key", node.key_place, "unknown key " + in_quotes(name) + " in " + section.title,
                  report_.wants_hints() ? hint_for_key(section, name, node.key) : "");
}

/// The hint for the unknown `name` (within its section), whose last part is `key`.
std::string UnknownWords::hint_for_key(const Section& section, const std::string& name, std::string_view key) {
  if (const ForeignWord* word = find_foreign(key)) {
    meant_.emplace(word->key);
    return foreign_hint(*word);
  }
  if (is_of_instance(key)) {
    meant_.emplace(key);
    return "it belongs directly under [instance.NAME]";
  }
  const std::string_view near = nearest_key(section.table, name);
  meant_.emplace(near);
  return did_you_mean(near);
}

void UnknownWords::refuse_table(const TomlNode& node) {
  if (is_unsupported("", node.key))
    return report_.error("unsupported", node.key_place,
                         in_quotes(node.key) + " is not supported by this version of vipd");
  const bool is_table = node.type == TomlType::table || node.type == TomlType::array;
  const std::string what = is_table ? "unknown table " : "unknown key ";
  std::string hint;
  if (const ForeignWord* word = find_foreign(node.key)) {
    hint = foreign_hint(*word);
  } else if (is_of_instance(node.key)) {
    hint = "it belongs under [instance.NAME]";
  } else {
    const std::string_view near = nearest(node.key, kTables);
    if (!near.empty()) hint = "did you mean [" + std::string(near) + (near == "node" ? "]?" : ".NAME]?");
  }
  report_.error(is_table ? "unknown-table" : "unknown-key", node.key_place, what + in_quotes(node.key), hint);
}

void UnknownWords::refuse_in_host(const std::string& title, const TomlNode& node) {
  const bool is_table = node.type == TomlType::table;
  report_.error(is_table ? "unknown-table" : "unknown-key", node.key_place,
                std::string(is_table ? "unknown table " : "unknown key ") + in_quotes(node.key) + " in [" + title + "]",
                "write [" + title + ".instance.NAME]; a host's name with dots needs quotes");
}

void UnknownWords::refuse_missing(const Section& section, const TomlNode& table) {
  if (!was_read_whole(table)) return;
  std::vector<const KeySpec*> missing;
  for (const KeySpec& key : schema()) {
    if (!key.required || key.table != section.table) continue;
    const bool is_there = table.find(key.name) != nullptr || meant_.contains(key.name);
    if (!is_there) missing.push_back(&key);
  }
  if (missing.empty()) return;
  std::string names;
  for (const KeySpec* key : missing) names += (names.empty() ? "" : ", ") + in_quotes(key->name);
  const bool is_one = missing.size() == 1;
  report_.error("missing-key", table.place,
                section.title + ": required " + (is_one ? "key " + names + " is" : "keys " + names + " are") +
                    " missing (table starts here)",
                std::string(missing[0]->name) + ": " + std::string(missing[0]->summary));
}

bool UnknownWords::may_have_hidden() const {
  return std::ranges::any_of(files_, [](const TomlFile& file) { return !file.faults.empty(); });
}

bool UnknownWords::may_have_misspelt(std::string_view name) const {
  const auto is_it = [&](const TomlNode& node) {
    return node.key != name && (node.key.starts_with(name) || nearest(node.key, kTables) == name);
  };
  return std::ranges::any_of(files_,
                             [&](const TomlFile& file) { return std::ranges::any_of(file.root.children, is_it); });
}

}  // namespace vipd
