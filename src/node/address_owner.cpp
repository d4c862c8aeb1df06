#include "vipd/node/address_owner.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "vipd/os/log.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd {
namespace {

/// So many objects come at once, or go.
constexpr std::size_t kObjectsAtOnce = 64;
/// Of more, some at a time, so that nobody's adverts wait for long: the kernel takes up to 200 µs for one, and more
/// while others change their interfaces.
constexpr std::size_t kObjectsPerTurn = 16;
/// A turn of announcements takes well below a millisecond.
constexpr std::size_t kFramesPerTurn = 32;
constexpr auto kTurnGap = std::chrono::milliseconds(1);
/// How long a peer needs for one object if this node has not claimed any yet; a server of 2020 takes 50 to 100 µs.
constexpr Duration kObjectTakes = std::chrono::microseconds(100);
/// Peers are slower than this node by this factor at most, or clients may lose packets.
constexpr int kSlowness = 2;
/// Whatever another node says, it makes this node begin a burst no more often than this.
constexpr auto kAnswerGap = std::chrono::seconds(1);
/// Somebody who deletes addresses in a loop gets this much of our time; promised is a repair within 50 ms.
constexpr auto kRepairGap = std::chrono::milliseconds(10);
/// Advert intervals after a claim in which an old holder lets go of its addresses, however its last words were lost.
constexpr int kDuplicatePatience = 4;
constexpr const char* kDuplicate = "is used by another host (duplicate address detection)";
/// What could not be removed is tried again this often; what waits for that is gone within the same 50 ms.
constexpr auto kRemovalGap = std::chrono::milliseconds(25);

int index_of(const NetworkView& view, const std::string& interface) {
  const Interface* found = view.find(interface);
  return found != nullptr ? found->index : 0;
}

/// The length of the narrowest subnet of the interface's own around the address; 0 if there is none.
std::uint8_t subnet_length(const Interface* interface, const IpAddress& address) {
  std::uint8_t length = 0;
  if (interface != nullptr)
    for (const auto& [prefix, state] : interface->addresses)
      if (state.tag != kKernelTag && prefix.address != address && prefix.contains(address))
        length = std::max(length, prefix.length);
  return length;
}

/// The device of the virtual MAC is on the network of the instance's interface: a length that was left out is found
/// there. And where that interface has a route to the subnet, a second one would only make the machine's own packets
/// take another way. Link-local ones are needed on each interface. Anywhere else, also on a macvlan of the user's, an
/// address with a length is what it is, and not to be compared with thousands of others.
void fit_subnet(AddressObject& object, const InstanceConfig& instance, const NetworkView& view) {
  const IpAddress& address = object.prefix.address;
  const bool on_device = instance.virtual_mac && object.interface == virtual_mac_device(instance);
  if (!on_device && object.prefix.length != 0) return;
  const std::uint8_t length = subnet_length(view.find(on_device ? instance.interface : object.interface), address);
  const bool is_link_local = address.family() == Family::ipv6 && address.is_link_local();
  object.prefix_route = !on_device || length == 0 || is_link_local;
  if (object.prefix.length != 0) return;
  object.prefix.length = length != 0 ? length : static_cast<std::uint8_t>(8 * address_size(address.family()));
}

/// An object as the configuration has it, with the interface that this implies.
struct Wanted {
  KernelObject object;
  bool tracked = true;
};

/// All that an instance holds while it is Active.
std::vector<Wanted> wanted_by(const InstanceConfig& instance) {
  std::vector<Wanted> wanted;
  for (const VirtualAddress& each : instance.addresses) {
    if (!each.assigned) continue;
    AddressObject address = each;
    if (address.interface.empty()) address.interface = address_interface(instance);
    wanted.push_back({std::move(address), each.tracked});
  }
  for (const VirtualRoute& each : instance.routes) {
    RouteObject route = each;
    if (route.type == RouteType::unicast && route.interface.empty()) route.interface = instance.interface;
    wanted.push_back({std::move(route), each.tracked});
  }
  for (const RuleObject& rule : instance.rules) wanted.push_back({rule});
  return wanted;
}

/// What the kernel says where an interface is missing or down, or its network cannot be reached for that.
bool is_for_want_of_interface(int error) {
  return error == ENODEV || error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH;
}

/// The object as it is on the machine: with its interface's index, and with a length if it had none.
KernelObject located(KernelObject object, const InstanceConfig& instance, const NetworkView& view) {
  if (auto* address = std::get_if<AddressObject>(&object)) {
    address->ifindex = index_of(view, address->interface);
    fit_subnet(*address, instance, view);
  } else if (auto* route = std::get_if<RouteObject>(&object); route != nullptr && route->type == RouteType::unicast) {
    route->ifindex = index_of(view, route->interface);
  }
  return object;
}

/// The addresses to which packets are not taken in.
std::vector<IpAddress> refused_by(const InstanceConfig& config) {
  std::vector<IpAddress> refused;
  if (config.accepts()) return refused;
  for (const auto& address : config.addresses)
    if (address.assigned) refused.push_back(address.prefix.address);
  return refused;
}

/// Finds the entries of an earlier configuration, each once. Mostly they come in the order in which they were.
class Known {
 public:
  explicit Known(const std::vector<AddressOwner::Entry>& entries)
      : entries_(entries), is_left_(entries.size(), true), left_(entries.size()) {}
  /// The entry that was wanted so, or that is this object; null if there is none.
  const AddressOwner::Entry* take(const KernelObject& wanted, const KernelObject& object) {
    if (left_ == 0) return nullptr;
    std::size_t at = next_;
    if (!is_one(at, wanted, object)) at = find(wanted, &AddressOwner::Entry::wanted, by_wanted_);
    if (!is_one(at, wanted, object)) at = find(object, &AddressOwner::Entry::object, by_object_);
    if (!is_one(at, wanted, object)) return nullptr;
    is_left_[at] = false;
    --left_;
    next_ = at + 1;
    return &entries_[at];
  }
  /// Those that were not taken.
  std::vector<AddressOwner::Entry> rest() const {
    std::vector<AddressOwner::Entry> rest;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (is_left_[i]) rest.push_back(entries_[i]);
    return rest;
  }

