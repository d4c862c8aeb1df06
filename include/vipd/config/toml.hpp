/// TomlNode: a TOML file as a plain tree, in the order of the file, each key and value with its place.
///
/// The library (toml++) sorts tables by name and is slow to compile. One source file uses it, and all other code sees
/// this tree. The tree has only what a configuration needs: no values of dates, no numbers beyond 64 bits.
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

/// The types of TOML values that diagnostics distinguish.
enum class TomlType : std::uint8_t { boolean, integer, floating, string, date, array, table };

/// One value, with its key if it is in a table.
struct TomlNode {
  TomlType type = TomlType::table;
  bool boolean = false;
  std::int64_t integer = 0;
  double floating = 0;
  std::string text;  ///< the value of a string

  std::string key;                 ///< the key; empty in an array
  Place key_place;                 ///< the place of the key alone
  Place place;                     ///< the place of the value; for a table `[a.b]`, of the header
  std::vector<TomlNode> children;  ///< the values of an array or a table, in the file's order

  /// The indexes of the children by their keys; null if there are few children.
  std::shared_ptr<const std::map<std::string, std::size_t, std::less<>>> places = {};
  /// Makes `places`. The children must not change any more.
  void note_places();

  /// The value of `name` in a table, or null.
  const TomlNode* find(std::string_view name) const;
  /// Entry `index` of the array `list` in a table. Both must exist.
  const TomlNode& entry(std::string_view list, std::size_t index) const;
};

/// The type in words, for messages: "an integer", "a string", "a table".
std::string_view describe(TomlType type);

/// The result of read_toml(). `root` has the statements that could be read in spite of the faults.
struct TomlFile {
  TomlNode root;
  std::vector<Diagnostic> faults;  ///< faults of encoding and syntax
  std::size_t omitted = 0;         ///< how many faults were left out
};

/// Reads the text of a whole file, of 1 MiB at most. The recursion is bounded (kMaxNesting). `file` is the index of the
/// file in the places.
TomlFile read_toml(std::string_view text, int file);

}  // namespace vipd
