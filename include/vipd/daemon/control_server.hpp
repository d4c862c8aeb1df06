/// ControlServer: answers vipctl on a Unix socket.
///
/// One JSON object a line in, one a line out. {"verb":"status"|"version"|"events"} and what the Reloader answers get
/// their document and the end of the connection; {"verb":"events","follow":true} gets the past and then each transition
/// as it happens; {"verb":"reexec"} is answered with the version before the daemon goes about it. Clients are never
/// waited for: everything is non-blocking and bounded (clients, length of a request, unread answers, time to ask), and
/// a client that exceeds a bound is cut. No client delays an advert: a status of many things is written out by a
/// Worker, one for all who ask meanwhile, and a transition once for all who follow. The socket belongs to the group
/// vipd, mode 0660. The kernel says which user a client is: rights.hpp has what that user may ask for. No user but root
/// can have more than 16 clients, and the last places are root's. A client that is refused is told why.
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
  /// Says why there cannot be a re-exec, or begins one once this turn of the loop is over.
  using Reexec = std::function<Result<void>()>;

  /// Listens at `path`, replacing a socket that a dead daemon left there (the caller holds the runtime directory's
  /// lock); or on `inherited`, if that is one. `writer` writes documents out.
  static Result<std::unique_ptr<ControlServer>> open(EventLoop& loop, const std::string& path, Fd inherited,
                                                     const Supervisor& supervisor, Reloader& reloader, Worker& writer,
                                                     Reexec reexec, const DaemonInfo& info);
  ~ControlServer();

  /// The socket that is listened on, for the program that comes after this one.
  int listener() const { return socket_.get(); }
  /// Sends new transitions to those who follow. Called after each turn of the loop.
  void publish();

 private:
  struct Client;

 public:
  /// What can be asked for.
  struct Verb {
    std::string_view name;
    Right right;
    void (ControlServer::*answer)(Client& client, const Json& request, const Reloader::Reply& reply);
  };
  static std::span<const Verb> verbs();

 private:
  /// An answer or a part of one, which many clients may get.
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
  Clients ask_status_;          // and wait for the next one
  bool writes_status_ = false;  // true while `writer_` has one
};

}  // namespace vipd
