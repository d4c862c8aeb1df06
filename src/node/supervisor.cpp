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

constexpr auto kListenRetry = std::chrono::seconds(1);
/// A membership that was dropped is noticed this soon after the kernel's last word, or after a word that was lost.
constexpr auto kMembershipGap = std::chrono::milliseconds(100);
constexpr auto kMembershipPace = std::chrono::seconds(10);
constexpr auto kLookGap = std::chrono::milliseconds(20);
constexpr auto kRemovalGap = std::chrono::milliseconds(100);

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

/// nullopt: not an IP packet at all, which no kernel delivers.
std::optional<IpPacket> unpack(const Datagram& datagram) {
  if (datagram.family == Family::ipv6)
    return IpPacket{.source = datagram.source,
                    .destination = datagram.destination,
                    .hop_limit = datagram.hop_limit,
                    .payload = datagram.octets};
  const auto parsed = parse_ipv4(datagram.octets);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

/// The claim is of this virtual router as it is here, and no peer takes it for dead yet.
bool is_good(const KeptClaim& left, const InstanceConfig& instance, const NetworkView& view, TimePoint now) {
  const Interface* interface = view.find(instance.interface);
  return left.interface == instance.interface && interface != nullptr && interface->index == left.ifindex &&
         left.family == instance.family() && left.vrid == instance.vrid && left.virtual_mac == instance.virtual_mac &&
         left.is_good(now);
}

/// Removes what of the instance's objects is there and carries our tag, but for `held`; returns whether there was any.
bool remove_objects(const InstanceConfig& instance, const std::vector<KernelObject>& held, Kernel& kernel) {
  const auto objects = tagged_objects_of(instance, kernel.view(), held);
  if (!objects.empty()) kernel.remove(objects);
  return !objects.empty();
}

std::vector<SharedInstance> instances_of(const SharedConfig& config) {
  std::vector<SharedInstance> instances;
  for (const auto& instance : config->instances) instances.emplace_back(config, &instance);
  return instances;
}

}  // namespace

Supervisor::Supervisor(const SharedConfig& config, Kernel& kernel, Wire& wire, Runner& runner, ClaimStore& claims,
                       const std::string& hook_journal)
    : kernel_(kernel),
      wire_(wire),
      hooks_(runner, hook_journal),
      checks_(kernel.view(), runner),
      claims_(claims),
      config_(config),
      waiting_(instances_of(config)) {
  hooks_.configure(*config);
}

void Supervisor::start(TimePoint now, const std::vector<InstanceConfig>& before) {
  find_resumable(now);
  remove_leftovers(before, now);
  checks_.configure(config_->checks, [this](const std::string& check) { return was_fit_with(check); }, now);
  admit_waiting(now);
  resumable_.clear();
}

void Supervisor::hand_over(TimePoint now) {
  for (const auto& router : routers_) router->hand_over(now);
}

/// What may go on where an earlier vipd left off: of a sync group all members in one state, or none.
void Supervisor::find_resumable(TimePoint now) {
  for (const auto& instance : waiting_)
    if (const KeptClaim* left = claims_.find(instance->name);
        left != nullptr && is_good(*left, *instance, kernel_.view(), now))
      resumable_.emplace(instance->name, *left);
  for (const SyncGroupConfig& group : config_->sync_groups) {
    const auto is_left = [&](const std::string& name) {
      const auto left = resumable_.find(name), first = resumable_.find(group.instances.front());
      return left != resumable_.end() && first != resumable_.end() && left->second.state == first->second.state;
    };
    if (std::ranges::all_of(group.instances, is_left)) continue;
    for (const auto& name : group.instances) resumable_.erase(name);
  }
}

