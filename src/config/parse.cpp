#include "vipd/config/parse.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "vipd/config/checks.hpp"
#include "vipd/config/named_programs.hpp"
#include "vipd/config/report.hpp"
#include "vipd/config/schema.hpp"
#include "vipd/config/table_reader.hpp"
#include "vipd/config/unknown_words.hpp"
#include "vipd/config/values.hpp"

namespace vipd {

namespace {

constexpr std::string_view kSmallestInstance =
    "[instance.web] with interface = \"eth0\", vrid = 51, addresses = [\"192.0.2.10/24\"]";

/// The most nodes with overrides: the checks run for each of them.
constexpr std::size_t kMaxNodes = 64;

bool has_required_key(const TomlNode& instance) {
  return std::ranges::any_of(instance.children, [](const TomlNode& node) {
    const KeySpec* key = find_key("instance", node.key);
    return key != nullptr && key->required;
  });
}

/// `base` with the values of `over` in place of its own; nested tables are merged in the same way.
TomlNode overlaid(const TomlNode& base, const TomlNode& over) {
  TomlNode result = base;
  for (const TomlNode& node : over.children) {
    const TomlNode* known = base.find(node.key);
    if (known == nullptr) {
      result.children.push_back(node);
    } else {
      const bool both_tables = known->type == TomlType::table && node.type == TomlType::table;
      result.children[static_cast<std::size_t>(known - base.children.data())] =
          both_tables ? overlaid(*known, node) : node;
    }
  }
  result.places.reset();
  result.note_places();
  return result;
}

/// Reads the trees of all files into a ParsedConfig.
class ConfigReader {
 public:
  ConfigReader(std::span<const ConfigSource> sources, std::string_view host);

  ParsedConfig read();

 private:
  using Instances = std::vector<PlacedInstance>;
  using Overrides = std::map<std::string, const TomlNode*>;  ///< [node.HOSTNAME.instance.NAME] of one host, by NAME

  void read_root(const TomlNode& root);
  void read_node(const TomlNode& table);
  void read_host(const TomlNode& host);
  void read_overrides(const std::string& title, const TomlNode& instances, Overrides& into);
  void read_named_tables(const TomlNode& tables);
  bool check_named_tables(const TomlNode& tables);
  bool check_name(const TomlNode& table, const std::string& what);
  void read_instance(const Section& section, const TomlNode& table);
  template <typename Owner>
  const Placed<Owner>& read_named(const Section& section, const TomlNode& table, std::vector<Placed<Owner>>& into);
  void join(const PlacedGroup& group);
  bool define(const std::string& title, const TomlNode& node);
  void refuse_orphan(const TomlNode& table);
  bool may_exist(const std::string& instance) const;
  void refuse_unknown_instance(std::string kind, const Place& place, std::string message, const std::string& name);

  Instances on_node(const std::string& name, const Overrides& overrides);
  void check(Instances& instances);
  void deliver(const Instances& instances, ParsedConfig& into);
  std::string node_name() const { return config_.node.empty() ? std::string(host_) : config_.node; }
  const std::string* own_overrides() const;

