/// RunnerClient: the Runner seam over a vipd-runner in another process.
///
/// Each request is sent in the turn in which it is made and answered when its program has ended. A runner that is not
/// there, or dies, changes nothing but the time: requests wait in their order until one is there again. What was under
/// way when the runner died is run once more, since whether it had done its work is not known; if the runner dies over
/// it a second time it is given up, as it may be the reason. How many requests wait is bounded by the callers: one for
/// each instance. Caller: HookQueue, by way of the daemon.
///
/// RunnerProcess is the runner of a vipd that was started by hand: a child at the other end of a pair of sockets.
///
/// Not good yet: a runner that lives but answers nothing is waited for, but for a planned stop. A vipd that was started
/// by hand, killed and started again at once has a new runner while the old one takes up to 2 s to end what it ran.
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
  /// Makes a connection to a runner, without waiting.
  using Connect = std::function<Result<Fd>()>;

  RunnerClient(EventLoop& loop, Connect connect);

  void run(const Command& command, Done done) override;
  /// Each runner that comes is told so anew, before anything is asked of it.
  void serve(const std::vector<std::string>& hashes) override;
  /// For a planned stop: from now on each `patience` answers with an error what waits for a runner, and what the runner
  /// should have ended by then.
  void give_up_after(Duration patience);

 private:
  struct Request {
    Command command;
    Done done;
    int sent = 0;  // how often
    bool under_way = false;
    TimePoint given_up_at = {};     // of one under way: the runner has killed the program by then
    EventLoop::Watch refused = {};  // of one that cannot be sent
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
  std::map<std::uint64_t, Request> requests_;  // in the order in which they were made
  std::uint64_t last_id_ = 0;
  std::vector<std::string> served_;
  EventLoop::Watch retry_, patience_;
};

class RunnerProcess {
 public:
  /// `command` starts a runner that serves its standard input. Takes over the reaping of this process's children.
  static Result<std::unique_ptr<RunnerProcess>> create(EventLoop& loop, std::vector<std::string> command);

  /// Starts a runner and returns the connection to it. Fails as long as anything of the one before is alive, and ends
  /// it.
  Result<Fd> connect();

 private:
  explicit RunnerProcess(std::vector<std::string> command) : command_(std::move(command)) {}
  const std::vector<std::string> command_;
};

}  // namespace vipd
