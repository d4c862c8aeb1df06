/// RefusedAddresses: packets to these addresses are not taken in (accept = false), by nf_tables.
///
/// One table "vipd" of family inet with a set for each family and a chain at the hooks input and forward. ARP is not
/// seen by it, and neighbour solicitations and advertisements pass (RFC 9568 6.1, Accept_Mode). The table belongs to
/// our socket (NFT_TABLE_F_OWNER, Linux 5.12): nobody else can change it, `nft flush ruleset` leaves it alone, and it
/// goes when the process goes, however that ends. It exists for as long as an address is refused. The kernel works in
/// the caller's context, so the answers are there when a send returns. Caller: RtnlKernel.
///
/// Not good yet: the name is taken by the first vipd of a network namespace; a second one there cannot refuse anything
/// and says so.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

class RefusedAddresses {
 public:
  /// Refuses these, too; none at all only tries whether that is possible. After an error none of
  /// them counts as refused.
  Result<void> add(std::span<const IpAddress> addresses);
  /// No longer refuses these. The table goes with the last one.
  Result<void> remove(std::span<const IpAddress> addresses);

 private:
  Result<void> open();
  Result<void> change_elements(std::uint16_t type, std::span<const IpAddress> addresses);
  Result<void> commit(std::vector<char> messages);

  Fd socket_;
  unsigned sequence_ = 0;
  std::set<IpAddress> refused_;
  bool table_ = false;  // it exists
  bool works_ = false;  // it once did
};

}  // namespace vipd
