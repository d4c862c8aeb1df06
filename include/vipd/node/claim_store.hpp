/// ClaimStore: who is Active here and until when peers believe so, for a vipd that is started again.
///
/// A vipd that dies leaves its addresses in the kernel. The next one may go on with them as long as no peer takes it
/// for dead, and must remove them otherwise; a file in the runtime directory tells it which. Each advert puts the time
/// forward (extend()), whatever ends the claim takes it away before anything else is done (drop()), so the file never
/// promises more than was true. Before a planned re-exec it has the other states, too, so that nothing seems to have
/// happened.
///
/// Each claim is a record of one size, and its mark is the time. So an advert writes eight octets in place
/// (docs/decisions/0010), and nothing here waits for a disk. The file begins with the boot, since times of
/// CLOCK_BOOTTIME mean nothing in another one. A damaged claim, and all behind it, is passed over with a message. On a
/// full disk the claims that have no room yet are missing, so their instances start afresh. They are written as soon as
/// there is room. Where the file cannot be kept true, it is removed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"
#include "vipd/node/event_log.hpp"
#include "vipd/os/store.hpp"
#include "vipd/vrrp/election.hpp"

namespace vipd {

/// An instance as it was left.
struct KeptClaim {
  // Whose it is: only the same virtual router on the same interface may go on.
  std::string interface;  ///< at most 15 octets
  int ifindex = 0;
  Family family = Family::ipv4;
  std::uint8_t vrid = 0;
  bool virtual_mac = false;

  ShownState state = ShownState::active;
  TimePoint until{};   ///< not to be taken up at this time or later
  TimePoint since{};   ///< in this state
  bool fit = true;     ///< no check had failed
  std::string reason;  ///< why it is in this state; what is too long is cut
  Start wait = {};     ///< of a Backup: what its election goes on with

  /// The longest time that a claim can be good for: three intervals of VRRPv2.
  static constexpr auto kLongest = std::chrono::seconds(3 * 255);
  /// No peer takes it for dead by `now` plus `margin`; a time that no vipd can have written is none.
  bool is_good(TimePoint now, Duration margin = Duration::zero()) const {
    return now + margin < until && until <= now + kLongest;
  }

  friend bool operator==(const KeptClaim&, const KeptClaim&) = default;
};

class ClaimStore {
 public:
  /// Keeps everything in this process alone.
  ClaimStore() = default;
  /// Reads the file `name` and goes on with it. The Store outlives this.
  ClaimStore(Store& store, std::string name);

  /// The claim of the instance, or null.
  const KeptClaim* find(std::string_view instance) const;
  /// `instance` has at most 64 octets.
  void keep(const std::string& instance, const KeptClaim& claim);
  /// It is good until then; it has to be there.
  void extend(const std::string& instance, TimePoint until);
  void drop(const std::string& instance);
  void drop_all_but(const std::function<bool(const std::string&)>& stays);

 private:
  struct Entry {
    std::optional<std::size_t> at;  // its place in the file, which stays its own after drop()
    std::optional<KeptClaim> claim;
  };

  void begin_anew();
  void give_up(const Error& error);
  void write(const std::string& instance, Entry& entry);
  void drop(Entry& entry);

  Store* store_ = nullptr;
  std::string name_;
  std::unique_ptr<Store::File> file_;
  Loss loss_{"a vipd that is started again may start afresh"};
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace vipd
