#include "vipd/node/address_owner.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "vipd/node/add_objects.hpp"
#include "vipd/node/known_entries.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// So many objects come at once, or go. Of more, some at a time (Departure::kPerTurn).
constexpr std::size_t kObjectsAtOnce = 64;
/// How long a peer needs for one object if this node has not claimed any yet; a server of 2020 takes 50 to 100 µs.
constexpr Duration kObjectTakes = std::chrono::microseconds(100);
/// Somebody who deletes addresses in a loop gets this much of our time; promised is a repair within 50 ms.
constexpr auto kRepairGap = std::chrono::milliseconds(10);
constexpr const char* kDuplicate = "is used by another host (duplicate address detection)";

/// What the kernel says where an interface is missing or down, or its network cannot be reached for that.
bool is_for_want_of_interface(int error) {
  return error == ENODEV || error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH;
}

}  // namespace

AddressOwner::AddressOwner(Kernel& kernel, Wire& wire, const SharedInstance& config)
    : kernel_(kernel),
      config_(config),
      announcer_(kernel, wire, config),
      object_takes_(kObjectTakes),
      removals_(kernel) {
  if (config->virtual_mac) virtual_mac_ = std::make_unique<VirtualMac>(kernel, *config);
  for (const auto& [object, tracked] : wanted_by(*config))
    entries_.push_back({.wanted = object, .object = object, .tracked = tracked});
  refused_ = refused_by(*config);
}

Result<void> AddressOwner::prepare() {
  if (virtual_mac_)
    if (auto made = virtual_mac_->prepare(); !made) return made;
  if (refused_.empty() || holding()) return {};
  return kernel_.refuse_packets({});
}

/// Before the first address is there.
Result<void> AddressOwner::make_ready() {
  if (virtual_mac_)
    if (auto raised = virtual_mac_->raise(); !raised) return raised;
  if (refused_.empty()) return {};
  return kernel_.refuse_packets(refused_);
}

/// Takes the interfaces as they are now.
void AddressOwner::locate() {
  device_ = index_of(kernel_.view(), address_interface(*config_));
  for (auto& entry : entries_) entry.object = located(entry.wanted, *config_, kernel_.view());
}

void AddressOwner::claim(TimePoint now) {
  measuring_ = !letting_go() && entries_.size() > kObjectsAtOnce;
  if (!begin(now)) return;
  std::vector<Entry*> all;
  for (auto& entry : entries_) all.push_back(&entry);
  add_new(all, now);
  announcer_.hush();
}

void AddressOwner::announce_claim(TimePoint now) { note_round(announcer_.speak(entries_, now), now); }

/// Of a claim of many objects, the time until all were announced is what one of them takes a peer.
void AddressOwner::note_round(bool ended, TimePoint now) {
  if (!ended || adding() || now < claimed_at_ + config_->announce.delay) return;
  if (std::exchange(measuring_, false)) object_takes_ = (now - claimed_at_) / static_cast<int>(entries_.size());
}

void AddressOwner::resume(TimePoint now) {
  begin(now);  // they are there, whatever stands in the way now
  for (auto& entry : entries_) {
    entry.owned = entry.told = kernel_.view().has_tagged(entry.object);
    entry.foreign = !entry.owned && kernel_.view().has(entry.object);
    announcer_.renew(entry);  // the previous run may have died before it could
  }
}

/// From now on everything is to be held; false if something stands in the way.
bool AddressOwner::begin(TimePoint now) {
  holding_ = true;
  claimed_at_ = now;
  departure_.reset();  // what is still there stays
  repair_pending_ = false;
  duplicates_.begin(now);
  obstacle_.reset();
  announcer_.begin(now);
  locate();
  if (const auto ready = make_ready(); !ready) obstacle_ = ready.error().message;
  return !obstacle_;
}

/// What was not held before: with all that announces it.
void AddressOwner::add_new(const std::vector<Entry*>& entries, TimePoint now) {
  for (Entry* entry : entries) {
    log_length(*entry, config_->name);
    announcer_.renew(*entry);
    entry->queued = true;
  }
  add_queued(entries.size() <= kObjectsAtOnce ? kObjectsAtOnce : Departure::kPerTurn, now);
}