  const std::string_view host_;
  std::vector<TomlFile> files_;
  Report report_;
  UnknownWords unknown_;
  TableReader tables_;
  Config config_;
  Instances instances_;                                              ///< the instances without any override
  std::map<std::string, std::size_t, std::less<>> instance_places_;  ///< indexes in instances_, by name
  bool misspelt_instance_ = false;                                   ///< the result of may_have_misspelt("instance")
  std::vector<PlacedGroup> groups_;
  std::vector<PlacedCheck> checks_;
  std::map<std::string, Place> defined_;        ///< places of tables that only one file may have, by their titles
  std::map<std::string, Overrides> overrides_;  ///< the overrides, by HOSTNAME
  std::set<std::string> used_checks_;           ///< checks that an instance lists on some node
  std::set<std::string> orphans_;               ///< instances with overrides that do not exist
  std::deque<TomlNode> overlays_;               ///< merged tables of instances with overrides
};

std::vector<TomlFile> read_files(std::span<const ConfigSource> sources) {
  std::vector<TomlFile> files;
  for (const ConfigSource& source : sources) files.push_back(read_toml(source.text, static_cast<int>(files.size())));
  return files;
}

ConfigReader::ConfigReader(std::span<const ConfigSource> sources, std::string_view host)
    : host_(host),
      files_(read_files(sources)),
      report_(sources),
      unknown_(files_, report_),
      tables_(unknown_, report_) {
  for (const TomlFile& file : files_) {
    for (const Diagnostic& fault : file.faults) report_.add(fault);
    report_.omit(file.omitted);
  }
}

ParsedConfig ConfigReader::read() {
  misspelt_instance_ = unknown_.may_have_misspelt("instance");
  for (const TomlFile& file : files_) read_root(file.root);
  for (std::size_t i = 0; i < instances_.size(); ++i) instance_places_.emplace(instances_[i].config.name, i);
  for (const PlacedGroup& group : groups_) join(group);
  check_members(groups_, report_);
  // Any other diagnostic may be the reason that no instance was read.
  if (instances_.empty() && report_.empty()) {
    report_.error("missing-key", {}, "there is no [instance.NAME]", "write " + std::string(kSmallestInstance));
  }
  std::map<std::string, Instances> nodes;
  for (const auto& [name, overrides] : overrides_) check(nodes[name] = on_node(name, overrides));
  check(instances_);
  if (!report_.has_errors()) check_usefulness(checks_, used_checks_, report_);
  ParsedConfig result;
  const std::string* const own = own_overrides();
  if (own != nullptr)
    result.overrides = "the overrides of [node." + *own + "] apply";
  else if (!overrides_.empty())
    result.overrides = "no overrides are for this node, " + in_quotes(node_name());
  if (!report_.has_errors()) deliver(own == nullptr ? instances_ : nodes[*own], result);
  result.diagnostics = report_.take(kMaxDiagnostics);
  result.omitted = report_.omitted();
  return result;
}

/// Delivers a configuration without errors. It is copied, so its parts lie together in memory: moved parts would keep
/// the pages of the trees around them.
void ConfigReader::deliver(const Instances& instances, ParsedConfig& into) {
  for (const PlacedInstance& instance : instances) {
    collect_programs(instance, into.programs);
    into.interfaces.push_back({.name = instance.config.interface,
                               .needs_multicast = instance.config.peers.empty(),
                               .place = instance.table->find("interface")->place});
    config_.instances.push_back(instance.config);
  }
  for (const PlacedGroup& group : groups_) {
    collect_programs(group, into.programs);
    config_.sync_groups.push_back(group.config);
  }
  for (const PlacedCheck& check : checks_) {
    collect_program(check, into.programs);
    config_.checks.push_back(check.config);
  }
  into.config = std::move(config_);
}

void ConfigReader::read_root(const TomlNode& root) {
  for (const TomlNode& node : root.children) {
    if (node.key == "node") {
      read_node(node);
    } else if (node.key == "instance" || node.key == "sync_group" || node.key == "check") {
      read_named_tables(node);
    } else {
      unknown_.refuse_table(node);
    }
  }
}

/// Reads [node]: its own keys, and a table for each node with overrides.
void ConfigReader::read_node(const TomlNode& table) {
  if (table.type != TomlType::table) {
    report_.error("type", table.place, "\"node\" must be a table, got " + describe_value(table), "write [node]");
    return;
  }
  for (const TomlNode& child : table.children) {
    // A node is hardly called "hooks": a group of an instance's keys is misplaced.
    const bool is_astray = is_group("instance", child.key) && child.find("instance") == nullptr;
    const bool is_host = child.type == TomlType::table && find_key("node", child.key) == nullptr && !is_astray;
    if (is_host) {
      read_host(child);
    } else if (define(in_quotes(child.key) + " in [node]", child)) {
      tables_.read_key({"node", "[node]"}, child, child.key, config_);
    }
  }
}

/// Reads [node.HOSTNAME]: the overrides of one node.
void ConfigReader::read_host(const TomlNode& host) {
  const std::string title = "node." + printable(host.key);
  if (!check_name(host, "the name of a node")) return;
  if (!overrides_.contains(host.key) && overrides_.size() == kMaxNodes) {
    return report_.error("range", host.key_place, "more than " + std::to_string(kMaxNodes) + " nodes have overrides");
  }
  Overrides& overrides = overrides_[host.key];
  for (const TomlNode& child : host.children) {
    if (child.key == "instance" && child.type == TomlType::table) {
      read_overrides(title + ".instance", child, overrides);
    } else {
      unknown_.refuse_in_host(title, child);
    }
  }
}

void ConfigReader::read_overrides(const std::string& title, const TomlNode& instances, Overrides& into) {
  for (const TomlNode& table : instances.children) {
    if (table.type != TomlType::table) {
      report_.error("type", table.place,
                    in_quotes(title + "." + table.key) + " must be a table, got " + describe_value(table),
                    "write [" + title + ".NAME]");
    } else if (define("[" + title + "." + printable(table.key) + "]", table)) {
      into[table.key] = &table;
    }
  }
}

/// Reads all tables [instance.NAME], [sync_group.NAME] or [check.NAME].
void ConfigReader::read_named_tables(const TomlNode& tables) {
  if (tables.type != TomlType::table) {
    const std::string got = describe_value(tables);
    report_.error("type", tables.key_place, in_quotes(tables.key) + " must be a table of named tables, got " + got,
                  "write [" + tables.key + ".NAME]");
    return;
  }
  if (!check_named_tables(tables)) return;
  for (const TomlNode& table : tables.children) {
    const Section section{tables.key, "[" + tables.key + "." + printable(table.key) + "]"};
    if (table.type != TomlType::table || !define(section.title, table)) continue;
    unknown_.begin_section();
    if (tables.key == "instance") {
      check_name(table, "a name for an instance");
      read_instance(section, table);
    } else if (tables.key == "check") {
      check_name(table, "a name for a check");
      const PlacedCheck& check = read_named(section, table, checks_);
      check_kind(check, unknown_.was_read_whole(table) && unknown_.all_known(), report_);
    } else {
      check_name(table, "a name for a sync group");
      read_named(section, table, groups_);
    }
  }
}

/// False if `[instance]` has keys of an instance and so lacks a name: nothing else of it can be judged.
bool ConfigReader::check_named_tables(const TomlNode& tables) {
  for (const TomlNode& child : tables.children) {
    if (child.type == TomlType::table) continue;
    const bool is_key = find_key(tables.key, child.key) != nullptr;
    if (is_key) {
      report_.error("name", tables.place, "[" + tables.key + "] needs a name", "write [" + tables.key + ".web]");
      return false;
    }
    report_.error("type", child.place,
                  in_quotes(tables.key + "." + child.key) + " must be a table, got " + describe_value(child),
                  "write [" + tables.key + ".NAME]");
  }
  return true;
}

/// False if the name of `table` cannot be the name of a `what`; reports it.
bool ConfigReader::check_name(const TomlNode& table, const std::string& what) {
  const bool is_valid = is_valid_name(table.key);
  if (!is_valid)
    report_.error("name", table.key_place, in_quotes(table.key) + " is not " + what,
                  "use 1 to 64 characters of A-Z a-z 0-9 _ . -");
  return is_valid;
}

/// A table without any key that makes an instance has a wrong header: one error is enough.
void ConfigReader::read_instance(const Section& section, const TomlNode& table) {
  if (!unknown_.was_read_whole(table) || has_required_key(table))
    read_named(section, table, instances_);
  else if (!misspelt_instance_)
    unknown_.refuse_missing(section, table);
}

template <typename Owner>
const Placed<Owner>& ConfigReader::read_named(const Section& section, const TomlNode& table,
                                              std::vector<Placed<Owner>>& into) {
  Placed<Owner>& placed = into.emplace_back();
  placed.config.name = table.key;
  placed.table = &table;
  tables_.read_table(section, table, placed.config);
  return placed;
}

/// Sets the sync group of the instances that a group lists.
void ConfigReader::join(const PlacedGroup& group) {
  for (std::size_t i = 0; i < group.config.instances.size(); ++i) {
    const std::string& name = group.config.instances[i];
    const auto found = instance_places_.find(name);
    if (found != instance_places_.end()) {
      instances_[found->second].config.sync_group = group.config.name;
    } else if (!name.empty() && !may_exist(name)) {
      refuse_unknown_instance("unknown-instance", group.table->entry("instances", i).place,
                              "there is no [instance." + name + "]", name);
    }
  }
}

/// False if another file has `title` already; within one file TOML forbids that. The second table is not read.
bool ConfigReader::define(const std::string& title, const TomlNode& node) {
  const bool is_table = node.type == TomlType::table;
  const Place& place = is_table ? node.place : node.key_place;
  const auto [first, is_new] = defined_.emplace(title, place);
  if (is_new) return true;
  report_.error(is_table ? "duplicate-table" : "duplicate-key", place,
                title + " is defined in two files; first at " + report_.where(first->second, place), "keep one of them",
                first->second);
  return false;
}

/// The instances of the node `name`, with its overrides. Reports the faults of the overrides.
ConfigReader::Instances ConfigReader::on_node(const std::string& name, const Overrides& overrides) {
  Instances instances = instances_;
  for (const auto& [instance_name, table] : overrides) {
    const Section section{"instance", "[node." + name + ".instance." + printable(instance_name) + "]"};
    PlacedInstance unknown;
    const auto found = instance_places_.find(instance_name);
    const bool is_known = found != instance_places_.end();
    PlacedInstance& instance = is_known ? instances[found->second] : unknown;
    if (is_known)
      instance.table = &overlays_.emplace_back(overlaid(*instance.table, *table));
    else
      refuse_orphan(*table);
    tables_.read_keys(section, *table, instance.config);
  }
  return instances;
}

void ConfigReader::check(Instances& instances) {
  for (PlacedInstance& instance : instances) choose_family_of_routes(instance);
  check_instances(instances, report_);
  check_group_priorities(groups_, instances, report_);
  check_health(instances, checks_, unknown_.may_have_hidden() || unknown_.may_have_misspelt("check"), report_);
  for (PlacedInstance& instance : instances) {
    choose_advertised(instance, report_);
    used_checks_.insert(instance.config.checks.begin(), instance.config.checks.end());
  }
}

/// The HOSTNAME whose overrides apply to this host, or null.
const std::string* ConfigReader::own_overrides() const {
  const std::string name = node_name();
  auto found = overrides_.find(name);
  if (found == overrides_.end()) found = overrides_.find(name.substr(0, name.find('.')));
  return found == overrides_.end() ? nullptr : &found->first;
}

/// Reports an override of an instance that does not exist, once for all nodes.
void ConfigReader::refuse_orphan(const TomlNode& table) {
  if (may_exist(table.key) || !orphans_.insert(table.key).second) return;
  refuse_unknown_instance("unknown-table", table.key_place,
                          "there is no [instance." + printable(table.key) + "] to override", table.key);
}

/// True if the instance exists, or may exist under a wrong header.
bool ConfigReader::may_exist(const std::string& instance) const {
  return unknown_.may_have_hidden() || misspelt_instance_ || instances_.empty() ||
         defined_.contains("[instance." + printable(instance) + "]");
}

void ConfigReader::refuse_unknown_instance(std::string kind, const Place& place, std::string message,
                                           const std::string& name) {
  if (!report_.wants_hints()) return report_.error(std::move(kind), place, std::move(message));
  std::vector<std::string_view> names;
  for (const PlacedInstance& instance : instances_) names.push_back(instance.config.name);
  const std::string_view near = nearest(name, names);
  const auto meant = instance_places_.find(near);
  report_.error(std::move(kind), place, std::move(message), did_you_mean(near),
                meant == instance_places_.end() ? std::nullopt : std::optional(instances_[meant->second].table->place));
}

}  // namespace

ParsedConfig parse_config(std::span<const ConfigSource> sources, std::string_view host) {
  return ConfigReader(sources, host).read();
}

ParsedConfig parse_config(std::string_view text) {
  const ConfigSource source{"", std::string(text)};
  return parse_config({&source, 1}, "");
}

}  // namespace vipd
