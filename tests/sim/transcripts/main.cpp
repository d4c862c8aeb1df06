// vipd-transcripts [--write] FILE...: runs scenarios in virtual time and compares their timelines with the expected
// ones.
//
// A directory stands for all its *.transcript. With --write the expected part of each file is written anew. It exits
// with 1 if a timeline differs or a promise is broken (vipd/sim/promises.hpp), and with 2 if a file cannot be read.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "vipd/sim/play.hpp"

namespace {

namespace fs = std::filesystem;
using vipd::sim::Played;
using vipd::sim::Transcript;

std::string read_all(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> files_of(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const fs::path path : arguments) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".transcript") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// Runs one file and returns its exit status.
int run_file(const fs::path& path, bool write) {
  const auto transcript = vipd::sim::read_transcript(read_all(path));
  if (!transcript) {
    std::cerr << path.string() << ": " << transcript.error().message << "\n";
    return 2;
  }
  const Played played = vipd::sim::play(*transcript);
  for (const std::string& broken : played.broken) std::cout << path.string() << ": " << broken << "\n";
  const std::string name = path.filename().string();
  const std::string diff =
      vipd::sim::unified_diff(transcript->expected, played.timeline, name + " expects", name + " comes to");
  std::cout << diff;
  if (!played.broken.empty() || (!diff.empty() && !write)) return 1;
  if (!diff.empty()) std::ofstream(path) << transcript->scenario << played.timeline;
  return 0;
}

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> arguments(words + 1, words + count);
  const bool write = std::erase(arguments, "--write") > 0;
  const auto files = files_of(arguments);
  if (files.empty()) {
    std::cerr << "usage: vipd-transcripts [--write] FILE...\n";
    return 2;
  }
  int status = 0;
  for (const fs::path& file : files) status = std::max(status, run_file(file, write));
  return status;
}
