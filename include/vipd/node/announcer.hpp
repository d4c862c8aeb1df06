/// Announcer: tells the network where the addresses of an Active router are, by ARP and neighbour advertisements.
///
/// Announcements follow the acknowledgement of the kernel (RFC 9568 8.1.2). They come in rounds: a burst, by default 5
/// rounds 20 ms apart, a second burst, then a slow refresh. When this node learns of a contender, a burst begins at
/// once, since clients may have believed the contender last. A further burst follows when the contender is silent. A
/// round sends a few dozen frames each millisecond and lets adverts through in between.
///
/// An address under duplicate address detection waits, and has a burst of its own when it is usable. The AddressOwner
/// owns the entries; the Announcer owns their members `rounds`, `due` and `waits`. Functions that announce return true
/// if they have ended a round.
#pragma once

#include <map>
#include <set>
#include <span>

#include "vipd/config/config.hpp"
#include "vipd/node/held_objects.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

class Announcer {
 public:
  using Entries = std::span<HeldEntry>;

  /// `config` outlives the announcer, and may point to other settings later.
  Announcer(Kernel& kernel, Wire& wire, const SharedInstance& config);

  /// The addresses have been claimed. Nothing is announced before the delay of the settings.
  void begin(TimePoint now);
  /// Nothing is announced until the next begin().
  void end();
  /// Nothing is announced before speak(), whatever is due.
  void hush() { is_quiet_ = true; }
  bool is_quiet() const { return is_quiet_; }
  bool speak(Entries entries, TimePoint now);
  /// Adopts the present settings.
  bool reconfigure(Entries entries, bool has_new, TimePoint now);

  /// Gives this entry a whole burst.
  void renew(HeldEntry& entry) const { entry.rounds = config_->announce.count; }
  /// The next round begins as soon as the delay of the settings is over.
  void hurry(TimePoint now);
  /// Adds the entry to the present round.
  static void join_round(HeldEntry& entry);
  /// True while a round is not over.
  bool in_round() const { return next_turn_ != kNever; }
  /// When go_on() is due; kNever outside of a round.
  TimePoint next_turn() const { return next_turn_; }
  /// Announces the due entries, up to about `most` frames.
  bool go_on(Entries entries, std::size_t most, TimePoint now);
  bool go_on(Entries entries, TimePoint now);

  /// Addresses that have become usable have a burst of their own.
  void look_for_usable(Entries entries, TimePoint now);
  /// Another node is or was Active: see AddressOwner::contested().
  bool contested(Entries entries, Duration quiet, TimePoint now);
  /// Announces these addresses at once, a whole burst of each.
  bool announce_again(Entries entries, const std::set<IpAddress>& addresses, TimePoint now);

  /// When the next announcement is due; kNever if none is.
  TimePoint deadline() const;
  /// Begins a round that is due.
  bool on_deadline(Entries entries, TimePoint now);

 private:
  static bool in_burst(Entries entries);
  TimePoint next_round(Entries entries, TimePoint now) const;
  bool start_round(Entries entries, TimePoint now);
  bool is_time(TimePoint now) const { return now >= next_round_ && !in_round(); }
  void begin_burst(Entries entries, TimePoint now);
  unsigned announce(const HeldEntry& entry);

  Kernel& kernel_;
  Wire& wire_;
  const SharedInstance& config_;
  TimePoint claimed_at_{};
  TimePoint next_round_ = kNever;
  TimePoint next_turn_ = kNever;  // when the present round goes on; kNever outside of a round
  bool is_quiet_ = false;         // true from hush() to speak()
  bool second_burst_ = false;     // true while the second burst is still to come
  TimePoint contested_at_{};      // when the other node was heard first
  TimePoint answer_at_ = kNever;  // when the burst after the other node's silence begins
  TimePoint answered_at_ = TimePoint::min();
  std::map<int, bool> forwards_{};  // whether an interface forwards IPv6, by index, during a round
};

}  // namespace vipd
