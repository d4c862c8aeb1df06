/// SyntaxFault: records what is wrong with a statement, and finds where the text goes on behind it.
///
/// Each function that reads a part of the text returns false after it has recorded a fault. A fault that a lookalike of
/// a blank or of a quote has caused names that one. Words that may quote a secret are replaced. How much a fault has
/// spoilt depends on its kind: the statement, its section, or the rest of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vipd/config/explain_syntax.hpp"
#include "vipd/config/toml_cursor.hpp"

namespace vipd {

/// What is said of the lookalike of a quote, behind its name.
inline constexpr char kNoQuote[] = " is no quote in TOML";

/// The fault of the key `key` at `offset`, which is set a second time.
Diagnostic key_twice(std::string_view text, std::size_t offset, std::string_view key, const Place& first);

class SyntaxFault : protected TomlCursor {
 protected:
  /// How much of the file a fault makes unreadable.
  enum class Damage : std::uint8_t { statement, section, rest_of_file };

  SyntaxFault(std::string_view text, const RefusedStatement& statement)
      : TomlCursor(text, statement.begin), asked_(statement) {}

  bool fail(std::size_t offset, std::size_t length, std::string message, std::string hint = "");
  bool fail_as(std::string kind, std::size_t offset, std::size_t length, std::string message, std::string hint = "");
  bool blame_blank(std::size_t offset, std::size_t length);
  bool blame_quote(std::size_t begin, std::string_view word);
  std::string_view quoted_words(std::size_t begin, std::string_view word) const;
  bool hide_fault(std::string_view key);
  bool refuse_second(std::size_t begin, std::size_t first);
  void recover();
  Place place(std::size_t offset, std::size_t length) const { return place_at(text_, offset, length); }

  const RefusedStatement& asked_;
  int nesting_ = 0;
  Damage damage_ = Damage::statement;
  Explanation said_;
};

}  // namespace vipd
