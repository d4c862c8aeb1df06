/// JSON: text to values and back, and integers exactly as they stand there.
///
/// nlohmann's parser and writer are templates: each file that uses them compiles them again, which was half of what
/// such a file took, so they are called here alone. Its own get<int>() wraps what is too great and converts fractions,
/// which is undefined for 1e300. Callers: whoever speaks with another process or writes for a later one.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace vipd {

/// Its keys keep their order.
using Json = nlohmann::ordered_json;

/// The value, or a discarded one (is_discarded()) if the text is no JSON.
Json parse_json(std::string_view text);

/// On one line, without its end. What is no UTF-8 (a peer, a program, a path may have a hand in it) is replaced.
std::string to_text(const Json& value);

/// The member `key` of a JSON object; throws std::out_of_range if it is missing, is no integer or does not fit.
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
  throw std::out_of_range(std::string("\"") + key + "\" is no integer in range");
}

}  // namespace vipd
