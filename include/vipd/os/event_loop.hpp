/// EventLoop: sd-event(3) with ownership.
///
/// Adds nothing to sd-event but C++ lifetimes and the order that the protocol needs: sockets and netlink come before
/// the deadline, the deadline before hooks and control clients. A process that was stalled thereby reads what waits
/// in its sockets before it believes that the Active router is dead. A socket that is never empty, by a flood or
/// because reading it fails, does not keep the deadline from its turn: one that is due waits for some dozens of
/// handlers at most. Packets that come in a burst, one by one, would each cost a wake: after a few turns within a
/// millisecond, and where that goes on after one of each socket, the loop sleeps for the rest of it, unless the
/// deadline is before, and then reads all of them. There is one deadline; the state machines own theirs and hand the
/// earliest in.
#pragma once

#include <systemd/sd-event.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

/// CLOCK_BOOTTIME as it is now (clock_gettime(2)).
TimePoint boot_time();

/// Order within one turn, most urgent first (sd_event_source_set_priority(3)).
enum class Urgency : int { network = -50, deadline = 0, rest = 100 };

class EventLoop {
 public:
  using Handler = std::function<void()>;

  /// Keeps a watch alive; destroying it ends the watch.
  class Watch {
   public:
    Watch() = default;

   private:
    friend class EventLoop;
    struct State;
    struct Unref {
      void operator()(State* state) const;
    };
    std::unique_ptr<State, Unref> state_;
  };

  /// Fails when the kernel gives no epoll instance.
  static Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Calls `handler` whenever `fd` is ready for `events` (EPOLLIN, EPOLLOUT).
  Result<Watch> watch(int fd, unsigned events, Urgency urgency, Handler handler);
  /// Changes what an existing watch of a descriptor waits for. The old state stays while the kernel refuses the change
  /// (epoll_ctl(2): ENOMEM); the loop asks again until it agrees.
  void rewatch(Watch& watch, unsigned events);
  /// Calls `handler` once after `delay`, unless the watch is destroyed before.
  Result<Watch> after(Duration delay, Handler handler);
  /// Calls `handler` when `signal` arrives; the signal has to be blocked (see block_signals()).
  Result<void> on_signal(int signal, Handler handler);
  /// Calls `handler` when deadline() has come.
  Result<void> on_deadline(Handler handler);
  /// Calls `handler` after every other handler: the place to set the deadline anew.
  void after_each(Handler handler) { after_each_ = std::move(handler); }

  /// The one deadline; kNever for none. Accuracy is a microsecond, not sd-event's default quarter of a second.
  void set_deadline(TimePoint deadline);
  /// boot_time(), read once a turn.
  TimePoint now() const;

  /// Pings the watchdog of the unit when it has one (sd_event_set_watchdog(3)).
  void feed_watchdog();
  /// One turn: handles what is ready, waiting for it at most so long.
  void turn(Duration at_most);
  /// Runs until exit(); returns its code.
  Result<int> run();
  void exit(int code);

 private:
  explicit EventLoop(sd_event* event) : event_(event) {}
  Watch make_watch(Urgency urgency, Handler handler);
  static int fire(void* userdata);
  void rewatch(Watch::State& state, unsigned events);
  void note_network_turn(TimePoint& last);
  bool is_anything_ready() const;
  int handle(const Handler& handler);
  void rest();

  sd_event* event_;
  sd_event_source* deadline_ = nullptr;
  TimePoint deadline_at_ = kNever;
  int network_turns_ = 0;  // since the deadline was due
  TimePoint burst_ends_{};
  int burst_turns_ = 0;
  bool in_burst_ = false, again_ = false;  // this turn, and of a socket that had one in this burst
  Handler on_deadline_, after_each_;
  std::vector<Watch> signals_;
};

/// Blocks SIGTERM, SIGINT, SIGHUP, SIGCHLD and ignores SIGPIPE, as the loop needs it. Before any thread is started.
void block_signals();

}  // namespace vipd
