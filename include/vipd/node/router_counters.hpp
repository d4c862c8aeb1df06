/// RouterCounters: what one virtual router has sent, received and refused since vipd was started.
#pragma once

#include <cstdint>
#include <map>

#include "vipd/vrrp/advert.hpp"

namespace vipd {

struct RouterCounters {
  std::uint64_t adverts_sent = 0;  ///< an advert counts once, however many peers it went to
  std::uint64_t send_errors = 0;
  std::uint64_t adverts_received = 0;    ///< accepted, not refused
  std::uint64_t addr_list_mismatch = 0;  ///< accepted, but listing other addresses or another order
  std::uint64_t owner_conflict = 0;      ///< accepted, though both nodes say that they own the addresses
  std::map<Refusal, std::uint64_t> adverts_refused;
  std::uint64_t transitions = 0;
};

}  // namespace vipd
