#include "vipd/vrrp/peer_table.hpp"

#include <algorithm>
#include <utility>

namespace vipd {
namespace {

constexpr std::size_t kCompared = 16;

bool contains(const AddressList& list, const IpAddress& address) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i] == address) return true;
  return false;
}

}  // namespace

std::string_view to_string(AddressMatch match) {
  switch (match) {
    case AddressMatch::same:
      return "same";
    case AddressMatch::some:
      return "some";
    case AddressMatch::none:
      return "none";
  }
  return "?";
}

AddressMatch compare(const AddressList& theirs, const AddressList& ours) {
  if (std::ranges::equal(theirs.octets(), ours.octets())) return AddressMatch::same;
  for (std::size_t i = 0; i < std::min(theirs.size(), kCompared); ++i)
    if (contains(ours, theirs[i])) return AddressMatch::some;
  return AddressMatch::none;
}

std::optional<SeenPeer> PeerTable::note(const SeenPeer& peer) {
  auto entry = std::ranges::find(peers_, peer.address, &SeenPeer::address);
  if (entry != peers_.end()) return std::exchange(*entry, peer);
  if (peers_.size() < kMost)
    peers_.push_back(peer);
  else
    *std::ranges::min_element(peers_, {}, &SeenPeer::heard) = peer;
  return std::nullopt;
}

}  // namespace vipd
