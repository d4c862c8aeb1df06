#include "vipd/node/claim_store.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <systemd/sd-id128.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/state_file.hpp"

namespace vipd {
namespace {

/// What the file begins with; the version is a part of the name.
constexpr std::array<char, 16> kMagic = {'v', 'i', 'p', 'd', ' ', 'c', 'l', 'a', 'i', 'm', 's', ' ', '2'};

/// One size for all, so that none lies in two pages.
constexpr std::size_t kRecordSize = 256;

struct Head {
  std::array<char, 16> magic;
  std::array<std::uint8_t, 16> boot;
  std::array<char, kRecordSize - 32> unused;
};

/// As in the file, in this machine's order of octets. Texts end with a zero.
struct Record {
  std::int64_t until;  ///< changes by itself, so it is not in `sum`; 0 = there is no claim
  std::int64_t since;
  std::uint64_t sum;
  std::int64_t wait_ends, preempt_at;
  std::int32_t ifindex;
  std::uint8_t state, family, vrid, virtual_mac, fit;
  std::array<char, 16> interface;
  std::array<char, 65> name;
  std::array<char, 122> reason;
};
static_assert(sizeof(Head) == kRecordSize && sizeof(Record) == kRecordSize);

std::array<std::uint8_t, 16> this_boot() {
  sd_id128_t id{};
  if (sd_id128_get_boot(&id) < 0) id = {};
  std::array<std::uint8_t, 16> boot;
  std::ranges::copy(id.bytes, boot.begin());
  return boot;
}

template <std::size_t N>
void put_text(std::array<char, N>& into, std::string_view text) {
  std::ranges::copy(text.substr(0, N - 1), into.begin());
}

template <std::size_t N>
std::string text_of(const std::array<char, N>& from) {
  return {from.data(), ::strnlen(from.data(), N)};
}

std::int64_t nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }

std::uint64_t sum_of(Record record) {
  record.until = 0;
  record.sum = 0;
  constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> kKey{};
  std::array<unsigned char, crypto_shorthash_BYTES> sum;
  crypto_shorthash(sum.data(), reinterpret_cast<const unsigned char*>(&record), sizeof record, kKey.data());
  std::uint64_t number = 0;
  static_assert(sizeof number == sum.size());
  std::memcpy(&number, sum.data(), sizeof number);
  return number;
}

bool is_sound(const Record& record) {
  return record.sum == sum_of(record) && record.state <= static_cast<std::uint8_t>(ShownState::fault) &&
         record.family <= static_cast<std::uint8_t>(Family::ipv6);
}

Record to_record(const std::string& name, const KeptClaim& claim) {
  Record record{};
  record.until = nanoseconds(claim.until);
  record.since = nanoseconds(claim.since);
  record.wait_ends = nanoseconds(claim.wait.wait_ends);
  record.preempt_at = nanoseconds(claim.wait.preempt_at);
  record.ifindex = claim.ifindex;
  record.state = static_cast<std::uint8_t>(claim.state);
  record.family = static_cast<std::uint8_t>(claim.family);
  record.vrid = claim.vrid;
  record.virtual_mac = claim.virtual_mac ? 1 : 0;
  record.fit = claim.fit ? 1 : 0;
  put_text(record.interface, claim.interface);
  put_text(record.name, name);
  put_text(record.reason, claim.reason);
  record.sum = sum_of(record);
  return record;
}

KeptClaim to_claim(const Record& record) {
  return {.interface = text_of(record.interface),
          .ifindex = record.ifindex,
          .family = static_cast<Family>(record.family),
          .vrid = record.vrid,
          .virtual_mac = record.virtual_mac != 0,
          .state = static_cast<ShownState>(record.state),
          .until = TimePoint(Duration(record.until)),
          .since = TimePoint(Duration(record.since)),
          .fit = record.fit != 0,
          .reason = text_of(record.reason),
          .wait = {.wait_ends = TimePoint(Duration(record.wait_ends)),
                   .preempt_at = TimePoint(Duration(record.preempt_at))}};
}

template <typename T>
T from_octets(std::span<const char> octets) {
  T value;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

template <typename T>
std::span<const char> octets_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

ClaimStore::ClaimStore(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  read();
  begin_anew();
}

void ClaimStore::read() {
  const std::string text = read_state_file(path_);
  if (text.empty() || read_records(text)) return;
  entries_.clear();
  log_warning("{} is passed over, as it is damaged or of another version: no instance goes on where it was", path_);
}

bool ClaimStore::read_records(std::span<const char> text) {
  if (text.size() % kRecordSize != 0) return false;
  const Head head = from_octets<Head>(text);
  if (head.magic != kMagic) return false;
  if (head.boot != this_boot()) return true;  // nothing of it is of use
  for (std::size_t at = kRecordSize; at < text.size(); at += kRecordSize) {
    const Record record = from_octets<Record>(text.subspan(at));
    if (record.until == 0) continue;
    if (!is_sound(record)) return false;
    entries_[text_of(record.name)] = {.record = 0, .claim = to_claim(record)};
  }
  return true;
}

/// With what is known, in another file until that is whole.
void ClaimStore::begin_anew() {
  const std::string temporary = path_ + ".new";
  fd_ = create_state_file(temporary);
  put(octets_of(Head{.magic = kMagic, .boot = this_boot(), .unused = {}}), 0);
  std::size_t record = 0;
  for (auto& [name, entry] : entries_) {
    entry.record = ++record;
    write(entry, name);
  }
  if (rename_state_file(temporary, path_)) return;
  fd_ = Fd();
  ::unlink(path_.c_str());  // what it says would outlive its truth
}

void ClaimStore::put(std::span<const char> octets, std::size_t at) {
  if (path_.empty()) return;
  if (fd_ && ::pwrite(fd_.get(), octets.data(), octets.size(), static_cast<off_t>(at)) == std::ssize(octets)) return;
  if (!std::exchange(complained_, true))
    log_warning("cannot write {}: {}; a vipd that is started again may start afresh", path_, std::strerror(errno));
}

void ClaimStore::write(const Entry& entry, const std::string& name) {
  put(octets_of(to_record(name, *entry.claim)), entry.record * kRecordSize);
}

void ClaimStore::write_time(const Entry& entry, TimePoint until) {
  const std::int64_t time = nanoseconds(until);
  put(octets_of(time), entry.record * kRecordSize + offsetof(Record, until));
}

const KeptClaim* ClaimStore::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second.claim ? &*found->second.claim : nullptr;
}

void ClaimStore::keep(const std::string& name, const KeptClaim& claim) {
  const auto [known, is_new] = entries_.try_emplace(name, Entry{.record = entries_.size() + 1, .claim = {}});
  known->second.claim = claim;
  write(known->second, name);
}

void ClaimStore::extend(const std::string& name, TimePoint until) {
  const auto known = entries_.find(name);
  VIPD_ASSERT(known != entries_.end() && known->second.claim);
  known->second.claim->until = until;
  write_time(known->second, until);
}

void ClaimStore::drop(const std::string& name) {
  const auto known = entries_.find(name);
  if (known != entries_.end()) drop(known->second);
}

void ClaimStore::drop_all_but(const std::function<bool(const std::string&)>& stays) {
  for (auto& [name, entry] : entries_)
    if (!stays(name)) drop(entry);
}

void ClaimStore::drop(Entry& entry) {
  if (!entry.claim) return;
  entry.claim.reset();
  write_time(entry, TimePoint());
}

}  // namespace vipd
