/// AddressOwner: makes the kernel hold exactly what we should hold.
///
/// Desired, actual, repair: claim() wants all addresses, release() wants none; what the kernel's view says is the
/// actual; reconcile() puts right what differs, so an address that somebody deletes is back at once and without a
/// transition. An add that the kernel refuses is kept as failure(), which the VirtualRouter turns into a fault: nothing
/// is pretended. An address that was there before us is used and shown as foreign, and never removed.
///
/// Announcements follow the addresses (RFC 9568 8.1.2: never before the kernel has acknowledged): one at once, the rest
/// of the burst 20 ms apart, a second burst, then a slow refresh. Caller: VirtualRouter.
///
/// Not good yet: thousands of addresses are claimed and announced in one go, which delays other instances.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

class AddressOwner {
 public:
  /// One virtual address and what became of it.
  struct Entry {
    IpPrefix prefix;
    bool owned = false;    ///< added by us, ours to remove
    bool foreign = false;  ///< was on the interface before us
    int error = 0;         ///< errno of the last refused add
  };

  AddressOwner(Kernel& kernel, Wire& wire, const InstanceConfig& config);

  /// Adds all addresses to the interface, in one batch, and announces those that the kernel took.
  void claim(TimePoint now);
  /// Removes those that are ours. Nothing happens if none is held.
  void release();
  /// The view of the interface changed: re-adds what is missing.
  void reconcile(TimePoint now);

  /// When on_deadline() is due; kNever if not at all.
  TimePoint deadline() const;
  void on_deadline(TimePoint now);

  bool holding() const { return ifindex_ != 0; }
  /// "cannot add 192.0.2.10/24 to eth0: Permission denied": the first address that the kernel refused, if any.
  std::optional<std::string> failure() const;
  const std::vector<Entry>& entries() const { return entries_; }
  /// The kernel's view has the address on our interface, whoever added it.
  bool present(const IpAddress& address) const;

 private:
  /// Returns the kernel's errno for each.
  std::vector<int> add(const std::vector<Entry*>& missing, TimePoint now);
  void announce(const Interface& interface, const Entry& entry);
  void announce_all(TimePoint now);

  Kernel& kernel_;
  Wire& wire_;
  std::string interface_;
  AnnounceSettings announce_;
  std::vector<Entry> entries_;
  int ifindex_ = 0;  // where they are held; 0 = not claimed
  TimePoint claimed_at_{};
  TimePoint next_announcement_ = kNever;
  unsigned burst_left_ = 0;
  bool second_burst_ = false;
  TimePoint next_repair_{};  // not before
  bool repair_pending_ = false;
};

}  // namespace vipd
