/// The files of a target: in a directory that is in memory, and gone with the process.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "support/temporary_directory.hpp"

namespace vipd::fuzz {

/// The path of a file in it.
inline std::string scratch(const std::string& name) {
  static const test::TemporaryDirectory directory("/dev/shm");
  return directory.path() + "/" + name;
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace vipd::fuzz