 private:
  using Places = std::vector<std::size_t>;
  using Member = KernelObject AddressOwner::Entry::*;
  bool is_one(std::size_t at, const KernelObject& wanted, const KernelObject& object) const {
    return at < entries_.size() && is_left_[at] && (entries_[at].wanted == wanted || entries_[at].object == object);
  }
  /// By a list of places in the order of this member, which is made when it is first needed.
  std::size_t find(const KernelObject& what, Member member, Places& places) const {
    const auto key = [&](std::size_t at) -> const KernelObject& { return entries_[at].*member; };
    if (places.empty()) {
      for (std::size_t i = 0; i < entries_.size(); ++i) places.push_back(i);
      std::ranges::sort(places, {}, key);
    }
    const auto found = std::ranges::lower_bound(places, what, {}, key);
    return found == places.end() ? entries_.size() : *found;
  }

  const std::vector<AddressOwner::Entry>& entries_;
  std::vector<bool> is_left_;
  std::size_t left_, next_ = 0;
  Places by_wanted_, by_object_;
};

/// The objects of `entries` that this node has added, the last one first.
std::vector<KernelObject> ours_of(const auto& entries) {
  std::vector<KernelObject> ours;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    if (entry->owned) ours.push_back(entry->object);
  return ours;
}

}  // namespace

std::vector<KernelObject> objects_of(const InstanceConfig& instance, const NetworkView& view) {
  std::vector<KernelObject> objects;
  for (auto& wanted : wanted_by(instance)) objects.push_back(located(std::move(wanted.object), instance, view));
  return objects;
}

std::vector<KernelObject> tagged_objects_of(const InstanceConfig& instance, const NetworkView& view,
                                            const std::vector<KernelObject>& but_for) {
  auto objects = objects_of(instance, view);
  std::erase_if(objects, [&](const auto& object) {
    return !view.has_tagged(object) || std::ranges::find(but_for, object) != but_for.end();
  });
  for (auto& object : objects)  // a length that was left out may have been found from another subnet
    if (auto* address = std::get_if<AddressObject>(&object))
      address->prefix = view.find(address->ifindex, address->prefix.address)->first;
  std::ranges::reverse(objects);
  return objects;
}

