/// SyntaxFault: records the fault of a statement, and finds the readable text behind it.
///
/// Each function that reads a part of the text returns false after it has recorded a fault. If a lookalike of a blank
/// or of a quote is the cause, the fault names it. Words that may quote a secret are replaced. The kind of a fault
/// decides how much text it makes unreadable: the statement, its section, or the rest of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vipd/config/explain_syntax.hpp"
#include "vipd/config/toml_cursor.hpp"

namespace vipd {

/// The words that follow the name of a lookalike of a quote.
inline constexpr char kNoQuote[] = " is no quote in TOML";

/// The fault of the key `key` at `offset`, which is set a second time.
Diagnostic key_twice(std::string_view text, std::size_t offset, std::string_view key, const Place& first);

class SyntaxFault : protected TomlCursor {
 protected:
  /// The part of the file that a fault makes unreadable.
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
