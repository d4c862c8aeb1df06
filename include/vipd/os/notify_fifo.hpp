/// NotifyFifo: a named pipe that tells of transitions, a line each, to whoever reads it.
///
/// It is made if it is missing (mode 0660, group vipd, as the control socket) and stays when vipd ends, so that a
/// reader keeps it over a restart. The reader is never waited for: what does not fit is dropped, counted, and
/// complained of once a minute. It is open for reading, too, so that lines wait in it while nobody reads. Whoever
/// removes the pipe and makes it anew is followed at the next line. Caller: NodeHooks.
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
  /// An empty path is a pipe that nobody wants.
  explicit NotifyFifo(std::string path = "");

  /// Writes `line` as a whole or not at all; at most PIPE_BUF octets, with its end.
  void write(std::string_view line);

  const std::string& path() const { return path_; }
  /// Lines that nobody will read.
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
