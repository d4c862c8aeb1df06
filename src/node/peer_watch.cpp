#include "vipd/node/peer_watch.hpp"

#include <algorithm>

namespace vipd {

PeerWatch::Findings PeerWatch::heard(const Advert& advert, const IpAddress& source, const Own& own, TimePoint now) {
  const SeenPeer peer{.address = source,
                      .priority = advert.priority,
                      .interval = advert.interval,
                      .addresses = compare(advert.addresses, own.addresses),
                      .heard = now};
  Findings findings{.lists_others = peer.addresses != AddressMatch::same};
  const auto before = peers_.note(peer);
  if (!before || before->interval != peer.interval) tell_interval(peer, own, findings, now);
  if (!before || before->addresses != peer.addresses) tell_addresses(peer, own, findings, now);
  if (peer.priority == kOwnerPriority) tell_owners(peer, own, findings, now);
  return findings;
}

/// RFC 9568 8.3.2, conformance C29; erratum 8298, conformance B17: the election decides.
void PeerWatch::tell_owners(const SeenPeer& peer, const Own& own, Findings& findings, TimePoint now) {
  const bool we_too = own.priority == kOwnerPriority;
  const auto other = std::ranges::find_if(peers_.peers(), [&](const SeenPeer& each) {
    return each.address != peer.address && each.priority == kOwnerPriority && now - each.heard < 3 * each.interval;
  });
  if (!we_too && other == peers_.peers().end()) return;
  findings.owner_conflict = true;
  if (owner_log_.passes(now))
    findings.warnings.push_back("two address owners: " + peer.address.to_string() + " has priority 255, and so " +
                                (we_too ? "have we" : "has " + other->address.to_string()));
}

void PeerWatch::tell_interval(const SeenPeer& peer, const Own& own, Findings& findings,
                              TimePoint now) {  // conformance B20
  if (peer.interval == own.config.advert_interval || !interval_log_.passes(now)) return;
  findings.warnings.push_back(peer.address.to_string() + " advertises every " + format_duration(peer.interval) +
                              ", we are configured for " + format_duration(own.config.advert_interval));
}

void PeerWatch::tell_addresses(const SeenPeer& peer, const Own& own, Findings& findings,
                               TimePoint now) {  // conformance B21
  if (peer.addresses == AddressMatch::same || !addresses_log_.passes(now)) return;
  const std::string sender = peer.address.to_string();
  if (peer.addresses == AddressMatch::some)
    findings.warnings.push_back(sender + " lists other addresses than we do, or in another order");
  else
    findings.warnings.push_back(sender + " uses our VRID " + std::to_string(own.config.vrid) +
                                " for other addresses; a group of its own needs a VRID of its own");
}

std::optional<std::string> PeerWatch::refused(Refusal refusal, const IpAddress& source, std::uint64_t count,
                                              TimePoint now) {
  if (refusal == Refusal::src_not_peer) last_stranger_ = source;
  if (refusal == Refusal::own_source) return std::nullopt;  // conformance B23: counted, silently
  if (!refusal_log_[refusal].passes(now)) return std::nullopt;
  return "refused an advert from " + source.to_string() + ": " + std::string(to_string(refusal)) + " (" +
         std::to_string(count) + " so far; at most one line a minute)";
}

}  // namespace vipd
