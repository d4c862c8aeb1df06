/// Reason: why a router's state is as it is, with the peer and the numbers that decided. A value until it is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vipd/base/ip.hpp"
#include "vipd/base/time.hpp"

namespace vipd {

/// The states of RFC 9568 6.4.
enum class State : std::uint8_t { initialize, backup, active };

/// "initialize", "backup", "active".
std::string_view to_string(State state);

/// A router as its adverts show it.
struct Peer {
  IpAddress address;
  std::uint8_t priority = 0;
  friend bool operator==(const Peer&, const Peer&) = default;
};

/// What led to a change of state.
enum class Why : std::uint8_t {
  started,          ///< took up service, listens first
  owner,            ///< priority 255 does not wait (RFC 9568 6.4.1)
  silence,          ///< no advert for Active_Down_Interval
  preempted,        ///< heard an Active router of lower priority only, for Active_Down_Interval
  peer_resigned,    ///< the Active router said priority 0
  higher_priority,  ///< heard a higher priority
  higher_address,   ///< same priority, greater address
  group,            ///< another member of the sync group has lost
  stopped,          ///< planned stop
  fault,            ///< cannot serve; the Standing knows the cause
  stalled,          ///< was Active and did not run for longer than peers wait
};

/// Why the state is as it is.
struct Reason {
  Why why = Why::started;
  std::optional<Peer> peer;            ///< the router that decided it; nullopt where no peer did
  std::uint8_t priority = 0;           ///< our own at that time
  Duration waited = Duration::zero();  ///< since that peer was last heard
  friend bool operator==(const Reason&, const Reason&) = default;
};

/// A sentence for humans: "no advert from 192.0.2.2 (priority 254) for 3.008s".
std::string to_string(const Reason& reason);

}  // namespace vipd
