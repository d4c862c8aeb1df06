/// MessageSocket: JSON objects over a connected unix socket of type SOCK_SEQPACKET, without ever waiting.
///
/// One packet is one object; any other packet ends the connection. A message leaves in a later turn of the loop, after
/// more urgent work. Otherwise the process that it wakes could run before adverts are sent. vipd and vipd-runner each
/// have one end. Handlers are called from the loop, never from within send(), and may destroy the socket.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/json.hpp"

namespace vipd {

class MessageSocket {
 public:
  using OnMessage = std::function<void(const Json&)>;
  using OnClosed = std::function<void()>;

  /// Longest packet in octets. Linux takes it in one piece with the default buffer of a unix socket.
  static constexpr std::size_t kLongest = 128 << 10;

  /// Takes ownership of `fd`. Fails if the loop cannot watch it.
  static Result<std::unique_ptr<MessageSocket>> open(EventLoop& loop, Fd fd, OnMessage on_message, OnClosed on_closed);

  /// Queues a message. Returns false and does nothing if the message is too long.
  bool send(const Json& message);

 private:
  MessageSocket(EventLoop& loop, Fd fd, OnMessage on_message, OnClosed on_closed);
  void on_ready();
  void flush();

  EventLoop& loop_;
  const Fd fd_;
  OnMessage on_message_;
  OnClosed on_closed_;
  std::deque<std::string> unsent_;
  EventLoop::Watch watch_;
};

/// The two ends of a new connection.
struct SocketPair {
  Fd ours, theirs;
};

/// Makes a pair of connected sockets for two MessageSockets.
Result<SocketPair> make_socket_pair();
/// Connects to the socket at `path`.
Result<Fd> connect_to(const std::string& path);
/// Listens at `path`, in place of any previous listener. Only the owner of the socket file may connect.
Result<Fd> listen_at(const std::string& path);

}  // namespace vipd
