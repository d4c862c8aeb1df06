/// ReferenceReceiver: the reception rules of RFC 9568 7.1 and RFC 3768 7.1 written a second time, to compare with
/// decode().
///
/// It was written from the RFCs and conformance rows A10 and B22, not from src/vrrp/advert.cpp, and by other means. It
/// reads octets by their position in the datagram, and verifies checksums by the remainder modulo 0xffff. It shares
/// only the ReceiveRules, which are input. Nothing here allocates, so a fuzzer can call it often.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "vipd/vrrp/advert.hpp"

namespace vipd::testing {

/// The verdict on a datagram: a refusal by the name of its counter ("" = accepted), or the fields.
struct ReferenceVerdict {
  std::string_view refusal;
  int priority = 0, interval_cs = 0;
  bool pseudo_header = false;
  std::span<const std::uint8_t> addresses = {};
};

class ReferenceReceiver {
 public:
  using Octets = std::span<const std::uint8_t>;

  /// `datagram` begins with the IP header; for IPv6 only the fixed header precedes the message.
  ReferenceReceiver(Octets datagram, const ReceiveRules& rules) : all_(datagram), rules_(rules) {}

  ReferenceVerdict judge() {
    for (const auto part : {is_ipv4() ? &ReferenceReceiver::ipv4 : &ReferenceReceiver::ipv6, &ReferenceReceiver::peers,
                            &ReferenceReceiver::message})
      if (const std::string_view refusal = (this->*part)(); !refusal.empty()) return {.refusal = refusal};
    return verdict_;
  }

 private:
  bool is_ipv4() const { return rules_.family == Family::ipv4; }
  bool is_unicast() const { return !rules_.peers.empty(); }
  static int word(Octets octets, std::size_t at) { return octets[at] * 256 + octets[at + 1]; }
  static bool same(Octets a, Octets b) { return std::ranges::equal(a, b); }

