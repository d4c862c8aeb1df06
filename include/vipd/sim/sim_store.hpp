/// SimStore: a Store in memory, for nodes in virtual time and for tests.
///
/// It keeps the octets that a disk would keep. So it survives the crash of a node, it can be full, and a test may
/// damage its files. Directories need not be made.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/os/store.hpp"

namespace vipd::sim {

class SimStore final : public Store {
 public:
  Result<void> remove(const std::string& name) override;
  std::vector<std::string> names_in(const std::string& directory) const override;
  Result<void> make_directory(const std::string& /*name*/) override { return {}; }
  Boot boot() const override { return this_boot; }

  bool has(const std::string& name) const { return files_.contains(name); }
  /// The octets of a file that is there.
  std::string& at(const std::string& name) { return *files_.at(name); }
  /// Puts a file there.
  void set(const std::string& name, std::string octets) {
    files_[name] = std::make_shared<std::string>(std::move(octets));
  }
  void clear() { files_.clear(); }
  /// The octets of all files that have a name.
  std::size_t used() const;

  std::size_t room = std::numeric_limits<std::size_t>::max();  ///< how many octets all files together may have
  Boot this_boot{};
  /// Called before each write, with the name of the file. If it throws, the process dies before the write.
  std::function<void(const std::string& name)> before_write = [](const std::string&) {};

 private:
  class OpenFile;
  using Octets = std::shared_ptr<std::string>;  // shared, so a process may keep a deleted file open

  Result<std::string> load(const std::string& name) const override;
  Result<std::unique_ptr<File>> create(const std::string& name, std::string_view octets, Sync sync) override;
  bool takes(std::size_t more) const { return more <= room && used() <= room - more; }

  std::map<std::string, Octets> files_;
};

}  // namespace vipd::sim
