/// Placed: a part of the configuration with its place in the file.
///
/// The checks across keys (config/checks.hpp) judge values and report places. These functions answer the questions that
/// all checks ask about values and places.
#pragma once

#include <string>
#include <string_view>

#include "vipd/config/config.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// An instance, a sync group or a check, with its table. Entry n of a list in the table is entry n in `config`.
template <typename Owner>
struct Placed {
  Owner config;
  const TomlNode* table = nullptr;
};

/// A table [instance.NAME].
using PlacedInstance = Placed<InstanceConfig>;
/// A table [sync_group.NAME].
using PlacedGroup = Placed<SyncGroupConfig>;
/// A table [check.NAME].
using PlacedCheck = Placed<CheckConfig>;

/// The place of `key` in an entry; the whole entry if it is a string.
inline const Place& entry_place(const TomlNode& entry, std::string_view key) {
  const TomlNode* node = entry.find(key);
  return node != nullptr ? node->place : entry.place;
}

/// The place of the value of `key`, which the instance has.
inline const Place& place_of(const PlacedInstance& instance, std::string_view key) {
  return instance.table->find(key)->place;
}

/// The place of the address of entry `index`.
inline const Place& address_place(const PlacedInstance& instance, std::size_t index) {
  return entry_place(instance.table->entry("addresses", index), "address");
}

/// True for an entry that was refused before, see read_value().
inline bool is_refused(const VirtualAddress& entry) { return entry.prefix.address.is_unspecified(); }

/// True if the family is known: the first address was accepted.
inline bool has_family(const InstanceConfig& config) {
  return !config.addresses.empty() && !is_refused(config.addresses.front());
}

/// The name of a family: "IPv4" or "IPv6".
inline std::string_view display_name(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

/// The interface of an entry of the instance.
inline const std::string& interface_of(const InstanceConfig& config, const std::string& own) {
  return own.empty() ? config.interface : own;
}

}  // namespace vipd
