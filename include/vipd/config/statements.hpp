/// The statements of a TOML text: where each begins and ends, and whether its keys nest too deeply.
///
/// That is known by quotes, brackets and comments alone, and it is right for all that is legal. Of a text that is not,
/// it is right up to the first fault. read_toml() asks for two reasons: the library does not bound the parts of a
/// dotted key, so the text has to be looked at before; and the statement that the library refuses is to be explained.
#pragma once

#include <cstddef>
#include <string_view>

namespace vipd {

/// A header or `key = value`.
struct Statement {
  std::size_t begin = 0;     ///< its first character, or the text's size where there is no more statement
  std::size_t end = 0;       ///< behind its last line
  std::size_t key_dots = 0;  ///< most dots of one key in it, less than its parts by one
};

/// The first statement that begins at `from` or behind it. `from` lies between statements.
Statement next_statement(std::string_view text, std::size_t from);

/// A statement, and the header above it.
struct StatementInSection {
  Statement statement;
  Statement header = {};  ///< empty if there is none
};

/// The last statement that begins at `offset` or before; the first one if all are behind.
StatementInSection statement_at(std::string_view text, std::size_t offset);

/// Where the first statement begins that has a key of more than `parts` parts, or npos.
std::size_t find_deep_statement(std::string_view text, std::size_t parts);

}  // namespace vipd
