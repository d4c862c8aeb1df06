#include "vipd/sim/sim_store.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vipd::sim {

class SimStore::OpenFile final : public Store::File {
 public:
  OpenFile(SimStore& store, std::string name, Octets octets)
      : store_(store), name_(std::move(name)), octets_(std::move(octets)) {}

 private:
  /// Octets without room are cut off, as on a full disk.
  Result<void> write(std::string_view octets, std::size_t at) override {
    store_.before_write(name_);
    for (const char octet : octets) {
      if (at == octets_->size() && !store_.takes(1)) return system_failure("cannot write " + name_, ENOSPC);
      if (at == octets_->size()) octets_->push_back('\0');
      (*octets_)[at++] = octet;
    }
    return {};
  }
  void cut(std::size_t size) override { octets_->resize(size); }

  SimStore& store_;
  std::string name_;
  Octets octets_;
};

std::size_t SimStore::used() const {
  std::size_t size = 0;
  for (const auto& [name, octets] : files_) size += octets->size();
  return size;
}

Result<void> SimStore::remove(const std::string& name) {
  files_.erase(name);
  return {};
}

std::vector<std::string> SimStore::names_in(const std::string& directory) const {
  std::vector<std::string> names;
  for (const auto& [name, octets] : files_)
    if (const std::size_t slash = name.rfind('/'); slash != name.npos && name.substr(0, slash) == directory)
      names.push_back(name.substr(slash + 1));
  return names;
}

Result<std::string> SimStore::load(const std::string& name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return system_failure("cannot read " + name, ENOENT);
  return *found->second;
}

Result<std::unique_ptr<Store::File>> SimStore::create(const std::string& name, std::string_view octets, Sync /*sync*/) {
  before_write(name);
  if (!takes(octets.size())) return system_failure("cannot write " + name, ENOSPC);
  set(name, std::string(octets));
  return std::make_unique<OpenFile>(*this, name, files_.at(name));
}

}  // namespace vipd::sim
