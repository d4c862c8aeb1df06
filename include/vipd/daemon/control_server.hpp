/// ControlServer: answers vipctl on a Unix socket.
///
/// One JSON object a line in, one a line out. {"verb":"status"|"version"|"events"} and what the Reloader answers get
/// their document and the end of the connection; {"verb":"events","follow":true} gets the past and then each transition
/// as it happens. Clients are never waited for: everything is non-blocking and bounded (clients, length of a request,
/// unread answers, time to ask), and whoever exceeds a bound is cut. The socket belongs to root:vipd, mode 0660:
/// members of the group may ask, and may have the files read anew, which only root can change.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "vipd/daemon/reloader.hpp"
#include "vipd/daemon/status.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

class ControlServer {
 public:
  /// Listens at `path`, replacing a socket that a dead daemon left there (the caller holds the runtime directory's
  /// lock).
  static Result<std::unique_ptr<ControlServer>> open(EventLoop& loop, const std::string& path,
                                                     const Supervisor& supervisor, Reloader& reloader,
                                                     const DaemonInfo& info);
  ~ControlServer();

  /// Sends new transitions to those who follow. Called after each turn of the loop.
  void publish();

 private:
  struct Client;
  ControlServer(EventLoop& loop, std::string path, const Supervisor& supervisor, Reloader& reloader,
                const DaemonInfo& info);

  void accept_clients();
  void on_ready(Client& client);
  bool read_request(Client& client);
  nlohmann::ordered_json answer(Client& client, const std::string& line);
  void send(Client& client, const nlohmann::ordered_json& document);
  bool flush(Client& client);
  void drop(Client& client);
  Clocks clocks() const;

  EventLoop& loop_;
  std::string path_;
  const Supervisor& supervisor_;
  Reloader& reloader_;
  DaemonInfo info_;
  Fd socket_;
  EventLoop::Watch accept_watch_;
  std::list<std::unique_ptr<Client>> clients_;
};

}  // namespace vipd
