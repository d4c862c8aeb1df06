#include "vipd/os/state_file.hpp"

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

constexpr off_t kLargest = 32 << 20;  // a configuration has at most 8 MiB, as JSON at most four times that
constexpr int kMostLinks = 40;        // as path_resolution(7)
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct Split {
  std::string directory, name;
};

Split split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

/// May root follow a link in this directory? Nobody else has put it there.
bool is_of_us_alone(const Fd& directory) {
  struct stat status{};
  if (!directory || ::fstat(directory.get(), &status) < 0) return false;
  return (status.st_uid == ::geteuid() || status.st_uid == 0) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Walks from directory to directory, each by the descriptor of the one before.
class DirectoryWalk {
 public:
  explicit DirectoryWalk(std::string path) : rest_(std::move(path)) {}

  Fd run() {
    at_ = Fd(::open(rest_.starts_with('/') ? "/" : ".", kDirectory));
    while (at_ && !rest_.empty()) enter(next_component());
    return std::move(at_);
  }

 private:
  std::string next_component() {
    const std::size_t begin = std::min(rest_.find_first_not_of('/'), rest_.size());
    const std::size_t end = std::min(rest_.find('/', begin), rest_.size());
    std::string name = rest_.substr(begin, end - begin);
    rest_.erase(0, end);
    return name.empty() ? "." : name;
  }

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

/// What root makes in a directory of user vipd must not lock that user out. A file of two names is another's as well.
void hand_to_owner_of(const Fd& directory, const Fd& made) {
  struct stat owner{}, status{};
  if (::geteuid() != 0 || ::fstat(directory.get(), &owner) < 0 || ::fstat(made.get(), &status) < 0) return;
  const bool one_name = S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink == 1);
  if (one_name && status.st_uid == 0 && owner.st_uid != 0) (void)!::fchown(made.get(), owner.st_uid, owner.st_gid);
}

Fd open_directory_of(const Split& place) { return open_directory(place.directory); }

}  // namespace

Fd open_directory(const std::string& path) {
  if (::geteuid() != 0) return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return DirectoryWalk(path).run();
}

bool is_ours_alone(const std::string& directory) { return is_of_us_alone(open_directory(directory)); }

Result<void> make_state_directory(const std::string& path) {
  const Split place = split(path);
  Fd above = open_directory_of(place);
  if (!above && errno == ENOENT && place.directory.size() > 1) {
    const std::string parent = place.directory.substr(0, place.directory.find_last_not_of('/') + 1);
    if (auto made = make_state_directory(parent); !made) return made;
    above = open_directory_of(place);
  }
  if (!above) return system_failure("cannot open " + place.directory, errno);
  if (::mkdirat(above.get(), place.name.c_str(), 0700) < 0)
    return errno == EEXIST ? Result<void>() : system_failure("cannot make " + path, errno);
  const Fd made(::openat(above.get(), place.name.c_str(), kDirectory));
  if (made) hand_to_owner_of(above, made);
  return {};
}

std::string read_state_file(const std::string& path) {
  const Split place = split(path);
  const Fd directory = open_directory_of(place);
  if (!directory) return "";
  const Fd fd(::openat(directory.get(), place.name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > kLargest) return "";
  std::string text;
  std::array<char, 65536> buffer;
  ssize_t size = 0;
  while (text.size() <= static_cast<std::size_t>(kLargest) &&
         (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return size < 0 ? "" : text;
}

Fd create_state_file(const std::string& path, int flags) {
  const Split place = split(path);
  const Fd directory = open_directory_of(place);
  if (!directory) return {};
  ::unlinkat(directory.get(), place.name.c_str(), 0);
  const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags;
  Fd fd(::openat(directory.get(), place.name.c_str(), how, 0600));
  if (fd) hand_to_owner_of(directory, fd);
  return fd;
}

bool rename_state_file(const std::string& from, const std::string& to) {
  const Fd directory = open_directory_of(split(from));
  return directory &&
         ::renameat(directory.get(), split(from).name.c_str(), directory.get(), split(to).name.c_str()) == 0;
}

void remove_state_file(const std::string& path) {
  const Fd directory = open_directory_of(split(path));
  if (directory) ::unlinkat(directory.get(), split(path).name.c_str(), 0);
}

Fd open_lock_file(const std::string& path) {
  const Split place = split(path);
  const Fd directory = open_directory_of(place);
  if (!directory) return {};
  const int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Fd fd(::openat(directory.get(), place.name.c_str(), how, 0600));
  if (fd) hand_to_owner_of(directory, fd);
  return fd;
}

}  // namespace vipd
