/// ControlClient: one conversation with the daemon over its Unix socket.
///
/// The client sends one line, and the daemon answers with lines of JSON. The client does not interpret them. The daemon
/// may be hung, gone in the middle of an answer, or not there at all, and the operator must learn which. So every
/// failure is an Error with an errno, from which the exit status follows (exit_status() in vipctl.hpp). The time and
/// the size of an answer are bounded. All calls block.
#pragma once

#include <optional>
#include <string>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

class ControlClient {
 public:
  /// Connects to the socket, and waits up to `patience` for a daemon that is too busy to accept. Errors: ENOENT or
  /// ECONNREFUSED (no daemon), EACCES (permission), ETIMEDOUT, ENAMETOOLONG.
  static Result<ControlClient> connect(const std::string& socket_path, Duration patience);

  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&&) = delete;
  ~ControlClient();

  /// Sends `request` and a newline. It is no error if the daemon has already hung up: its earlier answer can still be
  /// read.
  Result<void> send(const std::string& request);

  /// Returns the next line without its newline. Waits up to `patience` in all; nullopt = forever. Errors: ETIMEDOUT, a
  /// closed connection, an answer of more than kLongestAnswer octets.
  Result<std::string> receive_line(std::optional<Duration> patience);

 private:
  ControlClient(int descriptor, std::string socket_path);

  std::optional<std::string> take_line();
  Result<void> receive_more(std::optional<std::chrono::steady_clock::time_point> deadline);
  Result<void> wait_readable(std::optional<std::chrono::steady_clock::time_point> deadline) const;
  std::unexpected<Error> timed_out() const;
  std::unexpected<Error> closed() const;

  int descriptor_;
  std::string socket_path_;
  std::string buffer_;         ///< octets that were received and not yet returned
  std::size_t searched_ = 0;   ///< number of octets of buffer_ that are known to contain no newline
  bool any_received_ = false;  ///< true if a whole line was received
};

}  // namespace vipd