/// The next ones, in their order, up to `most`.
std::vector<AddressOwner::Entry*> AddressOwner::add_queued(std::size_t most, TimePoint now) {
  std::vector<Entry*> next;
  next_addition_ = kNever;
  for (auto& entry : entries_) {
    if (!entry.queued) continue;
    if (next.size() == most) {
      next_addition_ = now;
      break;
    }
    entry.queued = false;
    next.push_back(&entry);
  }
  add(next, now);
  return next;
}

/// Those that come after the first round has begun take part in it; as many are announced as were added, so that
/// clients move about when their address does.
void AddressOwner::go_on_adding(TimePoint now) {
  const auto added = add_queued(Departure::kPerTurn, now);
  if (announcer_.is_quiet() || now < claimed_at_ + config_->announce.delay) return;
  for (Entry* entry : added) Announcer::join_round(*entry);
  note_round(announcer_.go_on(entries_, Departure::kPerTurn, now), now);
}

void AddressOwner::let_go(TimePoint now) {
  if (!holding()) return;
  for (auto& entry : entries_) note_changed_hands(entry, kernel_.view());
  if (owned() <= kObjectsAtOnce || virtual_mac_) return release();
  begin(Departure(object_takes_, now));
}

std::size_t AddressOwner::owned() const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, &Entry::owned));
}

void AddressOwner::begin(const Departure& departure) {
  for (auto& entry : entries_) entry.due = entry.queued = false;
  stand_by();
  departure_ = departure;
}

TimePoint AddressOwner::next_departure() const { return departure_ ? departure_->due() : kNever; }

/// The next ones, in the order in which they were added.
void AddressOwner::let_some_go() {
  std::vector<KernelObject> going;
  std::size_t next = departure_->next();
  for (; next < entries_.size() && going.size() < Departure::kPerTurn; ++next) {
    Entry& entry = entries_[next];
    note_changed_hands(entry, kernel_.view());
    if (std::exchange(entry.owned, false)) going.push_back(entry.object);
  }
  removals_.remove(going);
  departure_->note_gone(next);
  if (next >= entries_.size()) finish_release();
}

void AddressOwner::note_taken(const IpAddress& address, TimePoint now) {
  if (!departure_) return;
  const auto [from, to] = departure_->expected(entries_.size());
  for (std::size_t at = from; at < to; ++at) {
    const auto* held = std::get_if<AddressObject>(&entries_[at].object);
    if (held != nullptr && held->prefix.address == address) return departure_->note_taken(at, now);
  }
}

void AddressOwner::release() {
  if (!holding() && !letting_go()) return;
  for (auto& entry : entries_) note_changed_hands(entry, kernel_.view());
  if (owned() <= kObjectsAtOnce || virtual_mac_) return finish_release();
  begin(Departure());
}

/// What is left goes at once.
void AddressOwner::finish_release() {
  obstacle_.reset();
  removals_.remove(ours_of(entries_));
  for (auto& entry : entries_) entry.owned = entry.foreign = entry.due = entry.queued = entry.waits = false;
  if (virtual_mac_) virtual_mac_->lower();
  removals_.accept(refused_);
  departure_.reset();
  stand_by();
}

/// From now on nothing is to be held: nothing is added, put back or announced.
void AddressOwner::stand_by() {
  holding_ = false;
  announcer_.end();
  next_addition_ = kNever;
  duplicates_.forget();
  repair_pending_ = false;
}

void AddressOwner::withdraw() {
  if (virtual_mac_) virtual_mac_->remove();
}

void AddressOwner::remove_some(std::size_t most) {
  removals_.remove_some(most, [this](const KernelObject& object) { return is_held(object); });
}

