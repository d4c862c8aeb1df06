#include "vipd/node/address_owner.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "vipd/node/known_entries.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// So many objects come at once, or go.
constexpr std::size_t kObjectsAtOnce = 64;
/// Of more, some at a time, so that nobody's adverts wait for long: the kernel takes up to 200 µs for one, and more
/// while others change their interfaces.
constexpr std::size_t kObjectsPerTurn = 16;
/// How long a peer needs for one object if this node has not claimed any yet; a server of 2020 takes 50 to 100 µs.
constexpr Duration kObjectTakes = std::chrono::microseconds(100);
/// A peer that is not heard is slower than this node by this factor at most, or clients may lose packets.
constexpr int kSlowness = 4;
/// A peer that has announced some of its addresses goes on within this time, however busy it is.
constexpr auto kPeerPause = std::chrono::milliseconds(200);
/// So many announcements in a row may be missed on a busy machine.
constexpr std::ptrdiff_t kFarthest = 512;
/// Whatever the peer announces, objects go without a pause after this time.
constexpr auto kLongestDeparture = std::chrono::seconds(5);
/// Somebody who deletes addresses in a loop gets this much of our time; promised is a repair within 50 ms.
constexpr auto kRepairGap = std::chrono::milliseconds(10);
/// Advert intervals after a claim in which an old holder lets go of its addresses, however its last words were lost.
constexpr int kDuplicatePatience = 4;
constexpr const char* kDuplicate = "is used by another host (duplicate address detection)";
/// What could not be removed is tried again this often; what waits for that is gone within the same 50 ms.
constexpr auto kRemovalGap = std::chrono::milliseconds(25);

/// What the kernel says where an interface is missing or down, or its network cannot be reached for that.
bool is_for_want_of_interface(int error) {
  return error == ENODEV || error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH;
}

/// The objects of `entries` that this node has added, the last one first.
std::vector<KernelObject> ours_of(const auto& entries) {
  std::vector<KernelObject> ours;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    if (entry->owned) ours.push_back(entry->object);
  return ours;
}

}  // namespace

AddressOwner::AddressOwner(Kernel& kernel, Wire& wire, const SharedInstance& config)
    : kernel_(kernel), config_(config), announcer_(kernel, wire, config), object_takes_(kObjectTakes) {
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
  detected_again_ = TimePoint::min();
  obstacle_.reset();
  announcer_.begin(now);
  locate();
  if (const auto ready = make_ready(); !ready) obstacle_ = ready.error().message;
  return !obstacle_;
}

/// What was not held before: with all that announces it.
void AddressOwner::add_new(const std::vector<Entry*>& entries, TimePoint now) {
  for (Entry* entry : entries) {
    note_length(*entry);
    announcer_.renew(*entry);
    entry->queued = true;
  }
  add_queued(entries.size() <= kObjectsAtOnce ? kObjectsAtOnce : kObjectsPerTurn, now);
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
  const auto added = add_queued(kObjectsPerTurn, now);
  if (announcer_.is_quiet() || now < claimed_at_ + config_->announce.delay) return;
  for (Entry* entry : added) Announcer::join_round(*entry);
  note_round(announcer_.go_on(entries_, kObjectsPerTurn, now), now);
}

/// A length that the configuration left out is no secret.
void AddressOwner::note_length(const Entry& entry) const {
  const auto* wanted = std::get_if<AddressObject>(&entry.wanted);
  if (wanted == nullptr || wanted->prefix.length != 0) return;
  const auto& prefix = std::get<AddressObject>(entry.object).prefix;
  const bool is_alone = prefix.length == 8 * address_size(prefix.address.family());
  log(is_alone ? LogLevel::warning : LogLevel::info, "{}: {} is added as {}{}", config_->name,
      prefix.address.to_string(), prefix.to_string(),
      is_alone ? "; the interface has no subnet around it" : ", as is the interface's subnet");
}

void AddressOwner::let_go(TimePoint now) {
  if (!holding()) return;
  for (auto& entry : entries_) note_changed_hands(entry);
  if (owned() <= kObjectsAtOnce || virtual_mac_) return release();
  begin_departure(kSlowness * object_takes_, now);
}

std::size_t AddressOwner::owned() const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, &Entry::owned));
}

