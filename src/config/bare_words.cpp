#include "vipd/config/bare_words.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

#include "vipd/config/text.hpp"
#include "vipd/config/toml_cursor.hpp"

namespace vipd {

std::optional<std::string> without_full_width_digits(std::string_view token) {
  std::string result;
  bool found = false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const auto third = i + 2 < token.size() ? static_cast<unsigned char>(token[i + 2]) : 0;
    if (token.substr(i, 2) == "\xef\xbc" && third >= 0x90 && third <= 0x99) {
      result += static_cast<char>('0' + (third - 0x90));
      found = true;
      i += 2;
    } else {
      result += token[i];
    }
  }
  return found ? std::optional(result) : std::nullopt;
}

std::string_view without_sign(std::string_view token) {
  return token.starts_with('-') || token.starts_with('+') ? token.substr(1) : token;
}

bool consists_of(std::string_view token, std::string_view characters) {
  return token.find_first_not_of(characters) == std::string_view::npos;
}

bool has_leading_zero(std::string_view token) {
  const std::string_view digits = without_sign(token);
  return digits.size() > 1 && digits[0] == '0' && consists_of(digits, "0123456789_");
}

bool overflows(std::string_view token) {
  std::string digits;
  std::ranges::copy_if(without_sign(token), std::back_inserter(digits), is_digit);
  if (token.starts_with('-')) digits.insert(0, "-");
  std::int64_t value = 0;
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc::result_out_of_range;
}

bool is_in_other_base(std::string_view token) {
  const std::string_view base = token.substr(0, 2);
  return token.size() > 2 && (base == "0x" || base == "0o" || base == "0b") &&
         consists_of(token.substr(2), "0123456789abcdefABCDEF_");
}

bool is_date(std::string_view token) {
  std::string shape(token);
  std::ranges::replace_if(shape, is_digit, '9');
  const auto begins_with = [&](std::string_view time) {
    const std::string_view rest = std::string_view(shape).substr(std::min(time.size(), shape.size()));
    return shape.starts_with(time) && consists_of(rest.substr(0, 1), ".Zz+-") && consists_of(rest, ".Zz+-:9");
  };
  return shape == "9999-99-99" || begins_with("99:99:99") || begins_with("9999-99-99T99:99:99") ||
         begins_with("9999-99-99t99:99:99");
}

std::optional<std::string_view> meant_boolean(std::string_view token) {
  std::string lower(token);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (lower == "true" || lower == "yes" || lower == "on") return "true";
  if (lower == "false" || lower == "no" || lower == "off") return "false";
  return std::nullopt;
}

std::string without_quotes(std::string_view word, char plain) {
  std::string result;
  for (std::size_t i = 0; i < word.size();) {
    const Lookalike* odd = lookalike_at(word, i);
    const bool is_odd = odd != nullptr && odd->plain == plain;
    if (!is_odd && word[i] != plain) result += word[i];
    i += is_odd ? odd->character.size() : 1;
  }
  return result;
}

}  // namespace vipd
