// Any octets as a packet, by any rules: decode() and the second receiver in tests/support agree on it, and an encoded
// advert is decoded to the same advert.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fuzz/bytes.hpp"
#include "support/ipv6_packet.hpp"
#include "support/reference_receiver.hpp"
#include "vipd/base/assert.hpp"

using namespace vipd;
using namespace vipd::testing;
using fuzz::Bytes;

namespace {

const IpAddress kLocal[] = {*IpAddress::parse("192.0.2.1"), *IpAddress::parse("fe80::1")};
const IpAddress kPeer[] = {*IpAddress::parse("192.0.2.2"), *IpAddress::parse("fe80::2")};
const SimplePassword kPassword = simple_password("secret");

struct Rules {
  explicit Rules(Bytes& bytes) {
    const unsigned choice = bytes.octet();
    const bool v2 = (choice & 3) == 0, ipv4 = v2 || (choice & 1) == 0;
    rules.family = ipv4 ? Family::ipv4 : Family::ipv6;
    rules.version = v2 ? 2 : 3;
    rules.checksum = static_cast<ChecksumPolicy>((choice >> 2) % kChecksumPolicies);
    rules.vrid = 51;
    if (v2) rules.interval = std::chrono::seconds(1 + (choice >> 2) % 2);
    if (v2 && (choice & 0x10) != 0) rules.password = kPassword;
    peers[0] = {kPeer[!ipv4], bytes.octet()};
    rules.local = kLocal[!ipv4];
    if ((choice & 0x20) != 0) rules.peers = peers;
    if ((choice & 0x40) != 0) rules.own_sources = {&kLocal[!ipv4], 1};
  }
  UnicastPeer peers[1];
  ReceiveRules rules;
};

using Octets = std::span<std::uint8_t>;

void put16(Octets octets, std::size_t at, std::size_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint16_t complement(std::uint32_t sum) { return static_cast<std::uint16_t>(~checksum_fold(sum)); }

/// Repairs what a fuzzer hardly guesses: the frame of the packet, and checksums.
struct Repair {
  explicit Repair(Bytes& bytes) : what(bytes.octet()) {}

  void operator()(Octets datagram, const ReceiveRules& rules) const {
    const bool ipv4 = rules.family == Family::ipv4;
    const std::size_t fixed = ipv4 ? 20 : 40;
    if (datagram.size() < fixed + kVrrpHeaderSize) return;
    if ((what & 1) != 0) frame(datagram, rules);
    const std::size_t header = ipv4 ? std::max<std::size_t>(20, datagram[0] % 16 * 4u) : fixed;
    if (datagram.size() < header + kVrrpHeaderSize) return;
    if ((what & 2) != 0) message(datagram.subspan(header), datagram, rules);
    if (!ipv4 || (what & 4) == 0) return;
    put16(datagram, 10, 0);
    put16(datagram, 10, complement(checksum_add(0, datagram.first(header))));
  }

 private:
  void frame(Octets datagram, const ReceiveRules& rules) const {
    const bool ipv4 = rules.family == Family::ipv4;
    const IpAddress& destination = rules.peers.empty() ? vrrp_group(rules.family) : rules.local;
    datagram[0] = ipv4 ? 0x45 : 0x60;
    put16(datagram, ipv4 ? 2 : 4, ipv4 ? datagram.size() : datagram.size() - 40);
    datagram[ipv4 ? 9 : 6] = kVrrpProtocol;
    if (ipv4) put16(datagram, 6, 0);
    std::ranges::copy(destination.octets(), datagram.begin() + (ipv4 ? 16 : 24));
    if ((what & 8) != 0) datagram[ipv4 ? 8 : 7] = 255;
    if ((what & 16) != 0) std::ranges::copy(kPeer[!ipv4].octets(), datagram.begin() + (ipv4 ? 12 : 8));
  }

  void message(Octets message, Octets datagram, const ReceiveRules& rules) const {
    const bool ipv4 = rules.family == Family::ipv4;
    const std::size_t width = address_size(rules.family), tail = rules.version == 2 ? kAuthDataSize : 0;
    if ((what & 32) != 0) {
      message[0] = static_cast<std::uint8_t>(rules.version * 16 + 1);
      message[1] = rules.vrid;
      message[3] =
          static_cast<std::uint8_t>((message.size() - std::min(message.size(), kVrrpHeaderSize + tail)) / width);
    }
    put16(message, 6, 0);
    std::uint32_t sum = checksum_add(0, message);
    const std::size_t addresses = ipv4 ? 12 : 8;
    if ((what & 64) != 0 || !ipv4)
      sum += checksum_pseudo_header({rules.family, datagram.subspan(addresses, width)},
                                    {rules.family, datagram.subspan(addresses + width, width)}, kVrrpProtocol,
                                    message.size());
    put16(message, 6, complement(sum));
  }

  const unsigned what;
};

/// Checks that both receivers agree; the advert, if they accept it.
std::optional<Advert> compare(std::span<const std::uint8_t> datagram, const ReceiveRules& rules) {
  const auto ours = receive(datagram, rules);
  const ReferenceVerdict theirs = ReferenceReceiver(datagram, rules).judge();
  VIPD_ASSERT((ours ? "" : to_string(ours.error())) == theirs.refusal);
  if (!ours) return std::nullopt;
  VIPD_ASSERT(ours->version == rules.version && ours->vrid == rules.vrid && ours->password == rules.password);
  VIPD_ASSERT(ours->priority == theirs.priority && ours->interval.count() == theirs.interval_cs);
  VIPD_ASSERT((ours->checksum_form == ChecksumForm::pseudo_header) == theirs.pseudo_header);
  VIPD_ASSERT(std::ranges::equal(ours->addresses.octets(), theirs.addresses));
  return *ours;
}

/// Checks that the encoded advert is accepted and equal.
void check_way_back(const Advert& advert, const ReceiveRules& rules) {
  static std::uint8_t octets[kMaxAdvertSize];
  const bool unicast = !rules.peers.empty();
  const IpPacket packet{.source = kPeer[rules.family == Family::ipv6],
                        .destination = unicast ? rules.local : vrrp_group(rules.family),
                        .hop_limit = kVrrpHopLimit,
                        .payload = {octets, encode(advert, kPeer[rules.family == Family::ipv6],
                                                   unicast ? rules.local : vrrp_group(rules.family), octets)}};
  const auto back = decode(packet, rules);
  VIPD_ASSERT(back && back->version == advert.version && back->vrid == advert.vrid);
  VIPD_ASSERT(back->priority == advert.priority && back->interval == advert.interval);
  VIPD_ASSERT(back->password == advert.password);
  VIPD_ASSERT(std::ranges::equal(back->addresses.octets(), advert.addresses.octets()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const Rules chosen(bytes);
  const Repair repair(bytes);
  const auto given = bytes.rest();
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[given.size()]);  // reading must end at its end
  std::ranges::copy(given, copy.get());
  const Octets datagram(copy.get(), given.size());
  repair(datagram, chosen.rules);
  if (const auto advert = compare(datagram, chosen.rules)) check_way_back(*advert, chosen.rules);
  return 0;
}
