/// AdvertPort: forms and sends the adverts of one virtual router, and says by what received ones are judged.
///
/// Adverts go to the VRRP group or to each unicast peer. The group's carry the virtual MAC where it is asked for
/// (RFC 9568 7.2). The wire says later what became of an advert, and the port counts that. `vipd --last-will` uses a
/// port of its own for its priority 0.
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

/// Where adverts leave.
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
  /// True when the last advert has left to a peer at least.
  bool last_has_left() const { return last_has_left_; }
  /// How often an advert has left so far, to whatever peer.
  std::uint64_t departures() const { return departures_; }
  /// True when peers may not have heard this node for as long as each of them waits at least (RFC 9568 6.1).
  bool is_silent(TimePoint now) const { return now >= heard_until_; }
  /// Adverts of a previous run are believed until then.
  void resume(TimePoint heard_until) { heard_until_ = heard_until; }

  /// What received adverts have to have. The result is a view of this port, of `local` and of `own_sources`.
  ReceiveRules rules(const std::optional<IpAddress>& local, std::span<const IpAddress> own_sources) const;
  /// Conformance B09: the port forms the IPv4 checksum as the last valid peer did. Returns what is to be logged.
  std::optional<std::string> follow_checksum(const Advert& advert, const IpAddress& source, TimePoint now);
  /// The addresses that adverts list, in their order.
  AddressList addresses() const { return {config_->family(), addresses_}; }

 private:
  void send_to(const IpAddress& destination, const Advert& advert, const AdvertSource& from, TimePoint now);
  void note(const Result<void>& sent, TimePoint now);

  Wire& wire_;
  RouterCounters& counters_;
  SharedInstance config_;
  std::vector<std::uint8_t> addresses_;  // in wire form
  ChecksumForm checksum_form_ = ChecksumForm::pseudo_header;
  std::optional<SimplePassword> password_;
  bool last_has_left_ = false;
  std::uint64_t departures_ = 0;
  TimePoint heard_until_{};  // three intervals after the last advert that left
  LogLimit send_log_, checksum_log_;
};

}  // namespace vipd
