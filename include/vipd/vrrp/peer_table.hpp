/// PeerTable: the other nodes that send adverts for our VRID, and how their configuration differs.
///
/// Every sender of a valid advert has an entry. The entries are only shown, and no decision depends on them. An
/// attacker can invent any number of senders, so the table is small, and the sender that was silent longest is dropped.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vipd/vrrp/advert.hpp"

namespace vipd {

/// How a peer's list of addresses compares with ours.
enum class AddressMatch : std::uint8_t {
  same,  ///< the same addresses in the same order
  some,  ///< at least one of the first 16 addresses is ours
  none,  ///< none of the first 16 is ours: another group uses the same VRID
};

/// "same", "some", "none": as in the status JSON.
std::string_view to_string(AddressMatch match);

/// Compares two lists in linear time, so that a flood of long ones costs no more than its checksums.
AddressMatch compare(const AddressList& theirs, const AddressList& ours);

/// A sender, as its last advert showed it.
struct SeenPeer {
  IpAddress address;
  std::uint8_t priority = 0;  ///< 0 = the sender has resigned
  Duration interval = Duration::zero();
  AddressMatch addresses = AddressMatch::same;
  TimePoint heard{};
};

class PeerTable {
 public:
  static constexpr std::size_t kMost = 16;

  /// Notes an advert; returns the sender's previous entry.
  std::optional<SeenPeer> note(const SeenPeer& peer);
  std::span<const SeenPeer> peers() const { return peers_; }

 private:
  std::vector<SeenPeer> peers_;
};

}  // namespace vipd
