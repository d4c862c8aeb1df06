// A file of the source tree as text.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "support/catch.hpp"

namespace vipd::test {

inline std::string read_file(const std::string& name) {
  std::ifstream file(std::string(VIPD_SOURCE_DIR) + "/" + name);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace vipd::test
