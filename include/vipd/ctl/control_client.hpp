/// ControlClient: one conversation with the daemon over its Unix socket.
///
/// The client sends one line, the daemon answers with lines of JSON; what they mean is not known here. The daemon may
/// be hung, gone in the middle of an answer, or not there at all, and a program that an operator reaches for in that
/// very moment must say which: every failure is an Error with the errno that the exit status is made of
/// (exit_status() in vipctl.hpp). An answer is bounded in time and in size.
///
/// Used by vipctl alone. Blocking calls and one descriptor: nothing else happens while it waits.
#pragma once

#include <optional>
#include <string>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

class ControlClient {
 public:
  /// Connects to the socket, waiting up to `patience` for a daemon that is too busy to accept. Errors: ENOENT or
  /// ECONNREFUSED (no daemon), EACCES (permission), ETIMEDOUT, ENAMETOOLONG.
  static Result<ControlClient> connect(const std::string& socket_path, Duration patience);

  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&&) = delete;
  ~ControlClient();

  /// Sends `request` and a newline. A daemon that has already hung up is no error here: what it said before is still
  /// to be read.
  Result<void> send(const std::string& request);

  /// The next line without its newline. Waits up to `patience` in all, without an end if there is none. Errors:
  /// ETIMEDOUT, a connection that was closed, an answer of more than kLongestAnswer octets.
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
  std::string buffer_;         ///< received and not yet taken
  std::size_t searched_ = 0;   ///< octets of buffer_ that are known to hold no newline
  bool any_received_ = false;  ///< a whole line has come
};

}  // namespace vipd
