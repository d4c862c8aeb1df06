/// TomlNode: a TOML file as a plain tree, in the order of the file, each key and value with its place.
///
/// The library behind it (toml++) sorts tables by name and is slow to compile; here it is used in one source file, and
/// everything else sees this tree. It holds what a configuration needs: no dates, no numbers beyond 64 bits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/diagnostic.hpp"
#include "vipd/config/text.hpp"

namespace vipd {

/// The types of TOML values, as far as diagnostics tell them apart.
enum class TomlType : std::uint8_t { boolean, integer, floating, string, date, array, table };

/// One value; with its key if it stands in a table.
struct TomlNode {
  TomlType type = TomlType::table;
  bool boolean = false;
  std::int64_t integer = 0;
  double floating = 0;
  std::string text;  ///< of a string

  std::string key;                 ///< empty in an array
  Place key_place;                 ///< of the key alone
  Place place;                     ///< of the value; for `[a.b]` of that header
  std::vector<TomlNode> children;  ///< of an array or a table, in the file's order

  /// The places of the children by their keys, where there are many; null where there are few.
  std::shared_ptr<const std::map<std::string, std::size_t, std::less<>>> places = {};
  /// Makes `places`; the children do not change any more.
  void note_places();

  /// The value of `name` in a table, or null.
  const TomlNode* find(std::string_view name) const;
  /// Entry `index` of the array `list` in a table. Both are there.
  const TomlNode& entry(std::string_view list, std::size_t index) const;
};

/// "an integer", "a string", "a table": for messages.
std::string_view describe(TomlType type);

/// What read_toml() makes of a text. `root` holds what could be read in spite of the faults.
struct TomlFile {
  TomlNode root;
  std::vector<Diagnostic> faults;  ///< encoding and syntax
  std::size_t omitted = 0;         ///< faults beyond those
};

/// Reads the text of a whole file; at most 1 MiB is taken. Never recurses deeper than a small bound. `file` is its
/// number in the places.
TomlFile read_toml(std::string_view text, int file);

}  // namespace vipd
