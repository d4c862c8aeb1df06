/// RefusedAddresses: drops packets to addresses with accept = false, by nf_tables.
///
/// One table "vipd" of family inet has a set for each family, and a chain at each of the hooks input and forward. ARP
/// does not pass this table; neighbour solicitations and advertisements are accepted (RFC 9568 6.1, Accept_Mode). The
/// table belongs to vipd's socket (NFT_TABLE_F_OWNER, Linux 5.12). So no other process can change it, `nft flush
/// ruleset` leaves it alone, and it disappears with the process. The table exists while an address is refused. The
/// kernel works in the caller's context, so its answers are there when a send returns.
///
/// Not good yet: the first vipd of a network namespace takes the table's name. A second vipd there cannot refuse
/// addresses and says so.
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
  /// Refuses these addresses, too; an empty list only tests whether that is possible. After an error none of them
  /// counts as refused.
  Result<void> add(std::span<const IpAddress> addresses);
  /// Accepts these addresses again. The table goes with the last refused address.
  Result<void> remove(std::span<const IpAddress> addresses);

 private:
  Result<void> open();
  Result<void> change_elements(std::uint16_t type, std::span<const IpAddress> addresses);
  Result<void> commit(std::vector<char> messages);

  Fd socket_;
  unsigned sequence_ = 0;
  std::set<IpAddress> refused_;
  bool table_ = false;  // true while the table exists
  bool works_ = false;  // true once the table has been created
};

}  // namespace vipd
