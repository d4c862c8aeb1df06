#include "vipd/node/sync_group.hpp"

#include <algorithm>
#include <utility>

#include "vipd/os/log.hpp"

namespace vipd {
namespace {

bool is_active(const VirtualRouter* member) { return member->election().state() == State::active; }
bool is_ready(const VirtualRouter* member) { return member->election().ready(); }
bool is_sick(const VirtualRouter* member) { return member->standing().own_fault() != nullptr; }
bool is_out_by_itself(const VirtualRouter* member) { return member->standing().is_out_by_itself(); }
bool is_moving(const VirtualRouter* member) { return member->addresses().adding() || member->addresses().letting_go(); }
bool is_out(const VirtualRouter* member) {
  return member->election().state() == State::initialize && !member->addresses().letting_go();
}
bool may_be_active(const VirtualRouter* member) { return is_active(member) || is_ready(member); }

HookSubject subject_of(const std::string& name, const std::vector<VirtualRouter*>& members) {
  HookSubject subject{.group = true, .name = name, .interface = "", .addresses = ""};
  for (const VirtualRouter* member : members)
    subject.addresses += (subject.addresses.empty() ? "" : " ") + hook_subject(member->config()).addresses;
  return subject;
}

}  // namespace

SyncGroup::SyncGroup(SharedGroup config, std::vector<VirtualRouter*> members, bool resumed, NodeHooks& hooks,
                     EventLog& events)
    : config_(std::move(config)),
      members_(std::move(members)),
      events_(events),
      hooks_(hooks.open(subject_of(config_->name, members_), hooks_of(config_),
                        members_.front()->told() == ShownState::active)) {
  joining_.insert(members_.begin(), members_.end());
  judge_joining();
  if (!resumed) return;
  const auto told = [](const VirtualRouter* member) { return member->told(); };
  const auto since = [](const VirtualRouter* member) { return member->since(); };
  const ShownState first = members_.front()->told();
  if (first == ShownState::initialize || std::ranges::count(members_, first, told) != std::ssize(members_)) return;
  shown_ = first;  // they go on where an earlier vipd left off, and so does the group
  since_ = since(*std::ranges::max_element(members_, {}, since));
  reason_ = why(shown_);
}

void SyncGroup::reconfigure(SharedGroup config, std::vector<VirtualRouter*> members) {
  for (const VirtualRouter* member : members)
    if (!has(*member)) joining_.insert(member);
  config_ = std::move(config);
  members_ = std::move(members);
  judge_joining();
  if (std::exchange(stopped_, false)) shown_ = ShownState::initialize;
  hooks_->reconfigure(subject_of(config_->name, members_), hooks_of(config_));
}

/// Whoever is Active has joined; and where nobody was before, there is nobody to join.
void SyncGroup::judge_joining() {
  std::erase_if(joining_, [this](const VirtualRouter* each) { return !has(*each) || is_active(each); });
  if (joining_.size() == members_.size()) joining_.clear();
}

void SyncGroup::part(const VirtualRouter& member) {
  std::erase(members_, &member);
  joining_.erase(&member);
}

void SyncGroup::dissolve() {
  members_.clear();
  joining_.clear();
  reason_ = "is no more";
  finish_stop();
}

bool SyncGroup::is_joining(const VirtualRouter* member) const { return joining_.contains(member); }

bool SyncGroup::has(const VirtualRouter& router) const {
  return std::ranges::find(members_, &router) != members_.end();
}

void SyncGroup::settle(TimePoint now) {
  if (members_.empty()) return;
  std::erase_if(joining_, [](const auto* each) { return is_active(each) || each->election().has_lost(); });
  if (!stopping()) {
    share_standing(now);
    share_faults(now);
    move_together(now);
    share_faults(now);  // a claim may have failed
  }
  if (stopping()) let_go(now);
  show(now);
  if (stopping()) finish_stop();
}

void SyncGroup::share_standing(TimePoint now) {
  const auto own = [](const VirtualRouter* member) { return member->standing().own_priority(); };
  const std::uint8_t lowest = own(*std::ranges::min_element(members_, {}, own));
  const auto unfit =
      std::ranges::find_if(members_, [](const auto* member) { return member->standing().own_unfit() != nullptr; });
  std::optional<std::string> why;
  if (unfit != members_.end())
    why = "group " + config_->name + ": " + (*unfit)->config().name + " is unfit (" +
          *(*unfit)->standing().own_unfit() + ")";
  for (VirtualRouter* member : members_) member->share_standing(lowest, why, now);
}

void SyncGroup::share_faults(TimePoint now) {
  if (stopping()) return;
  const bool some_sick = std::ranges::any_of(members_, is_sick);  // none is out without being sick
  for (VirtualRouter* member : members_) {
    const auto other_that = [&](bool (*is)(const VirtualRouter*)) {
      return std::ranges::find_if(members_, [&](const auto* other) { return other != member && is(other); });
    };
    const auto out = some_sick ? other_that(is_out_by_itself) : members_.end();
    const auto sick = some_sick && out == members_.end() ? other_that(is_sick) : out;
    if (sick == members_.end()) {
      member->hold_out(std::nullopt, false, now);
    } else {
      const std::string& cause = *(*sick)->standing().own_fault();
      member->hold_out("group " + config_->name + ": " + (*sick)->config().name + " is in fault (" + cause + ")",
                       out == members_.end(), now);
    }
  }
}

void SyncGroup::move_together(TimePoint now) {
  const auto loser = std::ranges::find_if_not(
      members_, [this](const auto* member) { return may_be_active(member) || is_joining(member); });
  if (loser != members_.end()) return give_up(**loser, now);
  const bool goes_on = std::ranges::any_of(members_, is_active);  // new members follow when they are ready
  if (!goes_on && !std::ranges::all_of(members_, is_ready)) return;
  std::vector<VirtualRouter*> taking_over;
  for (VirtualRouter* member : members_)  // each is asked, whatever the others say
    if (member->may_take_over(now)) taking_over.push_back(member);
  if (goes_on || taking_over.size() == members_.size()) VirtualRouter::step_together(taking_over, TakeOver{}, now);
}

/// A member that prepares keeps its peers silent. It may not do so while another member cannot be Active: the node that
/// keeps that one from it may be silent in this network for the same reason, and both would wait for ever.
void SyncGroup::stop_preparing(TimePoint now) {
  std::vector<VirtualRouter*> preparing;
  for (VirtualRouter* member : members_)
    if (member->election().preparing()) preparing.push_back(member);
  if (!preparing.empty()) VirtualRouter::step_together(preparing, GiveUp{}, now);
}

/// A planned stop, once nothing is to be done before, or one of them has left already.
void SyncGroup::let_go(TimePoint now) {
  if (!std::ranges::all_of(members_, &VirtualRouter::may_let_go) && std::ranges::all_of(members_, is_active)) return;
  Stop slowest;
  for (const VirtualRouter* member : members_) {
    const InstanceConfig& config = member->config();
    slowest.interval = std::max(slowest.interval, config.advert_interval);
    slowest.skew = std::max(slowest.skew, skew_time(1, config.advert_interval, config.version));
  }
  for (VirtualRouter* member : members_) member->let_go(now, slowest);
}

/// Nobody is Active without `loser`, who is not.
void SyncGroup::give_up(const VirtualRouter& loser, TimePoint now) {
  if (std::ranges::none_of(members_, is_active)) return stop_preparing(now);
  loser_ = &loser;
  VirtualRouter::step_together(members_, GiveUp{loser.election().active_peer()}, now);
}

/// While stopping, members let go one by one; until the last has, the group is what it was.
ShownState SyncGroup::members_state() const {
  const auto count = [&](ShownState state) {
    return std::ranges::count_if(members_, [&](const auto* each) {
      return each->shown() == state && (state == ShownState::fault || !is_joining(each));
    });
  };
  const auto all = std::ssize(members_) - std::ssize(joining_);
  if (all == 0 && count(ShownState::fault) == 0) return shown_;
  if (stopping() && !std::ranges::all_of(members_, is_out)) return shown_;
  if (count(ShownState::fault) > 0) return ShownState::fault;
  if (std::ranges::any_of(members_, is_moving)) return shown_;
  if (count(ShownState::active) == all) return ShownState::active;
  return count(ShownState::initialize) > 0 ? ShownState::initialize : ShownState::backup;
}

std::string SyncGroup::why(ShownState state) const {
  if (const auto sick = std::ranges::find_if(members_, is_sick); state == ShownState::fault && sick != members_.end())
    return (*sick)->config().name + " is in fault (" + *(*sick)->standing().own_fault() + ")";
  const VirtualRouter& told = loser_ != nullptr ? *loser_ : *members_.front();
  const std::string reason = told.config().name + ": " + told.cause();
  return state == ShownState::active ? "all members are ready; " + reason : reason;
}

void SyncGroup::show(TimePoint now) {
  const ShownState from = shown_, to = members_state();
  if (from != to) {
    shown_ = to;
    reason_ = why(to);
    since_ = now;
    const auto sequence = events_.add({.sequence = 0,
                                       .time = now,
                                       .instance = config_->name,
                                       .group = true,
                                       .from = from,
                                       .to = to,
                                       .reason = reason(),
                                       .priority = 0});
    log_info("group {}: {} -> {}: {}", config_->name, to_string(from), to_string(to), reason());
    if (!stopping()) tell(hook_state(to), from, sequence);
  } else if (to == ShownState::fault) {
    reason_ = why(to);  // one cause may follow another
  }
  loser_ = nullptr;
}

/// The members have let go: the hooks are told, once.
void SyncGroup::finish_stop() {
  if (stopped_ || !std::ranges::all_of(members_, is_out)) return;
  stopped_ = true;
  tell(HookState::stop, shown_, events_.last_sequence());
}

void SyncGroup::tell(HookState state, ShownState old_state, std::uint64_t sequence) {
  hooks_->push({.state = state,
                .old_state = std::string(to_string(old_state)),
                .reason = reason(),
                .priority = 0,
                .peer = "",
                .sequence = sequence});
}

std::vector<std::string> SyncGroup::awaited() const {
  std::vector<std::string> names;
  if (std::ranges::none_of(members_, is_ready)) return names;
  for (const VirtualRouter* member : members_)
    if (!may_be_active(member)) names.push_back(member->config().name);
  return names;
}

}  // namespace vipd
