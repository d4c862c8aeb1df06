/// The files of a fuzz target: they are in a directory in memory, which is gone with the process.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "support/temporary_directory.hpp"

namespace vipd::fuzz {

/// The path of a file in the directory.
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
