/// TemporaryDirectory: a directory that is gone with the object.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/catch.hpp"

namespace vipd::test {

/// A directory that is gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "vipd-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path() const { return path_.string(); }
  /// Where the control socket of a daemon with this runtime directory is.
  std::string socket() const { return (path_ / "control.sock").string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace vipd::test
