#include "vipd/node/claim_format.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace vipd {
namespace {

constexpr std::size_t kClaimPayload = kClaimSize - kRecordHead;

/// What the file begins with; the version of the claims is a part of the name.
constexpr std::array<char, 16> kClaimsMagic = {'v', 'i', 'p', 'd', ' ', 'c', 'l', 'a', 'i', 'm', 's', ' ', '3'};

/// What a claim begins with, in this machine's order of octets. Behind it stand three texts, each with a zero behind
/// it: the instance's name, its interface and the reason.
struct FixedPart {
  std::int64_t since, wait_ends, preempt_at;
  std::int32_t ifindex;
  std::uint8_t state, family, vrid, flags;
};
static_assert(sizeof(FixedPart) == 32 && std::is_trivially_copyable_v<FixedPart>);
constexpr std::uint8_t kVirtualMac = 1, kFit = 2;

std::int64_t nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint time_of(std::int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

template <typename T>
T from_octets(std::string_view octets) {
  T value;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

template <typename T>
std::string_view octets_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// The text before the next zero, without which the text goes on to the end.
std::string_view take_text(std::string_view& from) {
  const std::size_t size = std::min(from.find('\0'), from.size());
  const std::string_view text = from.substr(0, size);
  from.remove_prefix(std::min(size + 1, from.size()));
  return text;
}

bool is_state(std::uint8_t state) { return state <= static_cast<std::uint8_t>(ShownState::fault); }
bool is_family(std::uint8_t family) { return family <= static_cast<std::uint8_t>(Family::ipv6); }

/// Puts the claim of the record among `claims`, or takes one that has ended away. False if the record is no claim.
bool read_claim(const Record& record, NamedClaims& claims) {
  if (record.payload.size() != kClaimPayload) return false;
  const auto fixed = from_octets<FixedPart>(record.payload);
  if (!is_state(fixed.state) || !is_family(fixed.family)) return false;
  std::string_view texts = std::string_view(record.payload).substr(sizeof fixed);
  const std::string name(take_text(texts));
  claims.erase(name);
  if (record.mark == kNoClaim) return true;
  const std::string_view interface = take_text(texts), reason = take_text(texts);
  claims[name] = {.interface = std::string(interface),
                  .ifindex = fixed.ifindex,
                  .family = static_cast<Family>(fixed.family),
                  .vrid = fixed.vrid,
                  .virtual_mac = (fixed.flags & kVirtualMac) != 0,
                  .state = static_cast<ShownState>(fixed.state),
                  .until = time_of(static_cast<std::int64_t>(record.mark)),
                  .since = time_of(fixed.since),
                  .fit = (fixed.flags & kFit) != 0,
                  .reason = std::string(reason),
                  .wait = {.wait_ends = time_of(fixed.wait_ends), .preempt_at = time_of(fixed.preempt_at)}};
  return true;
}

// --- The file of vipd 0.1.0: a head of 256 octets, and records of that size.

constexpr std::array<char, 16> kOldMagic = {'v', 'i', 'p', 'd', ' ', 'c', 'l', 'a', 'i', 'm', 's', ' ', '2'};

struct OldHead {
  std::array<char, 16> magic;
  Store::Boot boot;
  std::array<char, kClaimSize - 32> unused;
};

/// Texts end with a zero.
struct OldClaim {
  std::int64_t until;  ///< not in `sum`; 0 = there is no claim
  std::int64_t since;
  std::uint64_t sum;
  std::int64_t wait_ends, preempt_at;
  std::int32_t ifindex;
  std::uint8_t state, family, vrid, virtual_mac, fit;
  std::array<char, 16> interface;
  std::array<char, 65> name;
  std::array<char, 122> reason;
};
static_assert(sizeof(OldHead) == kClaimSize && sizeof(OldClaim) == kClaimSize);

std::uint64_t sum_of(OldClaim claim) {
  claim.until = 0;
  claim.sum = 0;
  constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> kKey{};
  std::array<unsigned char, crypto_shorthash_BYTES> sum;
  crypto_shorthash(sum.data(), reinterpret_cast<const unsigned char*>(&claim), sizeof claim, kKey.data());
  std::uint64_t number = 0;
  static_assert(sizeof number == sum.size());
  std::memcpy(&number, sum.data(), sizeof number);
  return number;
}

template <std::size_t N>
std::string text_of(const std::array<char, N>& from) {
  return {from.data(), ::strnlen(from.data(), N)};
}

bool read_old_claim(const OldClaim& old, NamedClaims& claims) {
  if (old.until == 0) return true;
  if (old.sum != sum_of(old) || !is_state(old.state) || !is_family(old.family)) return false;
  claims[text_of(old.name)] = {.interface = text_of(old.interface),
                               .ifindex = old.ifindex,
                               .family = static_cast<Family>(old.family),
                               .vrid = old.vrid,
                               .virtual_mac = old.virtual_mac != 0,
                               .state = static_cast<ShownState>(old.state),
                               .until = time_of(old.until),
                               .since = time_of(old.since),
                               .fit = old.fit != 0,
                               .reason = text_of(old.reason),
                               .wait = {.wait_ends = time_of(old.wait_ends), .preempt_at = time_of(old.preempt_at)}};
  return true;
}

NamedClaims old_claims_in(std::string_view octets, const Store::Boot& boot, bool& complete) {
  NamedClaims claims;
  complete = octets.size() >= kClaimSize && octets.size() % kClaimSize == 0;
  if (!complete) return claims;
  const auto head = from_octets<OldHead>(octets);
  complete = head.magic == kOldMagic;
  if (!complete || head.boot != boot) return claims;
  while (complete && !(octets = octets.substr(kClaimSize)).empty())
    complete = read_old_claim(from_octets<OldClaim>(octets), claims);
  return claims;
}

}  // namespace

Record claims_head(const Store::Boot& boot) {
  std::string payload(kClaimsMagic.data(), kClaimsMagic.size());
  payload.append(octets_of(boot)).resize(kClaimPayload);
  return {std::move(payload)};
}

Record claim_record(const std::string& instance, const KeptClaim& claim) {
  const FixedPart fixed = {
      .since = nanoseconds(claim.since),
      .wait_ends = nanoseconds(claim.wait.wait_ends),
      .preempt_at = nanoseconds(claim.wait.preempt_at),
      .ifindex = claim.ifindex,
      .state = static_cast<std::uint8_t>(claim.state),
      .family = static_cast<std::uint8_t>(claim.family),
      .vrid = claim.vrid,
      .flags = static_cast<std::uint8_t>((claim.virtual_mac ? kVirtualMac : 0) | (claim.fit ? kFit : 0))};
  std::string payload(octets_of(fixed));
  for (const std::string* text : {&instance, &claim.interface, &claim.reason}) payload.append(*text).append(1, '\0');
  payload.resize(kClaimPayload);
  return {std::move(payload), claim_mark(claim.until)};
}

std::uint64_t claim_mark(TimePoint until) { return static_cast<std::uint64_t>(nanoseconds(until)); }

NamedClaims claims_in(const Records& file, const Store::Boot& boot, bool& complete) {
  complete = true;
  if (file.whole.empty() && file.rest.empty()) return {};
  if (file.whole.empty()) return old_claims_in(file.rest, boot, complete);
  NamedClaims claims;
  const Record& head = file.whole.front();
  complete = head.payload.size() == kClaimPayload && head.payload.starts_with(octets_of(kClaimsMagic));
  if (!complete || head != claims_head(boot)) return claims;
  for (const Record& record : std::span(file.whole).subspan(1)) complete &= read_claim(record, claims);
  complete &= file.ending == Ending::whole;
  return claims;
}

}  // namespace vipd
