/// AddressOwner: makes the kernel hold exactly what we should hold.
///
/// Addresses, the routes that need them, the rules that lead there; added in this order and removed in the reverse.
/// Desired, actual, repair: claim() wants all of them, release() wants none; what the kernel's view says is the actual;
/// reconcile() puts right what differs, so what somebody deletes is back at once and without a transition. An add that
/// the kernel refuses is kept as failure(), which the VirtualRouter turns into a fault: nothing is pretended. What was
/// there before us is used and shown as foreign, and never removed. Nothing of a claim is announced in which the kernel
/// refused something. An entry with track = false whose interface cannot have it is no failure: it is added when it
/// can.
///
/// With nodad = false the kernel looks for another host that has the address, and the address is announced when it is
/// usable. If another host still has it some advert intervals after the claim (DuplicateWatch), that is a failure().
///
/// With virtual_mac the addresses live on a device of their own, which is up while they are held (VirtualMac). With
/// accept = false the kernel refuses packets to them from before they appear until after they are gone (RFC 9568 6.1).
///
/// Addresses are announced once the kernel has acknowledged them (Announcer). The first few dozen of a claim are there
/// when claim() returns and announced by announce_claim(); the others follow in turns (adding()), so that adverts get
/// through in between.
///
/// The peer that takes over needs the same time. It speaks when it has the first few dozen, and clients would find the
/// others nowhere if this node released everything then. So let_go() removes many objects at the pace at which the peer
/// adds them (Departure, note_taken()). Routes and rules go behind the addresses that may need them. Few objects go at
/// once. So do those with a virtual MAC: all of them move with that MAC, when the peer speaks. After a fault
/// (release()) many objects go in turns as well, in the same order and without a pause, so that the adverts of other
/// instances are not late. So do many objects that a new configuration no longer asks for (Removals).
///
/// Not good yet: many objects with a virtual MAC are released in one go, which delays other instances. The peer of a
/// virtual MAC with many addresses should have all of them before it speaks. A foreign route or rule that
/// vanishes is noticed with the next change or announcement only, since the view does not have it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/node/announcer.hpp"
#include "vipd/node/departure.hpp"
#include "vipd/node/duplicate_watch.hpp"
#include "vipd/node/held_entries.hpp"
#include "vipd/node/removals.hpp"
#include "vipd/node/virtual_mac.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

class AddressOwner {
 public:
  using Entry = HeldEntry;

  /// `config` outlives it, and may be another one later: see reconfigure().
  AddressOwner(Kernel& kernel, Wire& wire, const SharedInstance& config);
  AddressOwner(Kernel& kernel, Wire& wire, SharedInstance&& config) = delete;  // would be gone at once

  /// What a claim will need can be had: the device of the virtual MAC, nf_tables. Makes the device. Says why not.
  Result<void> prepare();
  /// Adds everything, or begins to. Nothing is announced before announce_claim().
  void claim(TimePoint now);
  /// Nothing stands in the way of what was claimed: announces the addresses that the kernel took.
  void announce_claim(TimePoint now);
  /// Takes everything for held that the kernel has and that an earlier vipd added, and announces it again.
  void resume(TimePoint now);
  /// Removes those that are ours, as fast as the kernel does it: many of them in turns, see letting_go(). Nothing
  /// happens if there are none.
  void release();
  /// Removes those that are ours while a peer adds them: see letting_go(). Nothing happens if none is held.
  void let_go(TimePoint now);
  /// Takes back what prepare() made; nothing is held any more.
  void withdraw();
  /// The configuration has changed. While its things are held, what is gone is removed, what is new is added and has a
  /// burst of its own, and the rest is not touched.
  void reconfigure(TimePoint now);
  /// The view changed: re-adds what is missing, removes what is not to be held.
  void reconcile(TimePoint now);
  /// Another node said that it is or was Active, while this node is and goes on to be: announces at once, and again
  /// when the other node has been silent for `quiet`. Begins one burst a second at most.
  void contested(Duration quiet, TimePoint now);
  /// Announces these addresses at once, a whole burst of each.
  void announce_again(const std::set<IpAddress>& addresses, TimePoint now);
  /// Whether the address is held on this interface.
  bool holds(const IpAddress& address, int ifindex) const {
    return holding() && have_address(entries_, address, ifindex);
  }
  /// The peer that takes over has announced this address: it has those before it, too.
  void note_taken(const IpAddress& address, TimePoint now);
  /// Adds the addresses that are held or let go, on interfaces where others may announce them.
  void add_watched(WatchedAddresses& watched) const {
    if (holding() || letting_go()) add_watched_of(entries_, kernel_.view(), watched);
  }
  /// Whether a change of these interfaces, or of the routes and rules (an empty name), concerns what is held here.
  bool is_concerned(const std::vector<std::string>& interfaces) const { return are_concerned(entries_, interfaces); }

