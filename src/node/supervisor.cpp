#include "vipd/node/supervisor.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "vipd/config/plan.hpp"
#include "vipd/os/log.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd {
namespace {

constexpr auto kLookGap = std::chrono::milliseconds(20);

/// What instances have that no other one can have at the same time.
class Taken {
 public:
  void add(const InstanceConfig& instance) {
    names_.insert(instance.name);
    routers_.emplace(instance.interface, instance.family(), instance.vrid);
    for (const VirtualAddress& each : instance.addresses) addresses_.insert(each.prefix.address);
    routes_.insert(instance.routes.begin(), instance.routes.end());
    rules_.insert(instance.rules.begin(), instance.rules.end());
  }
  bool has_some_of(const InstanceConfig& instance) const {
    const auto in = [](const auto& taken) { return [&taken](const auto& each) { return taken.contains(each); }; };
    return names_.contains(instance.name) ||
           routers_.contains({instance.interface, instance.family(), instance.vrid}) ||
           std::ranges::any_of(instance.addresses,
                               [&](const VirtualAddress& each) { return addresses_.contains(each.prefix.address); }) ||
           std::ranges::any_of(instance.routes, in(routes_)) || std::ranges::any_of(instance.rules, in(rules_));
  }

 private:
  std::set<std::string> names_;
  std::set<std::tuple<std::string, Family, int>> routers_;
  std::set<IpAddress> addresses_;
  std::set<RouteObject> routes_;
  std::set<RuleObject> rules_;
};

std::vector<SharedInstance> instances_of(const SharedConfig& config) {
  std::vector<SharedInstance> instances;
  for (const auto& instance : config->instances) instances.emplace_back(config, &instance);
  return instances;
}

}  // namespace

Supervisor::Supervisor(const SharedConfig& config, Kernel& kernel, Wire& wire, Runner& runner, ClaimStore& claims,
                       HookJournal journal)
    : kernel_(kernel),
      wire_(wire),
      hooks_(runner, std::move(journal)),
      checks_(kernel.view(), runner),
      claims_(claims),
      listeners_(kernel, wire),
      leftovers_(kernel, claims),
      config_(config),
      waiting_(instances_of(config)) {
  hooks_.configure(*config);
}

void Supervisor::start(TimePoint now, const std::vector<InstanceConfig>& before) {
  leftovers_.begin(*config_, before, now);
  const auto was_fit = [this](const std::string& check) { return leftovers_.was_fit_with(*config_, check); };
  checks_.configure(config_->checks, was_fit, now);
  admit_waiting(now);
  leftovers_.forget_claims();
}

void Supervisor::hand_over(TimePoint now) {
  for (const auto& router : routers_) router->hand_over(now);
}

void Supervisor::apply(const SharedConfig& config, TimePoint now) {
  const SharedConfig before = std::exchange(config_, config);
  hooks_.configure(*config);
  checks_.configure(config->checks, [](const std::string&) { return true; }, now);
  waiting_.clear();
  const auto restarted = instances_to_restart(*before, *config);
  std::map<std::string, VirtualRouter*> running;
  for (const auto& router : routers_)
    if (!router->stopping()) running.emplace(router->config().name, router.get());
  std::set<VirtualRouter*> going_on;
  for (auto& instance : instances_of(config)) {
    const auto known = running.find(instance->name);
    if (known == running.end() || restarted.contains(instance->name)) {
      waiting_.push_back(std::move(instance));
    } else {
      going_on.insert(known->second);
      const bool grouped = !instance->sync_group.empty();
      known->second->reconfigure(std::move(instance), now);
      if (!grouped) known->second->leave_group(now);
    }
  }
  part_from_groups(going_on, now);
  for (const auto& router : routers_)
    if (!router->stopping() && !going_on.contains(router.get())) router->stop(now);
  form_groups();
  share_health(now);
  admit_waiting(now);
}

VirtualRouter* Supervisor::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      routers_, [&](const auto& router) { return !router->stopping() && router->config().name == name; });
  return found == routers_.end() ? nullptr : found->get();
}

/// Takes up what waits, but for those whose name, virtual router or address belongs to one that has not left yet.
void Supervisor::admit_waiting(TimePoint now) {
  forget_gone(now);
  std::set<std::string> blocked;  // instances, and the sync groups of those: they start together
  for (const auto& group : groups_)
    if (group->stopping()) blocked.insert("group " + group->config().name);
  Taken taken;
  if (!waiting_.empty())
    for (const auto& router : routers_) taken.add(router->config());
  for (const auto& wanted : waiting_)
    if (taken.has_some_of(*wanted)) blocked.insert({"instance " + wanted->name, "group " + wanted->sync_group});
  const VirtualRouter::Node node{kernel_, wire_, hooks_, events_, claims_, observer_ ? &observer_ : nullptr};
  std::vector<SharedInstance> still_waiting;
  for (const auto& instance : std::exchange(waiting_, {})) {
    const bool grouped = !instance->sync_group.empty();
    if (blocked.contains(grouped ? "group " + instance->sync_group : "instance " + instance->name))
      still_waiting.push_back(instance);
    else
      routers_.push_back(std::make_unique<VirtualRouter>(instance, node, checks_.health_of(instance->checks),
                                                         leftovers_.claim_of(instance->name), now));
  }
  waiting_ = std::move(still_waiting);
  const auto leaves = [](const auto& each) { return each->stopping(); };
  const bool some_leave = std::ranges::any_of(routers_, leaves) || std::ranges::any_of(groups_, leaves);
  next_look_ = some_leave ? now + kLookGap : kNever;
  listeners_.serve(routers_);
  form_groups();
  network_changed(listeners_.interfaces(), now);
}

