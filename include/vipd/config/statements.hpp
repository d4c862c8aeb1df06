/// The statements of a TOML text: their beginnings and ends, and the depth of their keys.
///
/// Quotes, brackets and comments alone tell where a statement ends. The result is right for legal TOML, and for other
/// texts up to the first fault. read_toml() has two uses for it. The library does not bound the parts of a dotted key,
/// so read_toml() examines the text before. And a statement that the library refuses has to be explained.
#pragma once

#include <cstddef>
#include <string_view>

namespace vipd {

/// A header or `key = value`.
struct Statement {
  std::size_t begin = 0;     ///< the offset of its first character, or the text's size if no statement follows
  std::size_t end = 0;       ///< the offset behind its last line
  std::size_t key_dots = 0;  ///< the most dots in one of its keys; a key has one part more
};

/// The first statement that begins at `from` or behind it. `from` lies between statements.
Statement next_statement(std::string_view text, std::size_t from);

/// A statement, and the header above it.
struct StatementInSection {
  Statement statement;
  Statement header = {};  ///< the header; empty if there is none
};

/// The last statement that begins at or before `offset`; the first one if all begin behind it.
StatementInSection statement_at(std::string_view text, std::size_t offset);

/// The offset of the first statement that has a key of more than `parts` parts, or npos.
std::size_t find_deep_statement(std::string_view text, std::size_t parts);

}  // namespace vipd
