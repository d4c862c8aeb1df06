#include "vipd/os/state_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace vipd {
namespace {

constexpr int kMostLinks = 40;  // as path_resolution(7)
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// May root follow a link in this directory? Nobody else has put it there.
bool is_of_us_alone(const Fd& directory) {
  struct stat status{};
  if (!directory || ::fstat(directory.get(), &status) < 0) return false;
  return (status.st_uid == ::geteuid() || status.st_uid == 0) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Walks from directory to directory, each by the descriptor of the one before.
class DirectoryWalk {
 public:
  DirectoryWalk(std::string path, int begin) : rest_(std::move(path)), at_(::openat(begin, ".", kDirectory)) {}

  Fd run() {
    if (rest_.starts_with('/')) at_ = Fd(::open("/", kDirectory));
    while (at_ && !rest_.empty())
      if (const std::string name = take_component(rest_); !name.empty()) enter(name);
    return std::move(at_);
  }

 private:
  void enter(const std::string& name) {
    Fd next(::openat(at_.get(), name.c_str(), kDirectory));
    if (next)
      at_ = std::move(next);
    else if (const int error = errno; (error != ELOOP && error != ENOTDIR) || !follow(name))
      fail(error);
  }

  /// False if it is no link, or one that others could have made.
  bool follow(const std::string& name) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(at_.get(), name.c_str(), target.data(), target.size());
    if (size <= 0 || ++links_ > kMostLinks || !is_of_us_alone(at_)) return false;
    rest_ = std::string(target.data(), static_cast<std::size_t>(size)) + rest_;
    if (target[0] == '/') at_ = Fd(::open("/", kDirectory));
    return true;
  }

  void fail(int error) {
    at_ = Fd();
    errno = error;
  }

  std::string rest_;
  Fd at_;
  int links_ = 0;
};

}  // namespace

PathParts parts_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

std::string take_component(std::string& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
  const std::size_t end = std::min(rest.find('/', begin), rest.size());
  std::string name = rest.substr(begin, end - begin);
  rest.erase(0, end);
  return name;
}

Fd open_directory(const std::string& path, const Fd& below) {
  const int begin = below ? below.get() : AT_FDCWD;
  if (::geteuid() != 0) return Fd(::openat(begin, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return DirectoryWalk(path, begin).run();
}

bool is_ours_alone(const std::string& directory) { return is_of_us_alone(open_directory(directory)); }

void hand_to_owner_of(const Fd& directory, const Fd& made) {
  struct stat owner{}, status{};
  if (::geteuid() != 0 || ::fstat(directory.get(), &owner) < 0 || ::fstat(made.get(), &status) < 0) return;
  const bool one_name = S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink == 1);
  if (one_name && status.st_uid == 0 && owner.st_uid != 0) (void)!::fchown(made.get(), owner.st_uid, owner.st_gid);
}

Fd open_lock_file(const std::string& path) {
  const PathParts parts = parts_of(path);
  const Fd directory = open_directory(parts.directory);
  if (!directory) return {};
  const int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Fd fd(::openat(directory.get(), parts.name.c_str(), how, 0600));
  if (fd) hand_to_owner_of(directory, fd);
  return fd;
}

}  // namespace vipd
