/// Bare words: values without quotes in a text that is meant to be TOML, and the values that were meant.
///
/// Numbers, dates and booleans are legal; the library that reads TOML decides that. These functions examine a word that
/// the library refuses (config/explain_syntax.hpp). Each judges one word by its characters alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vipd {

/// `token` with its full-width digits (U+FF10..U+FF19, from some keyboards) as ASCII; nullopt if it has none.
std::optional<std::string> without_full_width_digits(std::string_view token);
/// `token` without a leading + or -.
std::string_view without_sign(std::string_view token);
/// True if `token` has only these characters.
bool consists_of(std::string_view token, std::string_view characters);
/// True for "0100": TOML 1.0 allows no leading zeros.
bool has_leading_zero(std::string_view token);
/// True if the digits of `token` make no integer of 64 bits.
bool overflows(std::string_view token);
/// True for a number in base 16, 8 or 2.
bool is_in_other_base(std::string_view token);
/// True if `token` looks like a date, a time or both (RFC 3339). The library judges whether the day exists.
bool is_date(std::string_view token);
/// The boolean that the author of yes, no, on, off or True meant.
std::optional<std::string_view> meant_boolean(std::string_view token);
/// `word` without the quote `plain` and its lookalikes.
std::string without_quotes(std::string_view word, char plain);

}  // namespace vipd
