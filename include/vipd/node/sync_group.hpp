/// SyncGroup: instances of this node that are all Active or none.
///
/// A router between two networks that holds its address in one of them only is a hole for what comes back. So the
/// members of a group agree, after each event and in the same turn:
/// - One that is in fault holds all others out (FaultCause::sync); all come back together when the cause is gone.
/// - One whose wait for the Active router is over is ready (Election::ready()); when all are, all take over. So a node
///   that still hears the Active router in one of the networks takes nothing.
/// - One that loses takes the others with it.
/// - All have one priority, the lowest of the members', and are unfit if one is. They preempt only if all may, after
///   the longest preempt_delay: that needs no rule, since one that may not preempt is not ready.
/// The group keeps nothing that decides: it looks at its members, and what it asks of them are events of their
/// elections. A planned stop begins for all at once and is each member's own then, make before break. Each member waits
/// for a peer as long as the slowest member does, because the peer's group waits for that one. The Supervisor stops and
/// starts all or none.
///
/// Two nodes of equal priority may each win in another network, and both give up. They come back at different times
/// (Election, wait_apart), but until then nobody is Active: a pair should have different priorities.
///
/// A reload may give a group other members. The others go on as they are. A new member of an Active group is joining:
/// the group stays Active while that one waits whether anybody is Active in its place. When it is ready, it becomes
/// Active alone; when it has heard an Active router that it leaves alone, or is in fault, the rules above count.
///
/// The group has hooks and a state of its own, told after its members have done theirs.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/node/event_log.hpp"
#include "vipd/node/hook_queue.hpp"
#include "vipd/node/virtual_router.hpp"

namespace vipd {

class SyncGroup {
 public:
  /// `members` outlive the group; at least one. If some are Active, the others are joining. `resumed`: the members go
  /// on where an earlier vipd left off, and so does the group, whose hooks were told then.
  SyncGroup(SharedGroup config, std::vector<VirtualRouter*> members, bool resumed, NodeHooks& hooks, EventLog& events);

  /// Makes the members agree and tells what has come of it. After each event that may have touched one of them.
  void settle(TimePoint now);
  /// The part of settle() that is about faults: for the moment when they are known and nobody has acted on them yet.
  void share_faults(TimePoint now);

  /// This member leaves; the group gets others, or ends, before anything else happens.
  void part(const VirtualRouter& member);
  /// Takes other hooks, another name, and these members, at least one: those that are new are joining. A dissolved
  /// group begins anew.
  void reconfigure(SharedGroup config, std::vector<VirtualRouter*> members);
  /// The group is no more, its members go on without it: the hooks are told that it has stopped.
  void dissolve();
  bool has(const VirtualRouter& router) const;

  bool stopping() const { return std::ranges::all_of(members_, &VirtualRouter::stopping); }
  const std::vector<VirtualRouter*>& members() const { return members_; }
  /// A planned stop is complete: no member holds anything and the group's hooks have ended.
  bool stopped() const { return stopped_ && hooks_->idle(); }
  /// True once a planned stop is complete but for the hooks.
  bool has_let_go() const { return stopped_; }
  /// The queue of a group that has let go, and that is not used any more.
  std::unique_ptr<HookQueue> give_hooks() { return std::move(hooks_); }

  const SyncGroupConfig& config() const { return *config_; }
  ShownState shown() const { return shown_; }
  /// Why the state is as it is; a sentence.
  std::string reason() const { return members_.front()->with_fitness(reason_); }
  TimePoint since() const { return since_; }
  const HookQueue& hooks() const { return *hooks_; }
  /// The names of the members that are not ready while others are.
  std::vector<std::string> awaited() const;

 private:
  bool is_joining(const VirtualRouter* member) const;
  void judge_joining();
  void share_standing(TimePoint now);
  void move_together(TimePoint now);
  void stop_preparing(TimePoint now);
  void let_go(TimePoint now);
  void give_up(const VirtualRouter& loser, TimePoint now);
  ShownState members_state() const;
  std::string why(ShownState state) const;
  void show(TimePoint now);
  void finish_stop();
  void tell(HookState state, ShownState old_state, std::uint64_t sequence);

  SharedGroup config_;
  std::vector<VirtualRouter*> members_;
  std::set<const VirtualRouter*> joining_;  ///< members that have not been Active or lost since they came
  EventLog& events_;
  std::unique_ptr<HookQueue> hooks_;
  ShownState shown_ = ShownState::initialize;
  std::string reason_ = "starting";
  TimePoint since_{};
  const VirtualRouter* loser_ = nullptr;  ///< who has made the group give up in this turn
  bool stopped_ = false;
};

}  // namespace vipd