/// A moment ago, some instance that goes on was fit with this check.
bool Supervisor::was_fit_with(const std::string& check) const {
  return std::ranges::any_of(config_->instances, [&](const InstanceConfig& instance) {
    const auto left = resumable_.find(instance.name);
    return left != resumable_.end() && left->second.fit && std::ranges::count(instance.checks, check) > 0;
  });
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
  const VirtualRouter::Node node{kernel_, wire_, hooks_, events_, claims_};
  std::vector<SharedInstance> still_waiting;
  for (const auto& instance : std::exchange(waiting_, {})) {
    const bool grouped = !instance->sync_group.empty();
    const auto left = resumable_.find(instance->name);
    if (blocked.contains(grouped ? "group " + instance->sync_group : "instance " + instance->name))
      still_waiting.push_back(instance);
    else
      routers_.push_back(std::make_unique<VirtualRouter>(instance, node, checks_.health_of(instance->checks),
                                                         left == resumable_.end() ? nullptr : &left->second, now));
  }
  waiting_ = std::move(still_waiting);
  const auto leaves = [](const auto& each) { return each->stopping(); };
  const bool some_leave = std::ranges::any_of(routers_, leaves) || std::ranges::any_of(groups_, leaves);
  next_look_ = some_leave ? now + kLookGap : kNever;
  sort_into_segments();
  form_groups();
  std::vector<std::string> interfaces;
  for (const auto& [key, segment] : segments_) interfaces.push_back(key.first);
  network_changed(interfaces, now);
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
    if (is_gone(*router) && !router->addresses().clear()) {
      left_.push_back(router->config());
      next_removal_ = std::min(next_removal_, now + kRemovalGap);
    }
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
      const bool resumed = resumable_.contains(wanted.instances.front());
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

/// Who listens where, anew; a socket whose virtual routers are the same is not touched.
void Supervisor::sort_into_segments() {
  std::map<SegmentKey, Segment> before = std::exchange(segments_, {});
  for (const auto& router : routers_) {
    const InstanceConfig& config = router->config();
    Segment& segment = segments_[{config.interface, config.family()}];
    segment.vrids.set(config.vrid);
    segment.group = segment.group || config.peers.empty();
    segment.by_vrid[config.vrid] = router.get();
  }
  for (auto& [key, segment] : segments_) {
    const auto known = before.find(key);
    if (known == before.end()) continue;
    if (known->second.vrids == segment.vrids && known->second.group == segment.group) {
      segment.ifindex = known->second.ifindex;
      segment.retry_listen = known->second.retry_listen;
      segment.dropped_log = known->second.dropped_log;
      before.erase(known);
    }
  }
  for (const auto& [key, segment] : before)
    if (segment.ifindex != 0 && !segments_.contains(key)) wire_.leave(segment.ifindex, key.second);
}

/// Active ones that go on keep what they are to have now.
void Supervisor::remove_leftovers(const std::vector<InstanceConfig>& before, TimePoint now) {
  claims_.drop_all_but([&](const std::string& name) { return resumable_.contains(name); });
  std::vector<InstanceConfig> go_on, others = before;
  for (const auto& instance : waiting_) {
    const auto left = resumable_.find(instance->name);
    const bool is_active = left != resumable_.end() && left->second.state == ShownState::active;
    (is_active ? go_on : others).push_back(*instance);
  }
  for (const auto* instance : remove_tagged(others, go_on, kernel_))
    log_warning("{}: removed what an earlier vipd had left behind", instance->name);
  left_ = before;
  if (!left_.empty()) next_removal_ = now + kRemovalGap;
}

bool Supervisor::clear() const {
  const bool some_leave = next_look_ != kNever;
  return !some_leave && left_.empty() &&
         std::ranges::all_of(routers_, [](const auto& router) { return router->addresses().clear(); });
}

/// What the kernel has refused to remove for the router of an instance that is no more. One that there is has its
/// AddressOwner.
void Supervisor::remove_left(TimePoint now) {
  std::vector<InstanceConfig> others = config_->instances, still;
  for (const auto& router : routers_) others.push_back(router->config());
  for (const auto* instance : remove_tagged(left_, others, kernel_)) still.push_back(*instance);
  left_ = std::move(still);
  next_removal_ = left_.empty() ? kNever : now + kRemovalGap;
}

void Supervisor::network_changed(std::vector<std::string> interfaces, TimePoint now) {
  checks_.network_changed(interfaces, now);
  if (now < memberships_seen_ + kMembershipGap)
    next_memberships_ = std::min(next_memberships_, memberships_seen_ + kMembershipGap);
  else
    for (std::string& deaf : look_at_memberships(now)) interfaces.push_back(std::move(deaf));
  links_changed_ = true;
  const auto concerned = [&](const std::string& name) {
    return std::ranges::find(interfaces, name) != interfaces.end();
  };
  for (auto& [key, segment] : segments_)
    if (concerned(key.first)) now = listen(key, segment, now);
  std::vector<VirtualRouter*> routers;
  for (const auto& router : routers_)
    if (router->is_concerned(interfaces)) routers.push_back(router.get());
  for (VirtualRouter* router : routers) router->judge_interfaces(now);
  for (const auto& group : groups_) group->share_faults(now);  // before one of the members takes up alone
  for (VirtualRouter* router : routers) router->reconsider(now);
  for (auto& [key, segment] : segments_) {
    if (!concerned(key.first)) continue;
    auto& sources = segment.own_sources;  // few, though many send from each: all are looked at for each advert
    sources.clear();
    for (const auto* router : segment.by_vrid)
      if (router != nullptr && router->source() && std::ranges::find(sources, *router->source()) == sources.end())
        sources.push_back(*router->source());
  }
  settle(now);
}

/// Where the kernel has dropped what was joined nobody listens any more; returns these interfaces.
std::vector<std::string> Supervisor::look_at_memberships(TimePoint now) {
  const auto is_joined = [](const auto& each) { return each.second.group && each.second.ifindex != 0; };
  const bool some_joined = std::ranges::any_of(segments_, is_joined);
  memberships_seen_ = now;
  next_memberships_ = some_joined ? now + kMembershipPace : kNever;
  std::vector<std::string> deaf;
  if (!some_joined) return deaf;
  const auto members = wire_.memberships();
  if (!members) return deaf;
  for (auto& [key, segment] : segments_) {
    if (!segment.group || segment.ifindex == 0 || members->contains({segment.ifindex, key.second})) continue;
    if (segment.dropped_log.passes(now))
      log_warning("the kernel has dropped the membership of the VRRP group on {} ({}); joining again", key.first,
                  to_string(key.second));
    wire_.leave(segment.ifindex, key.second);
    segment.ifindex = 0;
    deaf.push_back(key.first);
  }
  return deaf;
}

/// Returns the time when that is done.
TimePoint Supervisor::listen(const SegmentKey& key, Segment& segment, TimePoint now) {
  const Interface* interface = kernel_.view().find(key.first);
  const int ifindex = interface != nullptr ? interface->index : 0;
  if (segment.ifindex != 0 && segment.ifindex != ifindex) {
    wire_.leave(segment.ifindex, key.second);
    segment.ifindex = 0;
  }
  segment.retry_listen = kNever;
  if (interface == nullptr || !interface->running || segment.ifindex == ifindex) return now;
  const auto listening = wire_.listen(ifindex, key.second, segment.vrids, segment.group);
  if (listening)
    segment.ifindex = ifindex;
  else
    segment.retry_listen = now + kListenRetry;
  for (auto* router : segment.by_vrid)
    if (router != nullptr)
      router->set_wire_problem(
          listening ? std::nullopt : std::optional("cannot listen on " + key.first + ": " + listening.error().message));
  return listening.value_or(now);
}

Supervisor::Segment* Supervisor::segment_of(const Datagram& datagram) {
  for (auto& [key, segment] : segments_)
    if (segment.ifindex == datagram.ifindex && key.second == datagram.family) return &segment;
  return nullptr;
}

void Supervisor::received(const Datagram& datagram, TimePoint now) {
  only_heard_ = groups_.empty();  // what one member hears is another one's business
  Segment* segment = segment_of(datagram);
  if (segment == nullptr) return;
  const auto packet = unpack(datagram);
  if (!packet || packet->payload.size() < 2) return;  // of no virtual router
  VirtualRouter* router = segment->by_vrid[packet->payload[1]];
  if (router == nullptr) return;  // the socket's filter passes configured VRIDs only
  const auto advert = decode(*packet, router->rules(segment->own_sources));
  if (!advert) return router->refused(advert.error(), packet->source, now);
  router->heard(*advert, packet->source, now, datagram.age);
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
  for (const auto& [key, segment] : segments_) earliest = std::min(earliest, segment.retry_listen);
  return std::min({earliest, checks_.deadline(), next_look_, next_removal_, next_memberships_});
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
  std::vector<std::string> retry;
  if (now >= next_memberships_) retry = look_at_memberships(now);
  for (const auto& [key, segment] : segments_)
    if (now >= segment.retry_listen) retry.push_back(key.first);
  if (!retry.empty()) network_changed(retry, now);
  if (now >= next_look_) look_after_leaving(now);
  if (now >= next_removal_) remove_left(now);
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

std::vector<const InstanceConfig*> remove_tagged(const std::vector<InstanceConfig>& instances,
                                                 const std::vector<InstanceConfig>& others, Kernel& kernel) {
  std::vector<KernelObject> held;
  for (const auto& other : others)
    for (auto& object : objects_of(other, kernel.view())) held.push_back(std::move(object));
  std::vector<const InstanceConfig*> had_some;
  for (const auto& instance : instances) {
    // Whatever the file says now, it may have said the other when they were added.
    bool had_any = false;
    for (const bool virtual_mac : {false, true}) {
      InstanceConfig either = instance;
      either.virtual_mac = virtual_mac;
      had_any |= remove_objects(either, held, kernel);
    }
    const bool device_is_used = std::ranges::any_of(others, [&](const InstanceConfig& other) {
      return other.virtual_mac && virtual_mac_device(other) == virtual_mac_device(instance);
    });
    if (!device_is_used) had_any |= VirtualMac(kernel, instance).remove();
    if (had_any) had_some.push_back(&instance);
  }
  return had_some;
}

}  // namespace vipd
