/// Placed: a part of the configuration, and where it is written.
///
/// The checks between keys (config/checks.hpp) judge values and complain of places. Here are the questions that all of
/// them ask about both.
#pragma once

#include <string>
#include <string_view>

#include "vipd/config/config.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// An instance, a sync group or a check, and where it is written. Entry n of a list there is entry n here.
template <typename Owner>
struct Placed {
  Owner config;
  const TomlNode* table = nullptr;
};

/// [instance.NAME]
using PlacedInstance = Placed<InstanceConfig>;
/// [sync_group.NAME]
using PlacedGroup = Placed<SyncGroupConfig>;
/// [check.NAME]
using PlacedCheck = Placed<CheckConfig>;

/// Where `key` of an entry is written; the whole entry if it stands there as a string.
inline const Place& entry_place(const TomlNode& entry, std::string_view key) {
  const TomlNode* node = entry.find(key);
  return node != nullptr ? node->place : entry.place;
}

/// What stands for `key`; the instance has it.
inline const Place& place_of(const PlacedInstance& instance, std::string_view key) {
  return instance.table->find(key)->place;
}

/// Where the address of entry `index` is written.
inline const Place& address_place(const PlacedInstance& instance, std::size_t index) {
  return entry_place(instance.table->entry("addresses", index), "address");
}

/// An entry that was refused before, see read_value().
inline bool is_refused(const VirtualAddress& entry) { return entry.prefix.address.is_unspecified(); }

/// True if the family is known: the first address was accepted.
inline bool has_family(const InstanceConfig& config) {
  return !config.addresses.empty() && !is_refused(config.addresses.front());
}

/// "IPv4" or "IPv6".
inline std::string_view display_name(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

/// Where an entry of the instance lives.
inline const std::string& interface_of(const InstanceConfig& config, const std::string& own) {
  return own.empty() ? config.interface : own;
}

}  // namespace vipd
