/// Supervisor: all instances of a Config, and who gets what.
///
/// Builds the VirtualRouters and SyncGroups, hands arriving packets to them (Listeners), tells the routers
/// what the kernel says and what their checks come to, lets the sync groups agree after each event, and knows the
/// earliest deadline. It runs on whatever Kernel, Wire and Runner it is given and reads no clock, so the simulator runs
/// many in one process and in virtual time.
///
/// Where an Active router has addresses, what others announce of these addresses is listened to, and handed to the
/// router (vrrp/defence.hpp).
///
/// An advert, if it is taken, moves the deadline of one router, and mostly to a later time. So after adverts alone
/// nobody else is looked at: deadline() stays where it was, too early as it may be, and who wakes in vain looks at all.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vipd/base/log_limit.hpp"
#include "vipd/config/config.hpp"
#include "vipd/node/check_set.hpp"
#include "vipd/node/event_log.hpp"
#include "vipd/node/leftovers.hpp"
#include "vipd/node/listeners.hpp"
#include "vipd/node/step_observer.hpp"
#include "vipd/node/sync_group.hpp"
#include "vipd/node/virtual_router.hpp"

namespace vipd {

class Supervisor {
 public:
  Supervisor(const SharedConfig& config, Kernel& kernel, Wire& wire, Runner& runner, ClaimStore& claims,
             HookJournal journal = {});

  /// Shows each step of each router to `observer`; before start().
  void observe(StepObserver observer) { observer_ = std::move(observer); }
  /// Removes leftovers of a previous run that cannot be resumed, then starts every instance that can start. `before`:
  /// instances of the previous configuration.
  void start(TimePoint now, const std::vector<InstanceConfig>& before = {});
  /// Another program is about to take over: it shall find all instances as they are.
  void hand_over(TimePoint now);
  /// The kernel's view of these interfaces changed, or of routes and rules (an empty name).
  void network_changed(std::vector<std::string> interfaces, TimePoint now);
  void received(const Datagram& datagram, TimePoint now);
  /// What Wire::overhear() delivers.
  void overheard(const Datagram& datagram, TimePoint now);

  /// When on_deadline() is to be called: at times too early, never too late. To be asked after each event.
  TimePoint deadline();
  void on_deadline(TimePoint now);

  /// Makes what runs what `config` says. An instance that is the same is not touched; one that can go on with other
  /// values does; one that is gone, or is another virtual router now, is stopped as planned, and what is to come in its
  /// place starts when it is gone. A sync group goes on with those of its members that go on, and gets new ones.
  void apply(const SharedConfig& config, TimePoint now);

  /// Begins a planned stop of all instances; stopped() says when the last hook has ended.
  void stop(TimePoint now);
  bool stopped() const;
  /// What the kernel still refuses to remove: "192.0.2.10/24 on eth0, route ..."; empty if there is nothing.
  std::string left_behind() const;

  /// Nothing is left of what earlier configurations had: no instance is on its way out, and the kernel has removed all.
  bool clear() const;

  /// As last applied.
  const Config& config() const { return *config_; }
  const std::vector<std::unique_ptr<VirtualRouter>>& routers() const { return routers_; }
  /// The router that has this name and stays, or null.
  VirtualRouter* find(std::string_view name) const;
  const std::vector<std::unique_ptr<SyncGroup>>& groups() const { return groups_; }
  const CheckSet& checks() const { return checks_; }
  const EventLog& events() const { return events_; }
  const NodeHooks& hooks() const { return hooks_; }
  /// Of all hooks and checks.
  Runner& runner() { return hooks_.runner(); }

 private:
  void admit_waiting(TimePoint now);
  void look_after_leaving(TimePoint now);
  void form_groups();
  SyncGroup* group_for(const SyncGroupConfig& wanted, const VirtualRouter& member) const;
  bool is_leaving(const std::string& name) const;
  void part_from_groups(const std::set<VirtualRouter*>& going_on, TimePoint now);
  bool is_gone(const VirtualRouter& router) const;
  void forget_gone(TimePoint now);
  void remove_leftovers(TimePoint now);
  void settle(TimePoint now);
  void overhear(TimePoint now);
  void share_health(TimePoint now);
  TimePoint earliest_of_all() const;

  Kernel& kernel_;
  Wire& wire_;
  StepObserver observer_;
  NodeHooks hooks_;
  CheckSet checks_;
  EventLog events_;
  ClaimStore& claims_;
  Listeners listeners_;
  Leftovers leftovers_;
  std::vector<std::unique_ptr<VirtualRouter>> routers_;  // those that leave included
  std::vector<std::unique_ptr<SyncGroup>> groups_;       // likewise
  SharedConfig config_;
  std::vector<SharedInstance> waiting_;  // for one that leaves
  TimePoint next_look_ = kNever;         // whether those that leave are gone
  WatchedAddresses watched_;             // as the wire was last asked for
  std::uint64_t watched_at_ = 0;         // the last event then
  bool links_changed_ = false;           // since then
  LogLimit overhear_log_;
  TimePoint earliest_ = kNever;  // deadline(), as last found out
  bool only_heard_ = false;      // nothing but adverts since then
};

}  // namespace vipd
