/// PeerTable: who else speaks for our VRID, and what they have configured differently.
///
/// Every sender of a valid advert has an entry; nobody decides by it, it is there to be shown. A stranger can make up
/// as many senders as it likes, so the table is small and the one that was silent the longest makes room. Caller:
/// VirtualRouter.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vipd/vrrp/advert.hpp"

namespace vipd {

/// How a list of addresses compares with ours.
enum class AddressMatch : std::uint8_t {
  same,  ///< also in order
  some,  ///< at least one of their first 16 is ours
  none,  ///< another group that took the same VRID
};

/// "same", "some", "none": as in the status JSON.
std::string_view to_string(AddressMatch match);

/// Compares two lists in linear time, so that a flood of long ones costs no more than its checksums.
AddressMatch compare(const AddressList& theirs, const AddressList& ours);

/// A sender as its last advert showed it.
struct SeenPeer {
  IpAddress address;
  std::uint8_t priority = 0;  ///< 0 = has resigned
  Duration interval = Duration::zero();
  AddressMatch addresses = AddressMatch::same;
  TimePoint heard{};
};

class PeerTable {
 public:
  static constexpr std::size_t kMost = 16;

  /// Notes an advert; returns what was known of its sender before.
  std::optional<SeenPeer> note(const SeenPeer& peer);
  std::span<const SeenPeer> peers() const { return peers_; }

 private:
  std::vector<SeenPeer> peers_;
};

}  // namespace vipd