  static std::uint64_t sum(Octets octets) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) total += octets[i] * (i % 2 == 0 ? 256ULL : 1ULL);
    return total;
  }
  /// RFC 1071: data with its checksum adds up to one's complement zero, with all bits set.
  static bool is_right(std::uint64_t total) { return total != 0 && total % 0xffff == 0; }

  /// RFC 791; row A10.
  std::string_view ipv4() {
    if (all_.size() < 20) return "ip_short";
    if (all_[0] / 16 != 4) return "ip_version";
    const int header = all_[0] % 16 * 4, total = word(all_, 2);
    if (header < 20 || header > total || static_cast<std::size_t>(total) > all_.size()) return "ip_len";
    if (!is_right(sum(all_.first(static_cast<std::size_t>(header))))) return "ip_checksum";
    const bool more_fragments = (all_[6] & 0x20) != 0;
    if (more_fragments || word(all_, 6) % 0x2000 != 0) return "ip_fragment";
    if (all_[9] != 112) return "ip_proto";
    hops_ = all_[8];
    source_ = all_.subspan(12, 4);
    destination_ = all_.subspan(16, 4);
    message_ = all_.first(static_cast<std::size_t>(total)).subspan(static_cast<std::size_t>(header));
    return "";
  }

  /// RFC 8200 3.
  std::string_view ipv6() {
    if (all_.size() < 40) return "ip_short";
    if (all_[0] / 16 != 6) return "ip_version";
    if (static_cast<std::size_t>(word(all_, 4)) + 40 > all_.size()) return "ip_len";
    if (all_[6] != 112) return "ip_proto";
    hops_ = all_[7];
    source_ = all_.subspan(8, 16);
    destination_ = all_.subspan(24, 16);
    message_ = all_.subspan(40, static_cast<std::size_t>(word(all_, 4)));
    return "";
  }

  static bool is_zero_up_to(Octets octets, std::size_t end) {
    return std::ranges::all_of(octets.first(end), [](int octet) { return octet == 0; });
  }
  static bool starts_link_local(Octets octets) { return octets[0] == 0xfe && octets[1] / 64 == 2; }  // fe80::/10

  bool can_be_a_source() const {
    if (is_ipv4()) {  // not 0/8, 127/8, 224/4, 255.255.255.255
      const auto number =
          static_cast<std::uint32_t>(word(source_, 0)) * 65536 + static_cast<unsigned>(word(source_, 2));
      return number != 0 && number >> 24 != 127 && number >> 28 != 14 && number != 0xffffffff;
    }
    if (!is_unicast()) return starts_link_local(source_);  // RFC 9568 5.1.2.1
    const bool zero_or_one = is_zero_up_to(source_, 15) && source_[15] <= 1;
    return !zero_or_one && source_[0] != 0xff;
  }

  /// Checks source, destination and distance: RFC 9568 5.1.1 and 5.1.2. For unicast the list of peers replaces the
  /// group.
  std::string_view peers() {
    static constexpr std::uint8_t kGroup4[] = {224, 0, 0, 18};
    static constexpr std::uint8_t kGroup6[] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12};
    const Octets group = is_ipv4() ? Octets(kGroup4) : Octets(kGroup6);
    if (!same(destination_, is_unicast() ? rules_.local.octets() : group)) return "dst";
    int least = is_unicast() ? 0 : 255;
    bool known = !is_unicast(), own = false;
    for (const UnicastPeer& peer : rules_.peers)
      if (same(peer.address.octets(), source_) && !known) {
        known = true;
        least = peer.min_hop_limit;
      }
    for (const IpAddress& address : rules_.own_sources) own |= same(address.octets(), source_);
    if (hops_ < least) return "ttl";
    if (!can_be_a_source()) return "src";
    if (own) return "own_source";
    return known ? "" : "src_not_peer";
  }

  bool checksum_is_right() {
    const std::uint64_t alone = sum(message_);
    const std::uint64_t with = alone + sum(source_) + sum(destination_) + 112 + message_.size();
    const bool v2 = rules_.version == 2;
    const bool may_with = !v2 && (!is_ipv4() || rules_.checksum != ChecksumPolicy::rfc9568);
    const bool may_alone = v2 || (is_ipv4() && rules_.checksum != ChecksumPolicy::pseudo_header);
    verdict_.pseudo_header = may_with && is_right(with);
    return verdict_.pseudo_header || (may_alone && is_right(alone));
  }

  /// RFC 9568 7.1 with errata 8299, 8300, 8301; RFC 3768 7.1.
  std::string_view message() {
    const std::size_t size = message_.size(), width = is_ipv4() ? 4 : 16, tail = rules_.version == 2 ? 8 : 0;
    if (size < 8) return "vrrp_short";
    if (message_[0] / 16 != rules_.version) return "version";
    if (message_[0] % 16 != 1) return "type";
    const std::size_t count = message_[3];
    if (count == 0) return "count_zero";
    if (size != 8 + width * count + tail) return "length";
    if (!checksum_is_right()) return "checksum";
    if (message_[1] != rules_.vrid) return "vrid";
    verdict_.priority = message_[2];
    verdict_.addresses = message_.subspan(8, width * count);
    return rules_.version == 2 ? version_2() : version_3();
  }

  std::string_view version_2() {
    if (message_[4] != (rules_.password.has_value() ? 1 : 0)) return "auth_type";
    if (rules_.password && !same(message_.last(8), *rules_.password)) return "auth_data";
    if (message_[5] == 0) return "interval_zero";
    verdict_.interval_cs = message_[5] * 100;
    return verdict_.interval_cs == rules_.interval.count() ? "" : "interval_mismatch";
  }

  std::string_view version_3() {
    verdict_.interval_cs = word(message_, 4) % 4096;
    if (verdict_.interval_cs == 0) return "interval_zero";
    return !is_ipv4() && !starts_link_local(verdict_.addresses) ? "first_not_linklocal" : "";
  }

  const Octets all_;
  const ReceiveRules& rules_;
  int hops_ = 0;
  Octets source_, destination_, message_;
  ReferenceVerdict verdict_;
};

}  // namespace vipd::testing
