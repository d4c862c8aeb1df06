/// MessageSocket: JSON objects over a connected unix socket of type SOCK_SEQPACKET, without ever waiting.
///
/// One packet is one object. It leaves in a turn of its own, behind what is more urgent: whoever it wakes would run in
/// front of adverts that are about to be sent. What is not an object ends the connection. Both ends of the conversation
/// between vipd and vipd-runner are one of these. Handlers are called from the loop, never from within send(), and may
/// destroy the socket.
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

  /// Longest packet in octets; a unix socket of Linux takes it as one piece with its default buffer.
  static constexpr std::size_t kLongest = 128 << 10;

  /// Takes over `fd`. Fails when the loop cannot watch it.
  static Result<std::unique_ptr<MessageSocket>> open(EventLoop& loop, Fd fd, OnMessage on_message, OnClosed on_closed);

  /// Queues a message. False if it is too long; then nothing was done.
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

/// A pair of connected sockets as MessageSocket wants them.
Result<SocketPair> make_socket_pair();
/// Connects to the one that listens at `path`.
Result<Fd> connect_to(const std::string& path);
/// Listens at `path` in place of whoever did before; only the socket's owner may connect.
Result<Fd> listen_at(const std::string& path);

}  // namespace vipd
