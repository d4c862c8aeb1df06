/// Integers out of JSON from a file or another process, exactly as they stand there.
///
/// nlohmann's own get<int>() wraps what is too great and converts fractions, which is undefined for 1e300. Callers: the
/// readers of what another process wrote.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace vipd {

/// The member `key` of a JSON object; throws std::out_of_range if it is missing, is no integer or does not fit.
template <std::integral T, typename Json>
T integer_at(const Json& object, const char* key) {
  const auto member = object.is_object() ? object.find(key) : object.end();
  if (member != object.end() && member->is_number_unsigned()) {
    const auto number = member->template get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (member != object.end() && member->is_number_integer()) {
    const auto number = member->template get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  throw std::out_of_range(std::string("\"") + key + "\" is no integer in range");
}

}  // namespace vipd