void AddressOwner::begin_departure(Duration each, TimePoint now) {
  for (auto& entry : entries_) entry.due = entry.queued = false;
  stand_by();
  departure_ = Departure{.next_at = now + each * kObjectsPerTurn, .ends = now + kLongestDeparture, .each = each};
}

/// When the next few are to go: at once if the peer has them.
TimePoint AddressOwner::next_departure() const {
  if (!departure_) return kNever;
  return departure_->next < departure_->taken ? TimePoint() : std::min(departure_->next_at, departure_->ends);
}

/// The next ones, in the order in which they were added.
void AddressOwner::let_some_go() {
  std::vector<KernelObject> going;
  for (; departure_->next < entries_.size() && going.size() < kObjectsPerTurn; ++departure_->next) {
    Entry& entry = entries_[departure_->next];
    note_changed_hands(entry);
    if (std::exchange(entry.owned, false)) going.push_back(entry.object);
  }
  remove(going);
  departure_->next_at += departure_->each * kObjectsPerTurn;
  if (departure_->next >= entries_.size()) finish_release();
}

void AddressOwner::note_taken(const IpAddress& address, TimePoint now) {
  if (!departure_ || departure_->each == Duration::zero()) return;
  const auto is_it = [&](const Entry& entry) {
    const auto* held = std::get_if<AddressObject>(&entry.object);
    return held != nullptr && held->prefix.address == address;
  };
  const auto from = entries_.begin() + static_cast<std::ptrdiff_t>(departure_->taken);
  const auto to = from + std::min(kFarthest, entries_.end() - from);  // further on: it adds them in another order
  const auto found = std::find_if(from, to, is_it);
  if (found == to) return;
  departure_->taken = static_cast<std::size_t>(found - entries_.begin()) + 1;
  departure_->next_at = now + kPeerPause;
}

void AddressOwner::release() {
  if (!holding() && !letting_go()) return;
  for (auto& entry : entries_) note_changed_hands(entry);
  if (owned() <= kObjectsAtOnce || virtual_mac_) return finish_release();
  begin_departure(Duration::zero(), TimePoint());
}

/// What is left goes at once.
void AddressOwner::finish_release() {
  obstacle_.reset();
  remove(ours_of(entries_));
  for (auto& entry : entries_) entry.owned = entry.foreign = entry.due = entry.queued = entry.waits = false;
  if (virtual_mac_) virtual_mac_->lower();
  accept_again(refused_);
  departure_.reset();
  stand_by();
}

/// From now on nothing is to be held: nothing is added, put back or announced.
void AddressOwner::stand_by() {
  holding_ = false;
  announcer_.end();
  next_addition_ = next_detection_ = kNever;
  repair_pending_ = false;
}

void AddressOwner::withdraw() {
  if (virtual_mac_) virtual_mac_->remove();
}

void AddressOwner::remove(const std::vector<KernelObject>& objects) {
  const auto results = kernel_.remove(objects);
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (results[i] != 0) {
      log_error("cannot remove {}: {}; it is tried again until it is gone", describe(objects[i]),
                std::strerror(results[i]));
      stuck_.push_back(objects[i]);
      next_removal_ = TimePoint();
    }
}

/// The next ones that the configuration no longer asks for, unless it does again by now.
void AddressOwner::remove_some(std::size_t most) {
  std::vector<KernelObject> next;
  while (!leaving_.empty() && next.size() < most) {
    if (!is_held(leaving_.back())) next.push_back(std::move(leaving_.back()));
    leaving_.pop_back();
  }
  remove(next);
  if (leaving_.empty() && !accepted_.empty()) accept_again(std::exchange(accepted_, {}));
}

bool AddressOwner::is_held(const KernelObject& object) const {
  return std::ranges::any_of(entries_, [&](const Entry& each) { return each.owned && each.object == object; });
}

/// An address that had our tag and has it no more was deleted, and somebody else has added it: it stays. A kernel that
/// knows no tags (before 5.18) shows none at any time.
void AddressOwner::note_changed_hands(Entry& entry) const {
  const AddressState* state = entry.owned ? state_of(entry.object, kernel_.view()) : nullptr;
  if (state == nullptr) return;
  const bool is_ours = state->tag == kKernelTag;
  entry.foreign = entry.told && !is_ours;
  entry.owned = !entry.foreign;
  entry.told = is_ours;
  if (entry.foreign)
    log_warning("{} was removed, and somebody else has added it; it will stay there on release",
                describe(entry.object));
}

