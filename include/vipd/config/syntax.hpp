/// scan_syntax: finds what is no TOML, and says it in the words of somebody who wants to repair it.
///
/// A TOML library stops at its first error and names the character that it could not take, which for a forgotten quote
/// is a place on the next line. This scanner walks the statements of the file (headers, `key = value`) and knows the
/// mistakes that people make: a string without its end, a word without quotes, `1s`, a missing `=`, a key twice. After
/// a fault it blanks the statement out and goes on, so that all faults of a file are found and what is left can still
/// be read. It refuses only what it is sure of; the library that reads the rest (config/toml.hpp) has the last word. It
/// also bounds how deep keys and lists can nest, which the library does not do for dotted keys.
///
/// Standard: TOML 1.0. Not good yet: after a faulty header its whole section is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// Most diagnostics that are told.
inline constexpr std::size_t kMaxDiagnostics = 20;

/// What scan_syntax() makes of a text.
struct SyntaxScan {
  std::vector<Diagnostic> faults;  ///< in the file's order, at most kMaxDiagnostics
  std::size_t omitted = 0;         ///< faults beyond those; scanning ends at 1000
  std::string rest;                ///< the text, each faulty statement replaced by blanks: all places stay
};

/// The first byte that may not be in a TOML file (not UTF-8, a control character, a byte order mark) or an empty list.
std::vector<Diagnostic> scan_encoding(std::string_view text);

/// Walks through `text`, whose encoding is good. Time is linear in its size.
SyntaxScan scan_syntax(std::string_view text);

}  // namespace vipd
