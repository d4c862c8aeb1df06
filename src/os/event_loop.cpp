#include "vipd/os/event_loop.hpp"

#include <poll.h>

#include <csignal>
#include <ctime>
#include <thread>
#include <vector>

#include "vipd/base/assert.hpp"

namespace vipd {

struct EventLoop::Watch::State {
  EventLoop* loop;
  Urgency urgency;
  Handler handler;
  sd_event_source* source = nullptr;
  TimePoint burst{};  // the burst in which this watch had its last turn
  Watch retry{};      // alive while the kernel refuses the events of rewatch()
};

void EventLoop::Watch::Unref::operator()(State* state) const {
  sd_event_source_disable_unref(state->source);
  delete state;
}

namespace {

/// More turns than it takes to empty all sockets once, after a stall.
constexpr int kMostNetworkTurns = 16;
/// kBurstTurns turns within kBurst are a burst. No protocol timer is finer than ten times kBurst.
constexpr int kBurstTurns = 4;
constexpr auto kBurst = std::chrono::milliseconds(1);
/// The pause before rewatch() asks the kernel again.
constexpr auto kRewatchPause = std::chrono::milliseconds(20);

std::uint64_t microseconds(TimePoint time) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::microseconds>(time.time_since_epoch()).count());
}

std::unexpected<Error> loop_failure(const char* what, int negative_errno) {
  return system_failure(what, -negative_errno);
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  sd_event* event = nullptr;
  if (const int r = sd_event_new(&event); r < 0) return loop_failure("cannot make an event loop", r);
  return std::unique_ptr<EventLoop>(new EventLoop(event));
}

EventLoop::~EventLoop() {
  signals_.clear();
  sd_event_source_disable_unref(deadline_);
  sd_event_unref(event_);
}

EventLoop::Watch EventLoop::make_watch(Urgency urgency, Handler handler) {
  Watch watch;
  watch.state_.reset(new Watch::State{.loop = this, .urgency = urgency, .handler = std::move(handler)});
  return watch;
}

/// sd-event calls this for any watch; returns what sd-event expects of a handler.
int EventLoop::fire(void* userdata) {
  auto* const state = static_cast<Watch::State*>(userdata);
  if (state->urgency == Urgency::network) state->loop->note_network_turn(state->burst);
  return state->loop->handle(state->handler);
}

Result<EventLoop::Watch> EventLoop::watch(int fd, unsigned events, Urgency urgency, Handler handler) {
  Watch watch = make_watch(urgency, std::move(handler));
  const auto call = [](sd_event_source*, int, std::uint32_t, void* userdata) { return fire(userdata); };
  const int r = sd_event_add_io(event_, &watch.state_->source, fd, events, call, watch.state_.get());
  if (r < 0) return loop_failure("cannot watch a descriptor", r);
  sd_event_source_set_priority(watch.state_->source, static_cast<int>(urgency));
  return watch;
}

/// Moves the deadline ahead of the network after enough turns. `last`: the burst in which the same watch had its last
/// turn.
void EventLoop::note_network_turn(TimePoint& last) {
  if (now() < deadline_at_) network_turns_ = 0;
  if (++network_turns_ == kMostNetworkTurns)
    sd_event_source_set_priority(deadline_, static_cast<int>(Urgency::network) - 1);
  if (now() >= burst_ends_) {
    const bool goes_on = burst_turns_ >= kBurstTurns && now() < burst_ends_ + kBurst;
    burst_turns_ = goes_on ? kBurstTurns : 0;
    burst_ends_ = now() + kBurst;
  }
  again_ = std::exchange(last, burst_ends_) == burst_ends_;
  in_burst_ = ++burst_turns_ >= kBurstTurns;
}

/// True if any watched descriptor is ready: then the descriptor of epoll(7) itself is.
bool EventLoop::is_anything_ready() const {
  pollfd all{.fd = sd_event_get_fd(event_), .events = POLLIN, .revents = 0};
  return ::poll(&all, 1, 0) > 0;
}

