/// The schema: each key of vipd.toml, once.
///
/// parse_config() reads files by this table, its suggestions are made from it, and a test holds vipd.toml(5) against
/// it. A key's type is the type of the member that it fills; its default is that member's initial value, which a test
/// compares with the text here. A new key is one line in schema.cpp, one member in config/config.hpp, one entry in
/// the man page. Not good yet: conditions across keys are code (config/checks.cpp) and not part of the table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vipd/config/config.hpp"

namespace vipd {

/// The member that a key fills.
using Slot = std::variant<bool*, std::uint8_t*, unsigned*, Duration*, std::string*, IpPrefix*, std::optional<IpPrefix>*,
                          IpAddress*, std::optional<IpAddress>*, ChecksumPolicy*, Scope*, PreferredLifetime*,
                          RouteType*, AnnounceForm*, HookFailure*, CheckState*, OnFail*, std::vector<std::string>*,
                          std::vector<VirtualAddress>*, std::vector<UnicastPeer>*, std::vector<VirtualRoute>*,
                          std::vector<RuleObject>*>;

/// An entry of a list of tables.
using ListEntry = std::variant<std::monostate, VirtualAddress*, UnicastPeer*, VirtualRoute*, RuleObject*>;

/// What a slot is a part of.
struct Target {
  Config& config;
  InstanceConfig& instance;
  SyncGroupConfig& group;
  CheckConfig& check;
  ListEntry entry = {};  ///< the one at hand, for the keys of entries
};

/// Limits of a number; of a duration in milliseconds. The defaults bound nothing, as for a string.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t step = 1;
  bool zero = false;  ///< zero is allowed beside min..max
};

/// One key of the schema: all that is known of it.
struct KeySpec {
  /// "node", "instance" (a key of each [instance.NAME]), "sync_group", "check", or what the entries of a list are:
  /// "address", "peer", "route", "rule".
  std::string_view table;
  std::string_view name;     ///< within the table, dotted: "hooks.any"
  std::string_view values;   ///< what may stand there, as in messages and in vipd.toml(5)
  std::string_view initial;  ///< the default as TOML; empty = none
  bool required = false;
  Range range = {};
  std::string_view summary;  ///< one line
  Slot (*slot)(Target) = nullptr;
  std::string_view entries = {};  ///< of a list of tables: the table that each of them is
  bool secret = false;            ///< its value is never shown, see config/secret.hpp
};

/// All keys, in the order of vipd.toml(5).
std::span<const KeySpec> schema();

/// The key `name` of `table`, or null.
const KeySpec* find_key(std::string_view table, std::string_view name);

/// Is `name` a table of further keys, such as "hooks"?
bool is_group(std::string_view table, std::string_view name);

/// A key that design has a place for but that this version cannot do.
bool is_unsupported(std::string_view table, std::string_view name);

/// The key of `table` that `word` may be a misspelling of, or nothing. `word` and the result are full names
/// ("hooks.any").
std::string_view nearest_key(std::string_view table, std::string_view word);

/// The one of `words` that `word` may be a misspelling of, or nothing.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace vipd
