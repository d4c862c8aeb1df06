#include "vipd/os/program_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

#include "vipd/os/state_directory.hpp"
#include "vipd/os/user_group.hpp"

namespace vipd {
namespace {

constexpr int kMostLinks = 40;  // the kernel's limit, path_resolution(7)

std::string octal(mode_t mode) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777u);
  return text.data();
}

/// The uid besides root that may own components. Root runs the programs of user vipd, so that user is not trusted.
uid_t trusted_owner() {
  static const uid_t owner = ::geteuid() == user_of_vipd() ? 0 : ::geteuid();
  return owner;
}

/// The fault of one component that is no link, if others could change it.
std::optional<ProgramFault> examine_owner(const std::string& path, const struct stat& status) {
  const std::string what = (S_ISDIR(status.st_mode) ? "directory " : "") + path;
  if (status.st_uid != 0 && status.st_uid != trusted_owner())
    return ProgramFault{what + " belongs to uid " + std::to_string(status.st_uid), "chown root " + path};
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return std::nullopt;
  // a shared directory such as /tmp, whose mode is right for its purpose
  const bool shared = (status.st_mode & S_ISVTX) != 0;
  return ProgramFault{what + " is writable by others (mode " + octal(status.st_mode) + ")",
                      shared ? "move it under /etc, owner root, mode 0755" : "chmod go-w " + path};
}

std::optional<ProgramFault> examine_executable(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return ProgramFault{path + " is not a regular file", "name a program"};
  if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
    return ProgramFault{path + " is not executable (mode " + octal(status.st_mode) + ")", "chmod +x " + path};
  return std::nullopt;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The file at the end of a path; `path` is empty if it may not be looked at.
struct End {
  std::string path;
  struct stat status{};
};

/// Walks a path component by component, as the kernel does.
class Walk {
 public:
  explicit Walk(std::string path) : rest_(std::move(path)) {}

  /// Returns a fault on the way, or sets `end` to the file at the end.
  std::optional<ProgramFault> run(End& end) {
    struct stat& status = end.status;
    if (::lstat("/", &status) == 0)
      if (auto fault = examine_owner("/", status)) return fault;
    while (true) {
      const std::string name = take_component(rest_);
      if (name == ".") continue;
      if (name.empty()) {
        end.path = at_;
        return std::nullopt;
      }
      const std::string path = name == ".." ? parent_of(at_) : (at_ == "/" ? "" : at_) + "/" + name;
      if (::lstat(path.c_str(), &status) < 0) return cannot_look(path);
      if (S_ISLNK(status.st_mode)) {  // the link's directory is safe, so nobody can redirect it
        if (!follow(path))
          return ProgramFault{path + " is a symbolic link that leads nowhere", "name the program itself"};
        continue;
      }
      if (auto fault = examine_owner(path, status)) return fault;
      at_ = path;
    }
  }

 private:
  bool follow(const std::string& link) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    if (size <= 0 || ++links_ > kMostLinks) return false;
    rest_ = std::string(target.data(), static_cast<std::size_t>(size)) + rest_;
    if (target[0] == '/') at_ = "/";
    return true;
  }

  static std::optional<ProgramFault> cannot_look(const std::string& path) {
    if (errno == EACCES) return std::nullopt;
    if (errno == ENOENT) return ProgramFault{"there is no " + path, "write it, or correct the path"};
    return ProgramFault{path + ": " + std::strerror(errno), "correct the path"};
  }

  std::string rest_, at_ = "/";
  int links_ = 0;
};

}  // namespace

std::optional<ProgramFault> examine_program(const std::string& path) {
  End end;
  if (auto fault = Walk(path).run(end)) return fault;
  return end.path.empty() ? std::nullopt : examine_executable(end.path, end.status);
}

std::optional<ProgramFault> examine_configuration(const std::string& path, const struct stat& opened) {
  End end;
  if (auto fault = Walk(path).run(end)) return fault;
  if (end.path.empty() || (end.status.st_dev == opened.st_dev && end.status.st_ino == opened.st_ino))
    return std::nullopt;
  return ProgramFault{path + " was replaced while it was read", "try again"};
}

}  // namespace vipd
