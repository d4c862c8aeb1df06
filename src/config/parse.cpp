#include "vipd/config/parse.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "vipd/config/checks.hpp"
#include "vipd/config/foreign.hpp"
#include "vipd/config/report.hpp"
#include "vipd/config/schema.hpp"
#include "vipd/config/syntax.hpp"
#include "vipd/config/toml.hpp"
#include "vipd/config/values.hpp"

namespace vipd {

namespace {

constexpr std::string_view kSmallestInstance =
    "[instance.web] with interface = \"eth0\", vrid = 51, addresses = [\"192.0.2.10/24\"]";

/// A table of the file that has keys of the schema.
struct Section {
  std::string_view table;  ///< as in the schema
  std::string title;       ///< as in the file: "[instance.web]"
};

bool has_required_key(const TomlNode& instance) {
  return std::ranges::any_of(instance.children, [](const TomlNode& node) {
    const KeySpec* key = find_key("instance", node.key);
    return key != nullptr && key->required;
  });
}

constexpr auto kTables = std::to_array<std::string_view>({"node", "instance"});

bool has_misspelt_instance(const TomlNode& root) {
  return std::ranges::any_of(root.children, [](const TomlNode& node) {
    return node.key != "instance" && nearest(node.key, kTables) == "instance";
  });
}

/// Walks through the tree of a file.
class ConfigReader {
 public:
  explicit ConfigReader(TomlFile file)
      : root_(std::move(file.root)), was_read_whole_(file.faults.empty()), report_(std::move(file.faults)) {}

  ParsedConfig read();

 private:
  void read_root();
  void read_node(const TomlNode& table);
  void read_instances(const TomlNode& instances);
  bool check_instance_tables(const TomlNode& instances);
  void read_instance(const TomlNode& table);
  void read_keys(const Section& section, const TomlNode& table, const std::string& prefix, Target target);
  void read_group(const Section& section, const TomlNode& table, const std::string& name, Target target);
  void check_required(const Section& section, const TomlNode& table);
  void refuse_unsupported(const TomlNode& node, const std::string& name);
  void refuse_unknown_key(const Section& section, const TomlNode& node, const std::string& name);
  void refuse_unknown_table(const TomlNode& node);
  std::string hint_for_key(const Section& section, const std::string& name, std::string_view key);
  void mean(std::string_view key) { meant_.emplace(key); }

