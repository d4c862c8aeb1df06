/// AdvertPort: forms and sends the adverts of one virtual router, and has the rules that judge received adverts.
///
/// Adverts go to the VRRP group or to each unicast peer. With `virtual_mac`, an advert to the group carries the virtual
/// MAC (RFC 9568 7.2). The wire reports later whether an advert was sent, and the port counts errors. The last
/// will resigns by a port of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vipd/base/log_limit.hpp"
#include "vipd/config/config.hpp"
#include "vipd/node/router_counters.hpp"
#include "vipd/os/wire.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd {

/// The interface and address from which adverts leave.
struct AdvertSource {
  int ifindex = 0;
  IpAddress address;
};

class AdvertPort {
 public:
  /// Counts into `counters`, which has to outlive the port, as has `wire`.
  AdvertPort(Wire& wire, RouterCounters& counters, SharedInstance config);
  AdvertPort(const AdvertPort&) = delete;
  AdvertPort& operator=(const AdvertPort&) = delete;

  void reconfigure(SharedInstance config);

  /// Sends one advert. Failures are counted, and logged once a minute.
  void send(std::uint8_t priority, const AdvertSource& from, TimePoint now);
  /// True if the last advert has left to at least one peer.
  bool last_has_left() const { return last_has_left_; }
  /// How often an advert has left so far, to any peer.
  std::uint64_t departures() const { return departures_; }
  /// True if peers may not have heard this node for the shortest Active_Down_Interval (RFC 9568 6.1).
  bool is_silent(TimePoint now) const { return now >= heard_until_; }
  /// Peers wait until `heard_until` after the adverts of a previous run.
  void resume(TimePoint heard_until) { heard_until_ = heard_until; }

  /// The rules that judge received adverts. The result refers to this port, to `local` and to `own_sources`.
  ReceiveRules rules(const std::optional<IpAddress>& local, std::span<const IpAddress> own_sources) const;
  /// Conformance B09: the port forms the IPv4 checksum as the last valid peer did. Returns a line for the log.
  std::optional<std::string> follow_checksum(const Advert& advert, const IpAddress& source, TimePoint now);
  /// The addresses that adverts list, in their order.
  AddressList addresses() const { return {config_->family(), addresses_}; }

 private:
  void send_to(const IpAddress& destination, const Advert& advert, const AdvertSource& from, TimePoint now);
  void note(const Result<void>& sent, TimePoint now);

  Wire& wire_;
  RouterCounters& counters_;
  SharedInstance config_;
  std::vector<std::uint8_t> addresses_;  // the virtual addresses in wire form
  ChecksumForm checksum_form_ = ChecksumForm::pseudo_header;
  std::optional<SimplePassword> password_;
  bool last_has_left_ = false;
  std::uint64_t departures_ = 0;
  TimePoint heard_until_{};  // three intervals after the last advert that left
  LogLimit send_log_, checksum_log_;
};

}  // namespace vipd
