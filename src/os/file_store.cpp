#include "vipd/os/file_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "vipd/os/octets.hpp"
#include "vipd/os/state_directory.hpp"

namespace vipd {
namespace {

constexpr std::size_t kLargestFile = kRecordHead + kLargestPayload;

/// The words for a disk that takes no more, and for whatever else keeps a file from being written.
std::unexpected<Error> not_written(const std::string& path, int error) {
  return system_failure("cannot write " + path, error);
}

class OpenFile final : public Store::File {
 public:
  OpenFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

 private:
  Result<void> write(std::string_view octets, std::size_t at) override {
    while (!octets.empty()) {
      const ssize_t size = ::pwrite(fd_.get(), octets.data(), octets.size(), static_cast<off_t>(at));
      if (size < 0 && errno != EINTR) return not_written(path_, errno);
      if (size <= 0) continue;
      octets.remove_prefix(static_cast<std::size_t>(size));
      at += static_cast<std::size_t>(size);
    }
    return {};
  }
  void cut(std::size_t size) override { (void)!::ftruncate(fd_.get(), static_cast<off_t>(size)); }

  Fd fd_;
  std::string path_;
};

bool write_new(const Fd& fd, std::string_view octets, Store::Sync sync) {
  return fd && write_all(fd, octets) && (sync == Store::Sync::no || ::fsync(fd.get()) == 0);
}

/// Gives `temporary` the name `name`, and takes it away where that cannot be. Returns 0 or the errno.
int give_name(const Fd& directory, const std::string& temporary, const std::string& name, bool written) {
  if (written && ::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) == 0) return 0;
  const int error = errno;
  ::unlinkat(directory.get(), temporary.c_str(), 0);
  return error;
}

struct DirectoryCloser {
  void operator()(DIR* open) const { ::closedir(open); }
};

}  // namespace

Result<std::string> FileStore::load(const std::string& name) const {
  const PathParts place = parts_of(name);
  const auto failed = [&](int error) { return system_failure("cannot read " + shown(name), error); };
  const Fd directory = open_directory(place.directory, below_);
  if (!directory) return failed(errno);
  const Fd fd(::openat(directory.get(), place.name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) < 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return failed(EINVAL);
  std::string octets;
  if (!read_all(fd, octets, kLargestFile)) return failed(errno);
  return octets;
}

Result<std::unique_ptr<Store::File>> FileStore::create(const std::string& name, std::string_view octets, Sync sync) {
  const PathParts place = parts_of(name);
  const Fd directory = open_directory(place.directory, below_);
  if (!directory) return not_written(shown(name), errno);
  const std::string temporary = place.name + ".new";
  ::unlinkat(directory.get(), temporary.c_str(), 0);  // of a process that was killed
  const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Fd fd(::openat(directory.get(), temporary.c_str(), how, 0600));
  if (!fd) return not_written(shown(name), errno);
  hand_to_owner_of(directory, fd);
  const bool written = write_new(fd, octets, sync);
  if (const int error = give_name(directory, temporary, place.name, written); error != 0)
    return not_written(shown(name), error);
  return std::make_unique<OpenFile>(std::move(fd), shown(name));
}

Result<void> FileStore::remove(const std::string& name) {
  const PathParts place = parts_of(name);
  const Fd directory = open_directory(place.directory, below_);
  if (directory && ::unlinkat(directory.get(), place.name.c_str(), 0) == 0) return {};
  return errno == ENOENT ? Result<void>() : system_failure("cannot remove " + shown(name), errno);
}

std::vector<std::string> FileStore::names_in(const std::string& directory) const {
  std::vector<std::string> names;
  const Fd fd = open_directory(directory, below_);
  const std::unique_ptr<DIR, DirectoryCloser> open(fd ? ::fdopendir(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)) : nullptr);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) names.emplace_back(entry->d_name);
  return names;
}

Result<void> FileStore::make_directory(const std::string& name) {
  const PathParts place = parts_of(name);
  Fd above = open_directory(place.directory, below_);
  if (!above && errno == ENOENT && place.directory.size() > 1) {
    const std::string parent = place.directory.substr(0, place.directory.find_last_not_of('/') + 1);
    if (auto made = make_directory(parent); !made) return made;
    above = open_directory(place.directory, below_);
  }
  if (!above) return system_failure("cannot open " + shown(place.directory), errno);
  if (::mkdirat(above.get(), place.name.c_str(), 0700) < 0)
    return errno == EEXIST ? Result<void>() : system_failure("cannot make " + shown(name), errno);
  const Fd made(::openat(above.get(), place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (made) hand_to_owner_of(above, made);
  return {};
}

Store::Boot FileStore::boot() const {
  sd_id128_t id{};
  if (sd_id128_get_boot(&id) < 0) id = {};
  Boot boot;
  std::ranges::copy(id.bytes, boot.begin());
  return boot;
}

}  // namespace vipd