AddressOwner::AddressOwner(Kernel& kernel, Wire& wire, const SharedInstance& config)
    : kernel_(kernel), wire_(wire), config_(config), object_takes_(kObjectTakes) {
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
  is_quiet_ = true;
}

void AddressOwner::announce_claim(TimePoint now) {
  if (!std::exchange(is_quiet_, false)) return;
  if (now >= next_round_) start_round(now);
}

void AddressOwner::resume(TimePoint now) {
  begin(now);  // they are there, whatever stands in the way now
  for (auto& entry : entries_) {
    entry.owned = entry.told = kernel_.view().has_tagged(entry.object);
    entry.foreign = !entry.owned && kernel_.view().has(entry.object);
    entry.rounds = config_->announce.count;  // it may have died before it could
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
  second_burst_ = config_->announce.again_after > Duration::zero();
  next_round_ = now + config_->announce.delay;
  locate();
  if (const auto ready = make_ready(); !ready) obstacle_ = ready.error().message;
  return !obstacle_;
}

/// What was not held before: with all that announces it.
void AddressOwner::add_new(const std::vector<Entry*>& entries, TimePoint now) {
  for (Entry* entry : entries) {
    note_length(*entry);
    entry->rounds = config_->announce.count;
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
  if (is_quiet_ || now < claimed_at_ + config_->announce.delay) return;
  for (Entry* entry : added) begin_round(*entry);
  announce_due(now, kObjectsPerTurn);
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
  const std::size_t count = owned();
  if (count <= kObjectsAtOnce || virtual_mac_) return release();
  begin_departure(std::min(kSlowness * object_takes_, config_->advert_interval / static_cast<int>(count)), now);
}

std::size_t AddressOwner::owned() const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, &Entry::owned));
}

void AddressOwner::begin_departure(Duration each, TimePoint now) {
  for (auto& entry : entries_) entry.due = entry.queued = false;
  stand_by();
  departure_ = Departure{.began = now, .each = each, .total = owned()};
}

/// When the next few are to go: a turn's worth together, when the last of them may.
TimePoint AddressOwner::next_departure() const {
  if (!departure_) return kNever;
  const std::size_t next = std::min(departure_->gone + kObjectsPerTurn, departure_->total);
  return departure_->began + departure_->each * static_cast<Duration::rep>(next);
}

/// The next ones, in the order in which they were added.
void AddressOwner::let_some_go() {
  std::vector<KernelObject> going;
  for (auto entry = entries_.begin(); entry != entries_.end() && going.size() < kObjectsPerTurn; ++entry) {
    note_changed_hands(*entry);
    if (std::exchange(entry->owned, false)) going.push_back(entry->object);
  }
  remove(going);
  departure_->gone += going.size();
  if (going.size() < kObjectsPerTurn || departure_->gone >= departure_->total) finish_release();
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
  holding_ = is_quiet_ = false;
  next_addition_ = next_round_ = next_turn_ = answer_at_ = next_detection_ = kNever;
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
  const AddressState* state = entry.owned ? state_of(entry) : nullptr;
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
  Known known(before);
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
  if (letting_go()) return;
  if (const auto ready = make_ready(); !ready) obstacle_ = ready.error().message;
  std::vector<Entry*> missing;
  for (auto& entry : entries_)
    if (!entry.owned && !entry.foreign) missing.push_back(&entry);
  if (!missing.empty()) {
    add_new(missing, now);
    next_round_ = std::min(next_round_, std::max(now, claimed_at_ + config_->announce.delay));
  }
  if (config_->announce.again_after == Duration::zero()) second_burst_ = false;
  next_round_ = std::min(next_round_, next_round(now));
  if (now >= next_round_ && next_turn_ == kNever) start_round(now);
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
  announce_settled(now);
  judge_duplicates(now);
}

/// What the kernel says of an address; null of anything else, and of one that it has not told yet.
const AddressState* AddressOwner::state_of(const Entry& entry) const {
  const auto* address = std::get_if<AddressObject>(&entry.object);
  const auto* told = address != nullptr ? kernel_.view().find(address->ifindex, address->prefix.address) : nullptr;
  return told != nullptr ? &told->second : nullptr;
}

