/// PeerWatch: observations of a virtual router about the other senders of its VRID.
///
/// Routers with another configuration are counted and logged, and never refused (RFC 9568 7.1). Refused packets are
/// counted and logged by kind. Each kind of line is logged once a minute, since an unknown source can provoke it. The
/// PeerWatch decides nothing; the caller logs the lines that it returns.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vipd/base/log_limit.hpp"
#include "vipd/config/config.hpp"
#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/peer_table.hpp"

namespace vipd {

class PeerWatch {
 public:
  /// The settings of this router, with which adverts are compared.
  struct Own {
    const InstanceConfig& config;
    AddressList addresses;      ///< the addresses that this router's adverts list
    std::uint8_t priority = 0;  ///< the priority in this router's adverts, 1..255
  };
  struct Findings {
    bool lists_others = false;    ///< true if the advert lists other addresses or another order
    bool owner_conflict = false;  ///< true if two nodes claim to own the addresses
    std::vector<std::string> warnings = {};
  };

  /// Notes an accepted advert.
  Findings heard(const Advert& advert, const IpAddress& source, const Own& own, TimePoint now);
  /// Notes a refused packet, the `count`th of its kind. Returns the warning that is due.
  std::optional<std::string> refused(Refusal refusal, const IpAddress& source, std::uint64_t count, TimePoint now);

  const PeerTable& peers() const { return peers_; }
  /// The source of the last packet that came from none of the configured peers.
  const std::optional<IpAddress>& last_stranger() const { return last_stranger_; }

 private:
  void tell_interval(const SeenPeer& peer, const Own& own, Findings& findings, TimePoint now);
  void tell_addresses(const SeenPeer& peer, const Own& own, Findings& findings, TimePoint now);
  void tell_owners(const SeenPeer& peer, const Own& own, Findings& findings, TimePoint now);

  PeerTable peers_;
  std::optional<IpAddress> last_stranger_;
  std::map<Refusal, LogLimit> refusal_log_;
  LogLimit interval_log_, addresses_log_, owner_log_;
};

}  // namespace vipd