/// The router has left, and no group asks it any more. Its hooks may still run: they hold up nothing.
bool Supervisor::is_gone(const VirtualRouter& router) const {
  const bool is_held = std::ranges::any_of(groups_, [&](const auto& group) { return group->has(router); });
  return router.stopping() && router.has_let_go() && !is_held;
}

/// What a router that is gone could not remove is tried again from here.
void Supervisor::forget_gone(TimePoint now) {
  std::erase_if(groups_, [&](const auto& group) {
    const bool gone = group->stopping() && group->has_let_go();
    if (gone) hooks_.finish(group->give_hooks());
    return gone;
  });
  for (const auto& router : routers_)
    if (is_gone(*router) && !router->addresses().clear()) leftovers_.add(router->config(), now);
  std::erase_if(routers_, [&](const auto& router) {
    const bool gone = is_gone(*router);
    if (gone) hooks_.finish(router->give_hooks());
    return gone;
  });
}

/// The groups that are wanted, of those members that are there. One that leaves keeps its members until all have let
/// go; one that is not wanted any more lets them go on without it.
void Supervisor::form_groups() {
  std::set<const SyncGroup*> wanted_ones;
  for (const SyncGroupConfig& wanted : config_->sync_groups) {
    std::vector<VirtualRouter*> members;
    for (const auto& name : wanted.instances)
      if (VirtualRouter* member = find(name)) members.push_back(member);
    if (members.empty() || is_leaving(wanted.name)) continue;
    SyncGroup* group = group_for(wanted, *members.front());
    const SharedGroup config(config_, &wanted);
    if (group != nullptr) {
      group->reconfigure(config, std::move(members));
    } else {
      const bool resumed = leftovers_.claim_of(wanted.instances.front()) != nullptr;
      groups_.push_back(std::make_unique<SyncGroup>(config, std::move(members), resumed, hooks_, events_));
      group = groups_.back().get();
    }
    wanted_ones.insert(group);
  }
  for (const auto& group : groups_)
    if (!wanted_ones.contains(group.get()) && (group->members().empty() || !group->stopping())) group->dissolve();
}

/// The group that goes on as the wanted one: that of its name, or that of its first member if that name is gone.
SyncGroup* Supervisor::group_for(const SyncGroupConfig& wanted, const VirtualRouter& member) const {
  const auto is_wanted = [&](const std::string& name) {
    return std::ranges::find(config_->sync_groups, name, &SyncGroupConfig::name) != config_->sync_groups.end();
  };
  SyncGroup* renamed = nullptr;
  for (const auto& group : groups_) {
    const std::string& name = group->config().name;
    if (name == wanted.name) return group.get();
    if (!group->stopping() && !is_wanted(name) && group->has(member)) renamed = group.get();
  }
  return renamed;
}

/// A group of this name is stopping with its members: all of them let go before another one begins.
bool Supervisor::is_leaving(const std::string& name) const {
  return std::ranges::any_of(groups_, [&](const auto& group) {
    return group->config().name == name && !group->members().empty() && group->stopping();
  });
}

/// A member that stops while its group goes on, with others or with new ones, leaves it before, and stops by itself.
void Supervisor::part_from_groups(const std::set<VirtualRouter*>& going_on, TimePoint now) {
  for (const auto& group : groups_) {
    const auto continues = [&](const VirtualRouter* router) {
      return group->has(*router) || router->config().sync_group == group->config().name;
    };
    if (group->stopping() || std::ranges::none_of(going_on, continues)) continue;
    for (VirtualRouter* member : std::vector(group->members())) {
      if (going_on.contains(member)) continue;
      group->part(*member);
      member->leave_group(now);
    }
  }
}

bool Supervisor::clear() const {
  const bool some_leave = next_look_ != kNever;
  return !some_leave && leftovers_.empty() &&
         std::ranges::all_of(routers_, [](const auto& router) { return router->addresses().clear(); });
}

