/// EventLoop: sd-event(3) with ownership.
///
/// The loop adds C++ lifetimes to sd-event, and the order that the protocol needs. Sockets and netlink come before the
/// deadline, the deadline before hooks and control clients. A process that was stalled thereby reads the adverts in its
/// sockets before it believes that the Active router is dead.
///
/// A socket that is never empty (a flood, a failing read) cannot hold up the deadline. A due deadline waits for some
/// dozens of handlers at most.
///
/// Packets that arrive one by one within a millisecond would each cost a wake. After a few turns of such a burst the
/// loop sleeps for the rest of the millisecond and then reads all of them. The loop does not sleep past the deadline.
///
/// There is one deadline. The state machines own theirs, and the loop gets the earliest.
#pragma once

#include <systemd/sd-event.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

/// The present time of CLOCK_BOOTTIME (clock_gettime(2)).
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

  /// Fails if the kernel gives no epoll instance.
  static Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Calls `handler` whenever `fd` is ready for `events` (EPOLLIN, EPOLLOUT).
  Result<Watch> watch(int fd, unsigned events, Urgency urgency, Handler handler);
  /// Changes the events that an existing watch waits for. The old events stay while the kernel refuses the change
  /// (epoll_ctl(2): ENOMEM); the loop tries again until the kernel accepts.
  void rewatch(Watch& watch, unsigned events);
  /// Calls `handler` once after `delay`, unless the watch is destroyed before.
  Result<Watch> after(Duration delay, Handler handler);
  /// Calls `handler` when `signal` arrives. The signal must be blocked (see block_signals()).
  Result<void> on_signal(int signal, Handler handler);
  /// Calls `handler` when deadline() has come.
  Result<void> on_deadline(Handler handler);
  /// Calls `handler` after every other handler. The daemon sets the deadline there.
  void after_each(Handler handler) { after_each_ = std::move(handler); }

  /// Sets the one deadline; kNever = none. Its accuracy is a microsecond; sd-event's default is a quarter of a second.
  void set_deadline(TimePoint deadline);
  /// boot_time(), read once a turn.
  TimePoint now() const;

  /// Pings the watchdog of the systemd unit if there is one (sd_event_set_watchdog(3)).
  void feed_watchdog();
  /// Handles the descriptors that are ready, after a wait of `at_most`.
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
  int network_turns_ = 0;  // turns of network handlers since the deadline was due
  TimePoint burst_ends_{};
  int burst_turns_ = 0;
  // true: this turn is part of a burst; its socket already had a turn in this burst
  bool in_burst_ = false, again_ = false;
  Handler on_deadline_, after_each_;
  std::vector<Watch> signals_;
};

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGCHLD, and ignores SIGPIPE. To be called before any thread is started.
void block_signals();

}  // namespace vipd
