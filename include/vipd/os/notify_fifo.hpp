/// NotifyFifo: a named pipe that tells its reader of transitions, a line each.
///
/// The pipe is made if it is missing, with mode 0660 and group vipd, as the control socket. It stays when vipd ends, so
/// a reader keeps it over a restart. vipd never waits for the reader: a line that does not fit is dropped and counted,
/// and the log says so once a minute. vipd opens the pipe for reading, too, so lines wait in it while it has no other
/// reader. If the pipe is removed and made anew, vipd uses the new one from the next line on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vipd/base/log_limit.hpp"
#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

class NotifyFifo {
 public:
  /// `path` is where the pipe is; empty = no pipe is configured.
  explicit NotifyFifo(std::string path = "");

  /// Writes `line` as a whole or not at all. `line` has at most PIPE_BUF octets, its newline included.
  void write(std::string_view line);

  const std::string& path() const { return path_; }
  /// The number of lines that were dropped.
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool is_current() const;
  Result<void> open();
  void complain(const std::string& why);

  std::string path_;
  Fd fd_;
  std::uint64_t dropped_ = 0;
  LogLimit log_;
};

}  // namespace vipd