void Supervisor::network_changed(std::vector<std::string> interfaces, TimePoint now) {
  checks_.network_changed(interfaces, now);
  for (std::string& deaf : listeners_.find_dropped(now)) interfaces.push_back(std::move(deaf));
  links_changed_ = true;
  now = listeners_.listen(interfaces, now);
  std::vector<VirtualRouter*> routers;
  for (const auto& router : routers_)
    if (router->is_concerned(interfaces)) routers.push_back(router.get());
  for (VirtualRouter* router : routers) router->judge_interfaces(now);
  for (const auto& group : groups_) group->share_faults(now);  // before one of the members takes up alone
  for (VirtualRouter* router : routers) router->reconsider(now);
  listeners_.note_sources(interfaces);
  settle(now);
}

void Supervisor::received(const Datagram& datagram, TimePoint now) {
  only_heard_ = groups_.empty();  // what one member hears is another one's business
  const auto delivery = listeners_.deliver(datagram);
  if (!delivery) return;
  VirtualRouter* const router = delivery->router;
  const auto advert = decode(delivery->packet, router->rules(delivery->own_sources));
  if (!advert) return router->refused(advert.error(), delivery->packet.source, now);
  router->heard(*advert, delivery->packet.source, now, datagram.age);
  settle(now);
  earliest_ = std::min(earliest_, router->deadline());
}

/// Tells the instances what their checks come to. One that stops has other things to do.
void Supervisor::share_health(TimePoint now) {
  for (const auto& router : routers_)
    if (!router->stopping()) router->set_health(checks_.health_of(router->config().checks), now);
}

/// What follows from an event for all.
void Supervisor::settle(TimePoint now) {
  for (const auto& group : groups_) group->settle(now);
  if (links_changed_ || watched_at_ != events_.last_sequence()) overhear(now);
}

/// Who is Active where may have changed.
void Supervisor::overhear(TimePoint now) {
  links_changed_ = false;
  watched_at_ = events_.last_sequence();
  WatchedAddresses wanted;
  for (const auto& router : routers_) router->add_watched(wanted);
  if (wanted == watched_) return;
  watched_ = std::move(wanted);
  if (const auto done = wire_.overhear(watched_); !done && overhear_log_.passes(now))
    log_warning("it is not noticed when another host announces an address of ours: {}", done.error().message);
}

void Supervisor::overheard(const Datagram& datagram, TimePoint now) {
  const auto claim = datagram.family == Family::ipv4 ? claim_in_arp(datagram.octets)
                                                     : claim_in_advertisement(datagram.octets, datagram.hop_limit);
  if (!claim || kernel_.view().has_mac(claim->mac)) return;  // a loop in the network brings our own ones back
  for (const auto& router : routers_) router->overheard(*claim, datagram.ifindex, now);
}

TimePoint Supervisor::deadline() {
  if (!std::exchange(only_heard_, false)) earliest_ = earliest_of_all();
  return earliest_;
}

TimePoint Supervisor::earliest_of_all() const {
  TimePoint earliest = kNever;
  for (const auto& router : routers_) earliest = std::min(earliest, router->deadline());
  return std::min({earliest, checks_.deadline(), next_look_, leftovers_.deadline(), listeners_.deadline()});
}

void Supervisor::on_deadline(TimePoint now) {
  if (now >= checks_.deadline()) {
    checks_.on_deadline(now);
    share_health(now);
  }
  wire_.hold();
  for (const auto& router : routers_)
    if (now >= router->deadline()) router->on_deadline(now);
  wire_.release();
  settle(now);
  if (auto retry = listeners_.take_due(now); !retry.empty()) network_changed(std::move(retry), now);
  if (now >= next_look_) look_after_leaving(now);
  if (now >= leftovers_.deadline()) remove_leftovers(now);
}

/// An instance that there is has its AddressOwner; what it holds stays.
void Supervisor::remove_leftovers(TimePoint now) {
  std::vector<InstanceConfig> others = config_->instances;
  for (const auto& router : routers_) others.push_back(router->config());
  leftovers_.remove(others, now);
}

void Supervisor::look_after_leaving(TimePoint now) {
  next_look_ = now + kLookGap;
  const auto some_let_go = [](const auto& each) { return each->stopping() && each->has_let_go(); };
  const bool some_gone = std::ranges::any_of(routers_, [&](const auto& router) { return is_gone(*router); });
  if (some_gone || std::ranges::any_of(groups_, some_let_go)) admit_waiting(now);
}

void Supervisor::stop(TimePoint now) {
  waiting_.clear();
  next_look_ = kNever;
  wire_.hold();
  for (const auto& router : routers_) router->stop(now);
  wire_.release();
  settle(now);
}

bool Supervisor::stopped() const {
  const auto is_stopped = [](const auto& each) { return each->stopped(); };
  return hooks_.finished() && std::ranges::all_of(routers_, is_stopped) && std::ranges::all_of(groups_, is_stopped);
}

std::string Supervisor::left_behind() const {
  std::string list;
  for (const auto& router : routers_)
    for (const auto& object : router->addresses().stuck()) list += (list.empty() ? "" : ", ") + describe(object);
  return list;
}

}  // namespace vipd