/// What has our tag and is not to be held was left by a vipd that is gone, or was added all the same when an
/// acknowledgement was lost.
void AddressOwner::remove_strays(TimePoint now) {
  std::vector<KernelObject> strays;
  if (!holding() && !letting_go()) strays = tagged_objects_of(*config_, kernel_.view());
  removals_.try_again(std::move(strays), [this](const KernelObject& object) { return is_held(object); }, now);
}

bool AddressOwner::is_held(const KernelObject& object) const {
  return std::ranges::any_of(entries_, [&](const Entry& each) { return each.owned && each.object == object; });
}

void AddressOwner::reconfigure(TimePoint now) {
  for (auto& entry : entries_) note_changed_hands(entry, kernel_.view());
  const std::vector<Entry> gone = take_config(entries_, *config_, kernel_.view());
  const std::vector<IpAddress> refused_before = std::exchange(refused_, refused_by(*config_));
  if (!holding() && !letting_go()) return;
  const std::set<IpAddress> still_refused(refused_.begin(), refused_.end());
  std::vector<IpAddress> accepted;
  for (const IpAddress& address : refused_before)
    if (!still_refused.contains(address)) accepted.push_back(address);
  removals_.leave(ours_of(gone), accepted);
  remove_some(removals_.leaving() <= kObjectsAtOnce ? kObjectsAtOnce : Departure::kPerTurn);
  if (letting_go()) {
    departure_->begin_again();
    return;
  }
  if (const auto ready = make_ready(); !ready) obstacle_ = ready.error().message;
  std::vector<Entry*> missing;
  for (auto& entry : entries_)
    if (!entry.owned && !entry.foreign) missing.push_back(&entry);
  if (!missing.empty()) add_new(missing, now);
  note_round(announcer_.reconfigure(entries_, !missing.empty(), now), now);
}

/// Returns errno for each: EEXIST for what was there.
std::vector<int> AddressOwner::add(const std::vector<Entry*>& missing, TimePoint now) {
  std::vector<KernelObject> objects;
  for (const Entry* entry : missing) objects.push_back(entry->object);
  const auto results = add_objects(kernel_, objects);
  for (std::size_t i = 0; i < missing.size(); ++i) note_added(*missing[i], results[i], kernel_.view());
  next_repair_ = now + kRepairGap;
  return results;
}

/// Somebody may have set the device down or changed a setting, or it is a new one.
bool AddressOwner::raise_again() {
  const auto raised = virtual_mac_->raise();
  if (!raised) obstacle_ = raised.error().message;
  if (device_ != index_of(kernel_.view(), address_interface(*config_))) locate();
  return raised.has_value();
}

void AddressOwner::reconcile(TimePoint now) {
  const bool may_have_strays = !holding() && !letting_go();
  const TimePoint next_try = removals_.next_try();
  if (next_try == kNever ? may_have_strays : now >= next_try) remove_strays(now);
  if (!holding()) return;
  duplicates_.forget();
  if (now < next_repair_) {
    repair_pending_ = true;
    return;
  }
  repair_pending_ = false;
  for (auto& entry : entries_) note_changed_hands(entry, kernel_.view());
  if (virtual_mac_ && !raise_again()) return;
  std::vector<Entry*> missing;
  for (auto& entry : entries_)
    if (!entry.queued && !kernel_.view().has(entry.object)) missing.push_back(&entry);
  if (!missing.empty()) put_back(missing, now);
  announcer_.look_for_usable(entries_, now);
  judge_duplicates(now);
}

void AddressOwner::judge_duplicates(TimePoint now) {
  const std::vector<Entry*> duplicates = duplicates_among(entries_, kernel_.view());
  if (duplicates.empty()) return;
  const auto verdict = duplicates_.judge(config_->advert_interval, now);
  if (verdict == DuplicateWatch::Verdict::detect_again) return detect_again(duplicates, now);
  if (verdict == DuplicateWatch::Verdict::give_up)
    obstacle_ = to_string(std::get<AddressObject>(duplicates.front()->object)) + " " + kDuplicate;
}