/// Whether an address may be announced. The view may be late, but for duplicate address detection its word counts.
bool AddressOwner::is_settled(const Entry& entry) const {
  const auto& address = std::get<AddressObject>(entry.object);
  if (address.prefix.address.family() == Family::ipv4) return true;
  const AddressState* state = state_of(entry);
  return state != nullptr ? state->usable : address.nodad;
}

bool AddressOwner::settled() const {
  return std::ranges::all_of(entries_, [&](const Entry& entry) {
    return !std::holds_alternative<AddressObject>(entry.object) || (!entry.queued && is_settled(entry));
  });
}

/// What has become usable is announced, with a burst of its own.
void AddressOwner::announce_settled(TimePoint now) {
  bool some = false;
  for (auto& entry : entries_) {
    if (!entry.waits || !is_settled(entry)) continue;
    entry.waits = false;
    entry.rounds = config_->announce.count;
    some = true;
  }
  if (some) next_round_ = std::min(next_round_, std::max(now, claimed_at_ + config_->announce.delay));
}

/// Another host has an address, the kernel has found. That may be the old holder, which lets go within a few intervals.
void AddressOwner::judge_duplicates(TimePoint now) {
  std::vector<Entry*> duplicates;
  for (auto& entry : entries_) {
    const auto* address = std::get_if<AddressObject>(&entry.object);
    if (address == nullptr || address->prefix.address.family() == Family::ipv4) continue;  // ARP detects nothing
    if (const AddressState* state = state_of(entry); state != nullptr && state->duplicate) duplicates.push_back(&entry);
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
  announce_due(now, kFramesPerTurn);
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
  const AddressState* state = state_of(entry);
  const Interface* interface = kernel_.view().find(address->ifindex);
  return state != nullptr && state->usable && interface != nullptr && interface->up;
}

std::optional<std::string> AddressOwner::trouble(const Entry& entry) const {
  if (entry.error != 0) return std::strerror(entry.error);
  const AddressState* state = state_of(entry);
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
  const TimePoint round = next_turn_ != kNever ? next_turn_ : std::min(next_round_, answer_at_);
  const TimePoint announcement = is_quiet_ ? kNever : round;
  return std::min(
      {announcement, next_addition_, next_removal_, next_detection_, repair_pending_ ? next_repair_ : kNever});
}

void AddressOwner::on_deadline(TimePoint now) {
  if (!leaving_.empty()) {
    remove_some(kObjectsPerTurn);
    if (now < other_deadline()) return;
  }
  if (now >= next_departure()) return let_some_go();
  if (now >= next_addition_) go_on_adding(now);
  const bool in_round = adding() || next_turn_ != kNever;
  if (!in_round || repair_pending_ || next_removal_ != kNever || now >= next_detection_)
    reconcile(now);  // a repair that had to wait, and the read-back: what was acknowledged has to be there
  if (in_round) {
    if (now >= next_turn_) announce_due(now, kFramesPerTurn);
    return;  // a round ends before the next one starts, and the first one not before all are there
  }
  if (now >= answer_at_) {
    answer_at_ = kNever;
    begin_burst(now);
  }
  if (now < next_round_) return;
  if (!in_burst()) {
    for (auto& entry : entries_) entry.rounds = second_burst_ ? config_->announce.count : 1;
    second_burst_ = false;
  }
  start_round(now);
}

void AddressOwner::contested(Duration quiet, TimePoint now) {
  if (!holding()) return;
  if (answer_at_ == kNever) contested_at_ = now;
  if (now >= answered_at_ + kAnswerGap) {
    begin_burst(now);
    if (now >= next_round_ && next_turn_ == kNever) start_round(now);
  }
  answer_at_ = std::max(std::min(now + quiet, contested_at_ + kAnswerGap), answered_at_ + kAnswerGap);
}

void AddressOwner::announce_again(const std::set<IpAddress>& addresses, TimePoint now) {
  if (!holding()) return;
  for (auto& entry : entries_)
    if (const auto* held = std::get_if<AddressObject>(&entry.object);
        held != nullptr && addresses.contains(held->prefix.address))
      entry.rounds = config_->announce.count;
  next_round_ = std::min(next_round_, std::max(now, claimed_at_ + config_->announce.delay));
  if (!is_quiet_ && now >= next_round_ && next_turn_ == kNever) start_round(now);
}

bool AddressOwner::holds(const IpAddress& address, int ifindex) const {
  return holding() && std::ranges::any_of(entries_, [&](const Entry& entry) {
           const auto* held = std::get_if<AddressObject>(&entry.object);
           return held != nullptr && held->ifindex == ifindex && held->prefix.address == address;
         });
}

void AddressOwner::add_watched(WatchedAddresses& watched) const {
  if (!holding()) return;
  for (const Entry& entry : entries_) {
    const auto* held = std::get_if<AddressObject>(&entry.object);
    const Interface* interface = held != nullptr ? kernel_.view().find(held->ifindex) : nullptr;
    if (interface != nullptr && interface->ethernet)
      watched[{held->ifindex, held->prefix.address.family()}].push_back(held->prefix.address);
  }
}

/// The burst that answers another node.
void AddressOwner::begin_burst(TimePoint now) {
  answered_at_ = now;
  for (auto& entry : entries_) entry.rounds = config_->announce.count;
  next_round_ = std::max(now, claimed_at_ + config_->announce.delay);
}

/// Are there addresses that have not been announced often enough?
bool AddressOwner::in_burst() const {
  return std::ranges::any_of(entries_, [](const Entry& entry) { return entry.rounds > 0; });
}

/// When the round after one at `now` is due.
TimePoint AddressOwner::next_round(TimePoint now) const {
  const AnnounceSettings& announce = config_->announce;
  if (in_burst()) return std::max(now + announce.gap, claimed_at_ + announce.delay);
  if (second_burst_) return std::max(now + announce.gap, claimed_at_ + announce.again_after);
  return announce.refresh > Duration::zero() ? now + announce.refresh : kNever;
}

/// One that is in its burst is to be announced.
void AddressOwner::begin_round(Entry& entry) {
  entry.due = entry.rounds > 0 && !entry.queued;
  if (entry.due) --entry.rounds;
}

/// Announces once each address that is in its burst.
void AddressOwner::start_round(TimePoint now) {
  for (auto& entry : entries_) begin_round(entry);
  next_round_ = next_round(now);
  announce_due(now, kFramesPerTurn);
}

/// Announces those of this round that have not been yet, up to about `most` frames.
void AddressOwner::announce_due(TimePoint now, std::size_t most) {
  std::size_t frames = 0;
  for (auto& entry : entries_) {
    if (!entry.due) continue;
    if (frames >= most) {
      next_turn_ = now + kTurnGap;
      return;
    }
    entry.due = false;
    entry.waits = std::holds_alternative<AddressObject>(entry.object) && !is_settled(entry);
    if (!entry.waits) frames += announce(entry);
  }
  next_turn_ = kNever;
  next_round_ = std::max(next_round_, now + kTurnGap);
  forwards_.clear();
  if (adding() || now < claimed_at_ + config_->announce.delay) return;
  if (std::exchange(measuring_, false)) object_takes_ = (now - claimed_at_) / static_cast<int>(entries_.size());
}

/// Returns how many frames that took; none but for an address.
unsigned AddressOwner::announce(const Entry& entry) {
  const auto* held = std::get_if<AddressObject>(&entry.object);
  if (held == nullptr || entry.error != 0) return 0;
  const Interface* interface = kernel_.view().find(held->ifindex);
  if (interface == nullptr || !interface->ethernet) return 0;
  const IpAddress& address = held->prefix.address;
  unsigned frames = 0;
  const auto send = [&](std::span<const std::uint8_t> frame) {
    ++frames;
    if (const auto sent = wire_.announce(interface->index, frame); !sent)
      log(LogLevel::debug, "{}: {}", to_string(*held), sent.error().message);
  };
  if (address.family() == Family::ipv6) {
    const auto [known, is_new] = forwards_.try_emplace(interface->index, false);
    if (is_new) known->second = kernel_.forwards_ipv6(interface->name);
    send(unsolicited_na(interface->mac, address, known->second));
    return frames;
  }
  const AnnounceForm form = config_->announce.form;
  if (form != AnnounceForm::reply) send(gratuitous_arp(interface->mac, address, ArpForm::request));
  if (form != AnnounceForm::request) send(gratuitous_arp(interface->mac, address, ArpForm::reply));
  return frames;
}

}  // namespace vipd
