/// TableReader: reads the keys of a table into the part of the configuration that they fill.
///
/// The schema tells which member a key fills and which values it allows. A key that the schema lacks goes to
/// UnknownWords. Reading goes on after an error, and entry n of a list in the file is entry n in the configuration.
#pragma once

#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/config/report.hpp"
#include "vipd/config/schema.hpp"
#include "vipd/config/toml.hpp"
#include "vipd/config/unknown_words.hpp"

namespace vipd {

class TableReader {
 public:
  /// Both outlive the reader.
  TableReader(UnknownWords& unknown, Report& report) : unknown_(unknown), report_(report) {}

  /// Reads a whole table and reports missing keys. Owner is the type of the part: InstanceConfig, SyncGroupConfig or
  /// CheckConfig.
  template <typename Owner>
  void read_table(const Section& section, const TomlNode& table, Owner& owner);
  /// Reads the keys of a table; missing keys are no fault.
  template <typename Owner>
  void read_keys(const Section& section, const TomlNode& table, Owner& owner) {
    read_keys(section, table, "", owner);
  }
  /// Reads one key, whose full name is `name`: "hooks.any". It also serves Config, the owner of [node].
  template <typename Owner>
  void read_key(const Section& section, const TomlNode& node, const std::string& name, Owner& owner);

 private:
  template <typename Owner>
  void read_keys(const Section& section, const TomlNode& table, const std::string& prefix, Owner& owner);
  template <typename Entry>
  void read_entries(const Section& section, const KeySpec& key, const TomlNode& list, std::vector<Entry>& into);
  template <typename Entry>
  void read_entry(const Section& section, const KeySpec& list, const TomlNode& node, Entry& entry);
  template <typename Owner>
  void read_group(const Section& section, const TomlNode& table, const std::string& name, Owner& owner);

  UnknownWords& unknown_;
  Report& report_;
};

}  // namespace vipd