  const TomlNode root_;
  const bool was_read_whole_;  ///< no part of the file was left out because of its syntax
  Report report_;
  Config config_;
  std::vector<PlacedInstance> instances_;
  std::set<std::string, std::less<>> meant_;  ///< keys of the section at hand that are there under a wrong name
};

ParsedConfig ConfigReader::read() {
  read_root();
  check_instances(instances_, report_);
  for (PlacedInstance& instance : instances_) choose_advertised(instance, report_);
  // Any other complaint may be the reason that there is none.
  if (instances_.empty() && report_.empty()) {
    report_.error("missing-key", {}, "there is no [instance.NAME]", "write " + std::string(kSmallestInstance));
  }
  ParsedConfig result;
  if (!report_.has_errors()) {
    for (PlacedInstance& instance : instances_) config_.instances.push_back(std::move(instance.config));
    result.config = std::move(config_);
  }
  result.diagnostics = report_.take(kMaxDiagnostics);
  return result;
}

void ConfigReader::read_root() {
  for (const TomlNode& node : root_.children) {
    if (node.key == "node") {
      read_node(node);
    } else if (node.key == "instance") {
      read_instances(node);
    } else if (is_unsupported("", node.key)) {
      refuse_unsupported(node, node.key);
    } else {
      refuse_unknown_table(node);
    }
  }
}

void ConfigReader::read_node(const TomlNode& table) {
  if (table.type != TomlType::table) {
    report_.error("type", table.place, "\"node\" must be a table, got " + describe_value(table), "write [node]");
    return;
  }
  InstanceConfig nothing;
  read_keys({"node", "[node]"}, table, "", {config_, nothing});
}

void ConfigReader::read_instances(const TomlNode& instances) {
  if (instances.type != TomlType::table) {
    const std::string got = describe_value(instances);
    report_.error("type", instances.key_place, "\"instance\" must be a table of named tables, got " + got,
                  "write [instance.NAME]");
    return;
  }
  if (!check_instance_tables(instances)) return;
  for (const TomlNode& table : instances.children) {
    if (table.type == TomlType::table) read_instance(table);
  }
}

/// `[instance]` with an instance's keys in it lacks a name; then nothing else of it can be judged.
bool ConfigReader::check_instance_tables(const TomlNode& instances) {
  for (const TomlNode& child : instances.children) {
    if (child.type == TomlType::table) continue;
    const bool is_key = find_key("instance", child.key) != nullptr;
    if (is_key) {
      report_.error("name", instances.place, "[instance] needs a name", "write [instance.web]");
      return false;
    }
    report_.error("type", child.place,
                  in_quotes("instance." + child.key) + " must be a table, got " + describe_value(child),
                  "write [instance.NAME]");
  }
  return true;
}

void ConfigReader::read_instance(const TomlNode& table) {
  if (!is_valid_name(table.key)) {
    report_.error("name", table.key_place, in_quotes(table.key) + " is not a name for an instance",
                  "use 1 to 64 characters of A-Z a-z 0-9 _ . -");
  }
  const Section section{"instance", "[instance." + printable(table.key) + "]"};
  meant_.clear();
  // Nothing of what makes an instance: a header is wrong, here or above, and each further complaint a consequence.
  if (was_read_whole_ && !has_required_key(table)) {
    if (!has_misspelt_instance(root_)) check_required(section, table);
    return;
  }
  PlacedInstance& instance = instances_.emplace_back();
  instance.config.name = table.key;
  instance.table = &table;
  read_keys(section, table, "", {config_, instance.config});
  check_required(section, table);
}

void ConfigReader::read_keys(const Section& section, const TomlNode& table, const std::string& prefix, Target target) {
  for (const TomlNode& node : table.children) {
    const std::string name = prefix + node.key;
    if (const KeySpec* key = find_key(section.table, name)) {
      read_value(*key, node, target, report_);
    } else if (is_group(section.table, name)) {
      read_group(section, node, name, target);
    } else if (is_unsupported(section.table, name) || (section.table == "node" && node.type == TomlType::table)) {
      refuse_unsupported(node, name);
    } else {
      refuse_unknown_key(section, node, name);
    }
  }
}

void ConfigReader::read_group(const Section& section, const TomlNode& table, const std::string& name, Target target) {
  if (table.type == TomlType::table) return read_keys(section, table, name + ".", target);
  report_.error("type", table.place, in_quotes(name) + " must be a table, got " + describe_value(table),
                name == "hooks" ? "write hooks.any = ..." : "write " + name + ".count = ...");
}

/// One error for all that is missing. What could not be read may have been there.
void ConfigReader::check_required(const Section& section, const TomlNode& table) {
  if (!was_read_whole_) return;
  std::vector<const KeySpec*> missing;
  for (const KeySpec& key : schema()) {
    const bool is_there = table.find(key.name) != nullptr || meant_.contains(key.name);
    if (key.table == section.table && key.required && !is_there) missing.push_back(&key);
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

void ConfigReader::refuse_unsupported(const TomlNode& node, const std::string& name) {
  report_.error("unsupported", node.key_place, in_quotes(name) + " is not supported by this version of vipd");
}

void ConfigReader::refuse_unknown_key(const Section& section, const TomlNode& node, const std::string& name) {
  report_.error("unknown-key", node.key_place, "unknown key " + in_quotes(name) + " in " + section.title,
                hint_for_key(section, name, node.key));
}

/// What may be meant by the unknown `name` (within its section), whose last part is `key`.
std::string ConfigReader::hint_for_key(const Section& section, const std::string& name, std::string_view key) {
  if (const ForeignWord* word = find_foreign(key)) {
    mean(word->key);
    return foreign_hint(*word);
  }
  if (find_key("instance", key) != nullptr) {
    mean(key);
    return "it belongs directly under [instance.NAME]";
  }
  const std::string_view near = nearest_key(section.table, name);
  mean(near);
  return near.empty() ? "" : "did you mean " + in_quotes(near) + "?";
}

void ConfigReader::refuse_unknown_table(const TomlNode& node) {
  const bool is_table = node.type == TomlType::table || node.type == TomlType::array;
  const std::string what = is_table ? "unknown table " : "unknown key ";
  std::string hint;
  if (const ForeignWord* word = find_foreign(node.key)) {
    hint = foreign_hint(*word);
  } else if (find_key("instance", node.key) != nullptr || is_group("instance", node.key)) {
    hint = "it belongs under [instance.NAME]";
  } else {
    const std::string_view near = nearest(node.key, kTables);
    if (!near.empty()) hint = near == "node" ? "did you mean [node]?" : "did you mean [instance.NAME]?";
  }
  report_.error(is_table ? "unknown-table" : "unknown-key", node.key_place, what + in_quotes(node.key), hint);
}

}  // namespace

ParsedConfig parse_config(std::string_view text) { return ConfigReader(read_toml(text)).read(); }

}  // namespace vipd
