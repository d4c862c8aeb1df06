/// ClaimStore: who is Active here and until when peers believe so, for a vipd that is started again.
///
/// A vipd that dies leaves its addresses in the kernel. The next one may go on with them as long as no peer takes it
/// for dead, and must remove them otherwise; a file in the runtime directory tells it which. Each advert puts the time
/// forward (extend()), whatever ends the claim takes it away before anything else is done (drop()), so the file never
/// promises more than was true. Before a planned re-exec it has the other states, too, so that nothing seems to have
/// happened.
///
/// The file is an array of records of one size, each written with one pwrite(2) into one page: a process that is
/// killed leaves it whole, and nothing here waits for a disk. It begins with a version and the boot, since times of
/// CLOCK_BOOTTIME mean nothing to another one. A file of another version or a damaged one is passed over with a
/// message, and a full disk only means that the next vipd starts afresh. Callers: Supervisor reads it at its start, the
/// VirtualRouters write; `vipd --last-will` reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"
#include "vipd/node/event_log.hpp"
#include "vipd/os/fd.hpp"
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
  /// Reads what is at `path` and goes on with it; an empty path keeps everything in memory.
  explicit ClaimStore(std::string path = "");

  /// The claim of the instance `name`, or null.
  const KeptClaim* find(std::string_view name) const;
  /// `name` has at most 64 octets.
  void keep(const std::string& name, const KeptClaim& claim);
  /// It is good until then; it has to be there.
  void extend(const std::string& name, TimePoint until);
  void drop(const std::string& name);
  void drop_all_but(const std::function<bool(const std::string&)>& stays);

 private:
  struct Entry {
    std::size_t record;  // its place in the file; those of claims that were dropped remain theirs
    std::optional<KeptClaim> claim;
  };

  void read();
  bool read_records(std::span<const char> text);
  void begin_anew();
  void write(const Entry& entry, const std::string& name);
  void write_time(const Entry& entry, TimePoint until);
  void put(std::span<const char> octets, std::size_t at);
  void drop(Entry& entry);

  std::string path_;
  Fd fd_;
  bool complained_ = false;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace vipd
