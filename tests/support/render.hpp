/// render() for the tests of one file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/diagnostic.hpp"

namespace vipd::test {

inline std::string render(const std::vector<Diagnostic>& diagnostics, std::string_view name, std::string_view text,
                          bool color) {
  const ConfigSource source{std::string(name), std::string(text)};
  return vipd::render(diagnostics, {&source, 1}, color);
}

}  // namespace vipd::test
