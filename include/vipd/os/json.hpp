/// JSON: text to values and back, with exact integers.
///
/// nlohmann's parser and writer are templates, and each file that uses them compiles them again. That was half of the
/// time such a file took, so only json.cpp calls them. nlohmann's get<int>() wraps large numbers and converts
/// fractions, which is undefined for 1e300; integer_at() fails instead.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace vipd {

/// A JSON value whose objects keep the order of their keys.
using Json = nlohmann::ordered_json;

/// The value, or a discarded one (is_discarded()) if the text is not JSON.
Json parse_json(std::string_view text);

/// The value on one line, without a newline. Invalid UTF-8 (from a peer, a program, a path) is replaced.
std::string to_text(const Json& value);

/// The member `key` of a JSON object; throws std::out_of_range if it is missing, is not an integer or does not fit T.
template <std::integral T>
T integer_at(const Json& object, const char* key) {
  const auto member = object.is_object() ? object.find(key) : object.end();
  if (member != object.end() && member->is_number_unsigned()) {
    const auto number = member->get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (member != object.end() && member->is_number_integer()) {
    const auto number = member->get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  throw std::out_of_range(std::string("\"") + key + "\" is not an integer in range");
}

}  // namespace vipd