/// What is there, has our tag and is not to be held: the kernel has refused to remove it, or was asked by a vipd that
/// is gone; or has made an addition all the same whose acknowledgement was lost. An object without our tag is somebody
/// else's by now, and stays.
void AddressOwner::remove_strays(TimePoint now) {
  std::vector<KernelObject> strays;
  if (!holding() && !letting_go()) strays = tagged_objects_of(*config_, kernel_.view());
  for (KernelObject& object : std::exchange(stuck_, {})) {
    const bool is_others = kernel_.view().has(object) && !kernel_.view().has_tagged(object);
    if (!is_others && !is_held(object) && std::ranges::find(strays, object) == strays.end())
      strays.push_back(std::move(object));
  }
  next_removal_ = kNever;
  if (strays.empty()) return;
  const auto results = kernel_.remove(strays);
  for (std::size_t i = 0; i < strays.size(); ++i)
    if (results[i] != 0) stuck_.push_back(std::move(strays[i]));
  if (!stuck_.empty()) next_removal_ = now + kRemovalGap;
}

void AddressOwner::accept_again(const std::vector<IpAddress>& addresses) {
  if (const auto accepted = kernel_.accept_packets(addresses); !accepted) log_error("{}", accepted.error().message);
}

/// Takes the configuration as it is now; what it asks for as before keeps its state, whatever has become of the
/// interface's own subnets. Returns what it no longer asks for.
std::vector<AddressOwner::Entry> AddressOwner::take_config() {
  for (auto& entry : entries_) note_changed_hands(entry);
  std::vector<Entry> before = std::exchange(entries_, {});
  KnownEntries known(before);
  for (auto& [wanted, tracked] : wanted_by(*config_)) {
    const KernelObject object = located(wanted, *config_, kernel_.view());
    const Entry* same = known.take(wanted, object);
    Entry& entry = entries_.emplace_back(same != nullptr ? *same : Entry{.wanted = {}, .object = object});
    entry.wanted = std::move(wanted);
    entry.tracked = tracked;
  }
  return known.rest();
}

