/// Bare words: values without quotes in a text that is meant to be TOML, and what somebody may have meant by them.
///
/// Numbers, dates and booleans are legal; the library that reads TOML decides that. A word that it refuses is looked at
/// here (config/explain_syntax.hpp). Each function judges one word by its characters alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vipd {

/// Full-width digits (U+FF10..U+FF19, which some keyboards make) as ASCII; nullopt if `token` has none.
std::optional<std::string> without_full_width_digits(std::string_view token);
/// `token` without a leading + or -.
std::string_view without_sign(std::string_view token);
/// True if `token` has only these characters.
bool consists_of(std::string_view token, std::string_view characters);
/// True of "0100": TOML 1.0 does not say whether that is octal, so it is neither.
bool has_leading_zero(std::string_view token);
/// True if the digits of `token` make no integer of 64 bits.
bool overflows(std::string_view token);
/// True of digits in base 16, 8 or 2.
bool is_in_other_base(std::string_view token);
/// True if `token` looks like a date, a time or both (RFC 3339). Whether there is such a day is for the library to say.
bool is_date(std::string_view token);
/// What somebody meant who wrote yes, no, on, off or True.
std::optional<std::string_view> meant_boolean(std::string_view token);
/// `word` without the quote `plain` and what looks like it.
std::string without_quotes(std::string_view word, char plain);

}  // namespace vipd
