/// ControlServer: answers vipctl on a Unix socket.
///
/// A request is one line with a JSON object, and so is an answer. A client asks once: its answer ends the connection.
/// {"verb":"events","follow":true} gets the past transitions, then each new one as it happens. {"verb":"reexec"} is
/// answered with the version before the daemon begins the re-exec.
///
/// The daemon never waits for a client. Every call is non-blocking. The number of clients, the length of a request, the
/// unread answers and the time to ask are bounded, and a client that exceeds a bound is dropped. No client delays an
/// advert: a Worker writes a large status out, once for all clients that ask meanwhile. A transition is written out
/// once for all followers.
///
/// The socket belongs to the group vipd, mode 0660. The kernel tells the user of a client, and rights.hpp says what
/// that user may ask for. A user other than root has at most 16 clients, and the last places are root's. A client that
/// is refused is told why.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/log_limit.hpp"
#include "vipd/daemon/reloader.hpp"
#include "vipd/daemon/rights.hpp"
#include "vipd/daemon/status.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/json.hpp"
#include "vipd/os/worker.hpp"

namespace vipd {

class ControlServer {
 public:
  /// Begins a re-exec after this turn of the loop. The error says why there cannot be a re-exec.
  using Reexec = std::function<Result<void>()>;

  /// Listens on `inherited` if it is a socket, otherwise at `path`. A socket that a dead daemon left at `path` is
  /// replaced: the caller holds the lock of the runtime directory. `writer` writes documents out.
  static Result<std::unique_ptr<ControlServer>> open(EventLoop& loop, const std::string& path, Fd inherited,
                                                     const Supervisor& supervisor, Reloader& reloader, Worker& writer,
                                                     Reexec reexec, const DaemonInfo& info);
  ~ControlServer();

  /// The socket on which this server listens, for the program that takes over.
  int listener() const { return socket_.get(); }
  /// Sends new transitions to the followers. The daemon calls it after each turn of the loop.
  void publish();

 private:
  struct Client;

 public:
  /// A request that a client can make.
  struct Verb {
    std::string_view name;
    Right right;
    void (ControlServer::*answer)(Client& client, const Json& request, const Reloader::Reply& reply);
  };
  static std::span<const Verb> verbs();

 private:
  /// An answer or a part of an answer; many clients may share it.
  using Text = std::shared_ptr<const std::string>;
  using Clients = std::vector<std::weak_ptr<Client>>;
  ControlServer(EventLoop& loop, std::string path, const Supervisor& supervisor, Reloader& reloader, Worker& writer,
                Reexec reexec, DaemonInfo info);

  Result<void> listen();
  void accept_clients();
  void accept_later(int error);
  std::optional<std::string> no_place_for(uid_t user) const;
  std::ptrdiff_t followers_of(uid_t user) const;
  void on_ready(Client& client);
  bool read_request(Client& client);
  void answer(Client& client, const std::string& line);
  void answer_status(Client& client, const Json& request, const Reloader::Reply& reply);
  void answer_events(Client& client, const Json& request, const Reloader::Reply& reply);
  void answer_version(Client& client, const Json& request, const Reloader::Reply& reply);
  void answer_diff(Client& client, const Json& request, const Reloader::Reply& reply);
  void answer_reload(Client& client, const Json& request, const Reloader::Reply& reply);
  void answer_confirm(Client& client, const Json& request, const Reloader::Reply& reply);
  void answer_reexec(Client& client, const Json& request, const Reloader::Reply& reply);
  void write_status();
  void write_out(Json document, const Clients& clients);
  void give_all(const Clients& clients, const Text& text);
  void give(Client& client, Text text);
  static void add(Client& client, Text text);
  bool flush(Client& client);
  static void note_sent(Client& client, std::size_t octets);
  Text lines_since(std::uint64_t seen) const;
  void drop(Client& client);
  Clocks clocks() const;

  EventLoop& loop_;
  std::string path_;
  const Supervisor& supervisor_;
  Reloader& reloader_;
  Worker& writer_;
  Reexec reexec_;
  DaemonInfo info_;
  Fd socket_;
  EventLoop::Watch accept_watch_, accept_pause_;
  LogLimit accept_log_;
  std::list<std::shared_ptr<Client>> clients_;
  Clients ask_status_;          // clients that wait for the next status document
  bool writes_status_ = false;  // true while `writer_` writes a status out
};

}  // namespace vipd