void AddressOwner::reconfigure(TimePoint now) {
  const std::vector<Entry> gone = take_config();
  const std::vector<IpAddress> refused_before = std::exchange(refused_, refused_by(*config_));
  if (!holding() && !letting_go()) return;
  const std::vector<KernelObject> leave = ours_of(gone);
  leaving_.insert(leaving_.begin(), leave.rbegin(), leave.rend());
  const std::set<IpAddress> still_refused(refused_.begin(), refused_.end());
  for (const IpAddress& address : refused_before)
    if (!still_refused.contains(address)) accepted_.push_back(address);
  remove_some(leaving_.size() <= kObjectsAtOnce ? kObjectsAtOnce : kObjectsPerTurn);
  if (letting_go()) {
    departure_->next = departure_->taken = 0;  // the entries are others
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
  auto results = kernel_.add(objects);
  add_again(objects, results);
  for (std::size_t i = 0; i < missing.size(); ++i) note_added(*missing[i], results[i]);
  next_repair_ = now + kRepairGap;
  return results;
}

/// Once more, what the kernel had no memory for, or no room to answer: that may be over already, and then the peer need
/// not take over.
void AddressOwner::add_again(const std::vector<KernelObject>& objects, std::vector<int>& results) {
  std::vector<std::size_t> failed;
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (results[i] == ENOBUFS || results[i] == ENOMEM) failed.push_back(i);
  if (failed.empty()) return;
  std::vector<KernelObject> again;
  for (const std::size_t i : failed) again.push_back(objects[i]);
  const auto second = kernel_.add(again);
  for (std::size_t nth = 0; nth < failed.size(); ++nth) {
    const bool was_made = second[nth] == EEXIST && !kernel_.view().has(again[nth]);  // and only the answer was lost
    results[failed[nth]] = was_made ? 0 : second[nth];
  }
}

void AddressOwner::note_added(Entry& entry, int error) {
  const bool is_there = error == EEXIST;
  entry.error = is_there ? 0 : error;
  if (entry.error != 0) return;
  const bool was_foreign = entry.foreign;
  entry.told = false;
  entry.foreign = is_there && !entry.owned && !kernel_.view().has_tagged(entry.object);
  entry.owned = !entry.foreign;
  if (entry.foreign && !was_foreign)
    log_warning("{} is there already, not added by vipd; it will stay there on release", describe(entry.object));
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
  if (next_removal_ == kNever ? may_have_strays : now >= next_removal_) remove_strays(now);
  if (!holding()) return;
  next_detection_ = kNever;
  if (now < next_repair_) {
    repair_pending_ = true;
    return;
  }
  repair_pending_ = false;
  for (auto& entry : entries_) note_changed_hands(entry);
  if (virtual_mac_ && !raise_again()) return;
  std::vector<Entry*> missing;
  for (auto& entry : entries_)
    if (!entry.queued && !kernel_.view().has(entry.object)) missing.push_back(&entry);
  if (!missing.empty()) put_back(missing, now);
  announcer_.look_for_usable(entries_, now);
  judge_duplicates(now);
}

bool AddressOwner::settled() const {
  return std::ranges::all_of(entries_, [&](const Entry& entry) {
    const auto* address = std::get_if<AddressObject>(&entry.object);
    return address == nullptr || (!entry.queued && is_settled(*address, kernel_.view()));
  });
}

/// Another host has an address, the kernel has found. That may be the old holder, which lets go within a few intervals.
void AddressOwner::judge_duplicates(TimePoint now) {
  std::vector<Entry*> duplicates;
  for (auto& entry : entries_) {
    const auto* address = std::get_if<AddressObject>(&entry.object);
    if (address == nullptr || address->prefix.address.family() == Family::ipv4) continue;  // ARP detects nothing
    if (const AddressState* state = state_of(entry.object, kernel_.view()); state != nullptr && state->duplicate)
      duplicates.push_back(&entry);
  }
  if (duplicates.empty()) return;
  next_detection_ = detected_again_ + config_->advert_interval;
  if (now < next_detection_) return;  // also: the view may be as before
  next_detection_ = now + config_->advert_interval;
  if (now < claimed_at_ + kDuplicatePatience * config_->advert_interval) return detect_again(duplicates, now);
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
  detected_again_ = now;
  if (ours.empty()) return;
  remove(refused);
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

bool AddressOwner::is_concerned(const std::vector<std::string>& interfaces) const {
  const auto concerns = [&](const std::string& name) {
    return std::ranges::find(interfaces, name) != interfaces.end();
  };
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    if (const auto* address = std::get_if<AddressObject>(&entry.object)) return concerns(address->interface);
    const auto* route = std::get_if<RouteObject>(&entry.object);
    return concerns("") || (route != nullptr && concerns(route->interface));
  });
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

TimePoint AddressOwner::deadline() const { return leaving_.empty() ? other_deadline() : TimePoint(); }

/// But for what the configuration no longer asks for.
TimePoint AddressOwner::other_deadline() const {
  if (!holding()) return std::min(next_removal_, next_departure());
  return std::min(
      {announcer_.deadline(), next_addition_, next_removal_, next_detection_, repair_pending_ ? next_repair_ : kNever});
}

void AddressOwner::on_deadline(TimePoint now) {
  if (!leaving_.empty()) {
    remove_some(kObjectsPerTurn);
    if (now < other_deadline()) return;
  }
  if (now >= next_departure()) return let_some_go();
  if (now >= next_addition_) go_on_adding(now);
  const bool in_round = adding() || announcer_.in_round();
  if (!in_round || repair_pending_ || next_removal_ != kNever || now >= next_detection_)
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

bool AddressOwner::holds(const IpAddress& address, int ifindex) const {
  return holding() && std::ranges::any_of(entries_, [&](const Entry& entry) {
           const auto* held = std::get_if<AddressObject>(&entry.object);
           return held != nullptr && held->ifindex == ifindex && held->prefix.address == address;
         });
}

void AddressOwner::add_watched(WatchedAddresses& watched) const {
  if (!holding() && !letting_go()) return;
  for (const Entry& entry : entries_) {
    const auto* held = std::get_if<AddressObject>(&entry.object);
    const Interface* interface = held != nullptr ? kernel_.view().find(held->ifindex) : nullptr;
    if (interface != nullptr && interface->ethernet)
      watched[{held->ifindex, held->prefix.address.family()}].push_back(held->prefix.address);
  }
}

}  // namespace vipd
