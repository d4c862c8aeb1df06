/// Teller: tells a router's state, and why it is so, to the log, to the EventLog and to the hooks.
///
/// The state that was told last is the state that the status shows. The log and the EventLog hear of a change at once.
/// The hooks hear of it by tell_hooks(): the router calls that when all addresses are there, or gone. A change that
/// comes before that is preceded by the one that still waits, so the hooks hear of all changes in their order.
///
/// A reason is the cause of the last change and, of a router that is unfit now, why it is unfit.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "vipd/base/time.hpp"
#include "vipd/config/config.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/event_log.hpp"
#include "vipd/node/hook_queue.hpp"
#include "vipd/os/log.hpp"
#include "vipd/vrrp/reason.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {

class Teller {
 public:
  /// `standing` and `events` outlive it.
  Teller(SharedInstance config, const Standing& standing, EventLog& events, std::unique_ptr<HookQueue> hooks);

  void reconfigure(SharedInstance config);
  /// The state that an earlier vipd has told last is still so: nothing is told.
  void resume(const KeptClaim& left);

  /// As last told.
  ShownState state() const { return state_; }
  TimePoint since() const { return since_; }
  /// The cause of the last change alone, which stays true when the fitness changes.
  const std::string& cause() const { return cause_; }
  void set_cause(std::string cause) { cause_ = std::move(cause); }
  /// `cause` and, of a router that is unfit now, why it is.
  std::string with_fitness(const std::string& cause) const;
  std::string reason() const { return with_fitness(cause_); }

  /// The state is `to` now, as decided by `peer` if it has a value. False if `to` was told already: then the cause
  /// alone is noted. `for_hooks`: the hooks shall hear of it.
  bool change(ShownState to, const std::string& cause, const std::optional<Peer>& peer, bool for_hooks, TimePoint now);
  /// Tells the log and the EventLog that the router is unfit, or is fit again. `quiet`: that is noted and not told.
  /// False if nothing is new.
  bool show_fitness(bool quiet, TimePoint now);
  /// Tells what is no change of state, and of interest for an operator.
  void remark(LogLevel level, const std::string& sentence, TimePoint now);

  /// Tells the hooks of the last change, if they were not.
  void tell_hooks();
  /// What a hook is told of `state` now. `peer`: the router that decided it.
  HookEvent hook_event(HookState state, const std::string& reason, const std::optional<Peer>& peer) const {
    return hook_event(state, state_, reason, peer);
  }
  HookQueue& hooks() { return *hooks_; }
  const HookQueue& hooks() const { return *hooks_; }
  /// The queue of a router that has let go, and that is not used any more.
  std::unique_ptr<HookQueue> give_hooks() { return std::move(hooks_); }

 private:
  HookEvent hook_event(HookState state, ShownState from, const std::string& reason,
                       const std::optional<Peer>& peer) const;
  void log_event(ShownState from, const std::string& reason, TimePoint now);

  SharedInstance config_;
  const Standing& standing_;
  EventLog& events_;
  std::unique_ptr<HookQueue> hooks_;
  ShownState state_ = ShownState::initialize;
  std::string cause_ = "starting";
  TimePoint since_{};
  bool fit_ = true;                     // as last told
  std::unique_ptr<HookEvent> waiting_;  // the change of which the hooks are not told yet; null if there is none
};

}  // namespace vipd