/// The kernel looks for another host only when an address is added.
void AddressOwner::detect_again(const std::vector<Entry*>& duplicates, TimePoint now) {
  std::vector<KernelObject> refused;
  std::vector<Entry*> ours;
  for (Entry* entry : duplicates) {
    if (!entry->owned) continue;
    refused.push_back(entry->object);
    ours.push_back(entry);
  }
  if (ours.empty()) return;
  removals_.remove(refused);
  add(ours, now);
}

/// What was there is there again, and what could not be added is there at last.
void AddressOwner::put_back(const std::vector<Entry*>& missing, TimePoint now) {
  std::vector<bool> refused;
  for (Entry* entry : missing) {
    refused.push_back(entry->error != 0);
    if (entry->error != 0)
      entry->object = located(entry->wanted, *config_, kernel_.view());  // its interface may have come
  }
  const auto results = add(missing, now);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (results[i] != 0) continue;  // refused, or there all the time and the view is late
    if (refused[i])
      log_info("{} could be added", describe(missing[i]->object));
    else
      log_warning("{} had vanished; put back", describe(missing[i]->object));
    missing[i]->due = true;
  }
  note_round(announcer_.go_on(entries_, now), now);
}

bool AddressOwner::present(const Entry& entry) const {
  const auto* address = std::get_if<AddressObject>(&entry.object);
  if (address == nullptr) return kernel_.view().has(entry.object) || entry.foreign;
  const AddressState* state = state_of(entry.object, kernel_.view());
  const Interface* interface = kernel_.view().find(address->ifindex);
  return state != nullptr && state->usable && interface != nullptr && interface->up;
}

std::optional<std::string> AddressOwner::trouble(const Entry& entry) const {
  if (entry.error != 0) return std::strerror(entry.error);
  const AddressState* state = state_of(entry.object, kernel_.view());
  if (state == nullptr || present(entry)) return std::nullopt;
  if (state->duplicate) return kDuplicate;
  return state->usable ? "its interface is down" : "duplicate address detection goes on";
}

std::optional<std::string> AddressOwner::failure() const {
  if (obstacle_) return obstacle_;
  const auto failed = std::ranges::find_if(entries_, [](const Entry& entry) {
    return entry.error != 0 && (entry.tracked || !is_for_want_of_interface(entry.error));
  });
  if (failed == entries_.end()) return std::nullopt;
  return "cannot add " + describe(failed->object) + ": " + std::strerror(failed->error);
}

void AddressOwner::forget_refusals() {
  obstacle_.reset();
  for (auto& entry : entries_) entry.error = 0;
}

TimePoint AddressOwner::deadline() const { return removals_.leaving() == 0 ? other_deadline() : TimePoint(); }

/// But for what the configuration no longer asks for.
TimePoint AddressOwner::other_deadline() const {
  if (!holding()) return std::min(removals_.next_try(), next_departure());
  return std::min({announcer_.deadline(), next_addition_, removals_.next_try(), duplicates_.next(),
                   repair_pending_ ? next_repair_ : kNever});
}

void AddressOwner::on_deadline(TimePoint now) {
  if (removals_.leaving() != 0) {
    remove_some(Departure::kPerTurn);
    if (now < other_deadline()) return;
  }
  if (now >= next_departure()) return let_some_go();
  if (now >= next_addition_) go_on_adding(now);
  const bool in_round = adding() || announcer_.in_round();
  if (!in_round || repair_pending_ || removals_.next_try() != kNever || now >= duplicates_.next())
    reconcile(now);  // a repair that had to wait, and the read-back: what was acknowledged has to be there
  if (in_round) {
    if (now >= announcer_.next_turn()) note_round(announcer_.go_on(entries_, now), now);
    return;  // a round ends before the next one starts, and the first one not before all are there
  }
  note_round(announcer_.on_deadline(entries_, now), now);
}

void AddressOwner::contested(Duration quiet, TimePoint now) {
  if (holding()) note_round(announcer_.contested(entries_, quiet, now), now);
}

void AddressOwner::announce_again(const std::set<IpAddress>& addresses, TimePoint now) {
  if (holding()) note_round(announcer_.announce_again(entries_, addresses, now), now);
}

}  // namespace vipd