  /// When on_deadline() is due; kNever if not at all.
  TimePoint deadline() const;
  void on_deadline(TimePoint now);

  bool holding() const { return holding_; }
  /// True after a claim, until announce_claim(): nothing is announced.
  bool quiet() const { return announcer_.is_quiet(); }
  /// Some of what is to be held has not been added yet.
  bool adding() const { return next_addition_ != kNever; }
  /// Nothing is to be held any more, and some of what was held is still there: for a peer that takes over, or since it
  /// goes in turns.
  bool letting_go() const { return departure_.has_value(); }
  /// Each address that is to be held is usable, as far as duplicate address detection can tell.
  bool settled() const { return all_settled(entries_, kernel_.view()); }
  /// Nothing is left of what is not to be held.
  bool clear() const { return removals_.stuck().empty() && removals_.leaving() == 0 && !letting_go(); }
  /// The objects that the kernel has refused to remove so far. The removal is tried again until they are gone.
  const std::vector<KernelObject>& stuck() const { return removals_.stuck(); }
  /// "cannot add 192.0.2.10/24 on eth0: Permission denied": the first that the kernel refused, if any; or what stood
  /// in the way before that.
  std::optional<std::string> failure() const;
  /// Forgets the refusals of the last claim, since the kernel may decide otherwise now.
  void forget_refusals();
  const std::vector<Entry>& entries() const { return entries_; }
  /// True while the kernel has the object, added by vipd or not. An address has to be usable, and its interface up.
  bool present(const Entry& entry) const;
  /// Why an entry is not present, as far as it is known.
  std::optional<std::string> trouble(const Entry& entry) const;

 private:
  Result<void> make_ready();
  bool begin(TimePoint now);
  bool raise_again();
  void locate();
  void remove_some(std::size_t most);
  std::size_t owned() const;
  void begin(const Departure& departure);
  void finish_release();
  void let_some_go();
  TimePoint next_departure() const;
  void stand_by();
  void remove_strays(TimePoint now);
  std::vector<int> add(const std::vector<Entry*>& missing, TimePoint now);
  void put_back(const std::vector<Entry*>& missing, TimePoint now);
  void add_new(const std::vector<Entry*>& entries, TimePoint now);
  std::vector<Entry*> add_queued(std::size_t most, TimePoint now);
  void go_on_adding(TimePoint now);
  void judge_duplicates(TimePoint now);
  void detect_again(const std::vector<Entry*>& duplicates, TimePoint now);
  bool is_held(const KernelObject& object) const;
  TimePoint other_deadline() const;
  void note_round(bool ended, TimePoint now);

  Kernel& kernel_;
  const SharedInstance& config_;
  Announcer announcer_;
  std::unique_ptr<VirtualMac> virtual_mac_;  // null without one
  std::vector<IpAddress> refused_;           // all of ours, if packets to them are not taken in
  std::optional<std::string> obstacle_;
  std::vector<Entry> entries_;
  int device_ = 0;  // where the addresses are by default, as the entries have it
  bool holding_ = false;
  TimePoint claimed_at_{};
  std::optional<Departure> departure_;  // set while letting go
  bool measuring_ = false;  // true while a claim of many objects goes on, until all are announced for the first time
  Duration object_takes_;   // time of the last such claim, divided by the number of objects
  TimePoint next_addition_ = kNever;
  TimePoint next_repair_{};  // not before
  bool repair_pending_ = false;
  DuplicateWatch duplicates_;
  Removals removals_;
};

}  // namespace vipd
