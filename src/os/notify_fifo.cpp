#include "vipd/os/notify_fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "vipd/os/log.hpp"
#include "vipd/os/user_group.hpp"

namespace vipd {
namespace {

/// Makes the pipe; an existing pipe keeps its owner and mode.
Result<void> make_fifo(const std::string& path) {
  const SharedWithGroup shared(0640);
  return ::mkfifo(path.c_str(), 0640) == 0 || errno == EEXIST ? Result<void>()
                                                              : system_failure("cannot make " + path, errno);
}

}  // namespace

NotifyFifo::NotifyFifo(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  if (const auto opened = open(); !opened) complain(opened.error().message);
}

void NotifyFifo::write(std::string_view line) {
  if (path_.empty()) return;
  if (!is_current()) {
    if (const auto opened = open(); !opened) {
      ++dropped_;
      return complain(opened.error().message);
    }
  }
  if (::write(fd_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size())) return;
  ++dropped_;
  complain(errno == EAGAIN ? path_ + " is full: no program reads it" : "cannot write " + path_);
}

/// True if the open file is still the one at the path.
bool NotifyFifo::is_current() const {
  struct stat there{}, ours{};
  return fd_ && ::stat(path_.c_str(), &there) == 0 && ::fstat(fd_.get(), &ours) == 0 && there.st_dev == ours.st_dev &&
         there.st_ino == ours.st_ino;
}

Result<void> NotifyFifo::open() {
  if (const auto made = make_fifo(path_); !made) return made;
  Fd fd(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) < 0) return system_failure("cannot open " + path_, errno);
  if (!S_ISFIFO(status.st_mode)) return failure(path_ + " is not a named pipe");
  fd_ = std::move(fd);
  return {};
}

void NotifyFifo::complain(const std::string& why) {
  if (!log_.passes(TimePoint(std::chrono::steady_clock::now().time_since_epoch()))) return;
  log_warning("notify_fifo: {} ({} lines dropped so far; at most one line a minute)", why, dropped_);
}

}  // namespace vipd
