/// explain_statement: explains a statement that is no TOML, so that the operator can repair it.
///
/// A TOML library stops at its first error and names the character that it did not expect; for a forgotten quote that
/// is a place on the next line. The Explainer knows the mistakes that people make: a string without its end, a word
/// without quotes, `1s`, a missing `=`, a key twice in an inline table. It gets only statements that the library
/// refuses, so it need not know all legal TOML, and it judges no file by itself.
///
/// Standard: TOML 1.0. Not good yet: a faulty header hides its whole section.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// The deepest nesting of lists and inline tables, and the most parts of a dotted key.
inline constexpr int kMaxNesting = 16;

/// The parts of a dotted key or of a header as written, without quotes.
using KeyParts = std::vector<std::string_view>;

/// The statement to explain.
struct RefusedStatement {
  std::size_t begin = 0;                            ///< the offset of the statement in the text
  std::size_t refused_at = std::string_view::npos;  ///< where the library stopped: values before this offset are legal
  KeyParts section = {};                            ///< the parts of the header above
};

/// The explanation of a statement.
struct Explanation {
  std::optional<Diagnostic> fault;  ///< the fault; nullopt if it is not known here
  std::size_t end = 0;              ///< where the readable text behind the statement begins
  bool is_header = false;
  KeyParts key;               ///< the key of the statement, or the parts of the header
  std::string_view key_text;  ///< the key as written: "hooks.any", "[a.b]"
};

/// Explains the statement at `statement.begin`, whose text is UTF-8. The time is linear in the size of the text that
/// the fault makes unreadable.
Explanation explain_statement(std::string_view text, const RefusedStatement& statement);

/// The fault of a statement that defines a key or a table again, which `first` has defined.
Diagnostic explain_second(std::string_view text, std::size_t begin, const Explanation& statement, const Place& first);

}  // namespace vipd
