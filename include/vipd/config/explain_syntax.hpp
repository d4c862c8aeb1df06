/// explain_statement: says what is wrong with a statement that is no TOML, in the words of somebody who repairs it.
///
/// A TOML library stops at its first error and names the character that it could not take, which for a forgotten quote
/// is a place on the next line. What is here knows the mistakes that people make: a string without its end, a word
/// without quotes, `1s`, a missing `=`, a key twice in an inline table. It is asked about statements that the library
/// refuses, so it need not know all that is legal, and it judges no file by itself.
///
/// Standard: TOML 1.0. Not good yet: after a faulty header its whole section is left out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// Lists and inline tables within each other, and the parts of a dotted key, at most.
inline constexpr int kMaxNesting = 16;

/// The parts of a dotted key or of a header, as they are written, without quotes.
using KeyParts = std::vector<std::string_view>;

/// Which statement is explained.
struct RefusedStatement {
  std::size_t begin = 0;                            ///< in the text
  std::size_t refused_at = std::string_view::npos;  ///< where the library stopped: values before that are legal
  KeyParts section = {};                            ///< the header above
};

/// What there is to say of a statement.
struct Explanation {
  std::optional<Diagnostic> fault;  ///< nothing: whatever is wrong is not known here
  std::size_t end = 0;              ///< where the text goes on that can be read without the statement
  bool is_header = false;
  KeyParts key;               ///< of the statement or the header
  std::string_view key_text;  ///< the same as it is written: "hooks.any", "[a.b]"
};

/// Explains the statement at `statement.begin`, whose text is UTF-8. Time is linear in the size of what it has spoilt.
Explanation explain_statement(std::string_view text, const RefusedStatement& statement);

/// The fault of a statement that defines anew what has been defined at `first`.
Diagnostic explain_second(std::string_view text, std::size_t begin, const Explanation& statement, const Place& first);

}  // namespace vipd
