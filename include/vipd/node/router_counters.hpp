/// RouterCounters: the numbers of sent, received and refused adverts of one virtual router since the start of vipd.
#pragma once

#include <cstdint>
#include <map>

#include "vipd/vrrp/advert.hpp"

namespace vipd {

struct RouterCounters {
  std::uint64_t adverts_sent = 0;  ///< sent adverts; each counts once, however many peers get it
  std::uint64_t send_errors = 0;
  std::uint64_t adverts_received = 0;    ///< accepted adverts
  std::uint64_t addr_list_mismatch = 0;  ///< accepted adverts that list other addresses or another order
  std::uint64_t owner_conflict = 0;      ///< accepted adverts of a second owner of the addresses
  std::map<Refusal, std::uint64_t> adverts_refused;
  std::uint64_t transitions = 0;
};

}  // namespace vipd
