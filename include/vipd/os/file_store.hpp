/// FileStore: a Store on a disk.
///
/// A named pipe, a device or a link is refused when the store reads it, and replaced when the store writes the file.
/// The store never waits for it. A file that replaces another one is written under its name with ".new" behind it, and
/// gets the name when it is whole, rename(2). Only the owner of a file may read it. A FileStore never changes, so the
/// loop and the disk's worker share one.
///
/// os/state_directory.hpp has the rules for root in a directory of user vipd (docs/decisions/0021).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/os/fd.hpp"
#include "vipd/os/store.hpp"

namespace vipd {

class FileStore final : public Store {
 public:
  /// Names are paths.
  FileStore() = default;
  /// Names are relative to an open directory. Errors call it `path`.
  FileStore(Fd directory, std::string path) : below_(std::move(directory)), path_(std::move(path) + "/") {}

  Result<void> remove(const std::string& name) override;
  std::vector<std::string> names_in(const std::string& directory) const override;
  Result<void> make_directory(const std::string& name) override;
  Boot boot() const override;

 private:
  Result<std::string> load(const std::string& name) const override;
  Result<std::unique_ptr<File>> create(const std::string& name, std::string_view octets, Sync sync) override;
  std::string shown(const std::string& name) const { return path_ + name; }

  Fd below_;  // none: names are paths
  std::string path_;
};

}  // namespace vipd
