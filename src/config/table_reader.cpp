#include "vipd/config/table_reader.hpp"

#include <utility>
#include <variant>

#include "vipd/config/values.hpp"

namespace vipd {

template <typename Owner>
void TableReader::read_table(const Section& section, const TomlNode& table, Owner& owner) {
  read_keys(section, table, "", owner);
  unknown_.refuse_missing(section, table);
}

template <typename Owner>
void TableReader::read_keys(const Section& section, const TomlNode& table, const std::string& prefix, Owner& owner) {
  for (const TomlNode& node : table.children) read_key(section, node, prefix + node.key, owner);
}

template <typename Owner>
void TableReader::read_key(const Section& section, const TomlNode& node, const std::string& name, Owner& owner) {
  if (const Key<Owner>* key = find_key<Owner>(name)) {
    const Slot slot = key->slot(owner);
    read_value(*key, node, slot, report_);
    if (node.type == TomlType::array)
      std::visit(
          [&]<typename Type>(Type* list) {
            if constexpr (kIsList<Type>) read_entries(section, *key, node, *list);
          },
          slot);
  } else if (is_group(section.table, name)) {
    read_group(section, node, name, owner);
  } else {
    unknown_.refuse_key(section, node, name);
  }
}

/// Reads a list. Entry n of the file is entry n of the configuration, even if it is refused.
template <typename Entry>
void TableReader::read_entries(const Section& section, const KeySpec& key, const TomlNode& list,
                               std::vector<Entry>& into) {
  UnknownWords::Names meant = unknown_.begin_section();
  for (const TomlNode& node : list.children) {
    unknown_.begin_section();
    read_entry(section, key, node, into.emplace_back());
  }
  unknown_.begin_section(std::move(meant));
}

/// Reads an entry: a table, or a string if the entry has an address.
template <typename Entry>
void TableReader::read_entry(const Section& section, const KeySpec& list, const TomlNode& node, Entry& entry) {
  if (node.type == TomlType::table) {
    read_table({list.entries, in_quotes(list.name) + " of " + section.title}, node, entry);
  } else if (const Key<Entry>* address = find_key<Entry>("address")) {
    read_value(*address, node, address->slot(entry), report_);
  } else {
    report_.error("type", node.place,
                  "an entry of " + in_quotes(list.name) + " must be a table, got " + describe_value(node),
                  in_quotes(list.name) + " is " + list.values);
  }
}

template <typename Owner>
void TableReader::read_group(const Section& section, const TomlNode& table, const std::string& name, Owner& owner) {
  if (table.type == TomlType::table) return read_keys(section, table, name + ".", owner);
  report_.error("type", table.place, in_quotes(name) + " must be a table, got " + describe_value(table),
                name == "hooks" ? "write hooks.any = ..." : "write " + name + ".count = ...");
}

template void TableReader::read_table(const Section&, const TomlNode&, InstanceConfig&);
template void TableReader::read_table(const Section&, const TomlNode&, SyncGroupConfig&);
template void TableReader::read_table(const Section&, const TomlNode&, CheckConfig&);
template void TableReader::read_keys(const Section&, const TomlNode&, const std::string&, InstanceConfig&);
template void TableReader::read_key(const Section&, const TomlNode&, const std::string&, Config&);

}  // namespace vipd
