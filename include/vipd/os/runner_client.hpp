/// RunnerClient: the Runner seam over a vipd-runner in another process.
///
/// A request is sent in the turn in which it is made, and answered when its program has ended. While there is no
/// runner, requests wait in their order. If the runner dies during a program, the program is run once more, since its
/// work may be undone. If the runner dies during the same program a second time, the program may be the reason, and the
/// request fails. The callers bound the number of waiting requests: one for each hook queue and each check.
///
/// RunnerProcess is the runner of a vipd that was started by hand: a child at the other end of a pair of sockets.
///
/// Not good yet: vipd waits for a runner that lives but does not answer, except in a planned stop. If a vipd that was
/// started by hand is killed and restarted at once, two runners exist. The old one takes up to 2 s to end its programs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vipd/os/message_socket.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

class RunnerClient final : public Runner {
 public:
  /// Connects to a runner without waiting.
  using Connect = std::function<Result<Fd>()>;

  RunnerClient(EventLoop& loop, Connect connect);

  void run(const Command& command, Done done) override;
  /// Each new connection begins with these hashes, before any request.
  void serve(const std::vector<std::string>& hashes) override;
  /// For a planned stop: after each `patience`, fails the requests that wait for a runner or whose program is overdue.
  void give_up_after(Duration patience);

 private:
  struct Request {
    Command command;
    Done done;
    int sent = 0;  // number of times the request was sent
    bool under_way = false;
    TimePoint given_up_at = {};  // when give_up_after() fails a sent request: the runner has killed its program by then
    EventLoop::Watch refused = {};  // runs the failure of a request that is too long to be sent
  };

  void connect();
  void connect_later(const std::string& why);
  void lost(const std::string& why);
  void on_message(const Json& message);
  void greeted();
  void send(std::uint64_t id, Request& request);
  void answer(std::uint64_t id, const Outcome& outcome);

  EventLoop& loop_;
  const Connect connect_;
  std::unique_ptr<MessageSocket> socket_;
  bool greeted_ = false;
  bool complained_ = false;
  Duration pause_;
  std::map<std::uint64_t, Request> requests_;  // by id, so in the order of the requests
  std::uint64_t last_id_ = 0;
  std::vector<std::string> served_;
  EventLoop::Watch retry_, patience_;
};

class RunnerProcess {
 public:
  /// `command` starts a runner that serves its standard input. Takes over the reaping of this process's children.
  static Result<std::unique_ptr<RunnerProcess>> create(EventLoop& loop, std::vector<std::string> command);

  /// Starts a runner and returns the connection to it. If descendants of the previous runner are alive, kills them and
  /// fails.
  Result<Fd> connect();

 private:
  explicit RunnerProcess(std::vector<std::string> command) : command_(std::move(command)) {}
  const std::vector<std::string> command_;
};

}  // namespace vipd