int EventLoop::handle(const Handler& handler) {
  const Handler running = handler;  // a copy: the handler may destroy its own watch
  running();
  if (after_each_) after_each_();
  rest();
  return 0;
}

/// Sleeps for the rest of a burst once all sockets have had their turn. Packets that arrive meanwhile are read right
/// after.
void EventLoop::rest() {
  if (!std::exchange(in_burst_, false) || deadline_at_ < burst_ends_) return;
  if (!again_ && is_anything_ready()) return;
  std::this_thread::sleep_for(burst_ends_ - boot_time());
}

void EventLoop::rewatch(Watch& watch, unsigned events) { rewatch(*watch.state_, events); }

void EventLoop::rewatch(Watch::State& state, unsigned events) {
  state.retry = {};
  if (sd_event_source_set_io_events(state.source, events) >= 0) return;
  auto retry = after(kRewatchPause, [this, &state, events] { rewatch(state, events); });
  if (retry) state.retry = std::move(*retry);
}

Result<EventLoop::Watch> EventLoop::after(Duration delay, Handler handler) {
  Watch watch = make_watch(Urgency::rest, std::move(handler));
  const auto call = [](sd_event_source*, std::uint64_t, void* userdata) { return fire(userdata); };
  const int r = sd_event_add_time(event_, &watch.state_->source, CLOCK_BOOTTIME, microseconds(now() + delay), 1000,
                                  call, watch.state_.get());
  if (r < 0) return loop_failure("cannot set a timer", r);
  sd_event_source_set_priority(watch.state_->source, static_cast<int>(Urgency::rest));
  return watch;
}

Result<void> EventLoop::on_signal(int signal, Handler handler) {
  Watch watch = make_watch(Urgency::rest, std::move(handler));
  const auto call = [](sd_event_source*, const signalfd_siginfo*, void* userdata) { return fire(userdata); };
  const int r = sd_event_add_signal(event_, &watch.state_->source, signal, call, watch.state_.get());
  if (r < 0) return loop_failure("cannot watch a signal", r);
  signals_.push_back(std::move(watch));
  return {};
}

Result<void> EventLoop::on_deadline(Handler handler) {
  on_deadline_ = std::move(handler);
  const auto call = [](sd_event_source*, std::uint64_t, void* userdata) {
    auto* const loop = static_cast<EventLoop*>(userdata);
    if (loop->network_turns_ >= kMostNetworkTurns)
      sd_event_source_set_priority(loop->deadline_, static_cast<int>(Urgency::deadline));
    loop->network_turns_ = 0;
    return loop->handle(loop->on_deadline_);
  };
  const int r = sd_event_add_time(event_, &deadline_, CLOCK_BOOTTIME, UINT64_MAX, 1, call, this);
  if (r < 0) return loop_failure("cannot set the deadline", r);
  sd_event_source_set_priority(deadline_, static_cast<int>(Urgency::deadline));
  return {};
}

void EventLoop::set_deadline(TimePoint deadline) {
  VIPD_ASSERT(deadline_ != nullptr);
  deadline_at_ = deadline;
  sd_event_source_set_time(deadline_, deadline == kNever ? UINT64_MAX : microseconds(deadline));
  sd_event_source_set_enabled(deadline_, deadline == kNever ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

TimePoint boot_time() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

TimePoint EventLoop::now() const {
  std::uint64_t usec = 0;
  sd_event_now(event_, CLOCK_BOOTTIME, &usec);
  return TimePoint(std::chrono::microseconds(usec));
}

void EventLoop::feed_watchdog() { sd_event_set_watchdog(event_, 1); }

void EventLoop::turn(Duration at_most) {
  sd_event_run(event_, static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::microseconds>(at_most).count()));
}

Result<int> EventLoop::run() {
  const int r = sd_event_loop(event_);
  if (r < 0) return loop_failure("the event loop failed", r);
  return r;
}

void EventLoop::exit(int code) { sd_event_exit(event_, code); }

void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace vipd
