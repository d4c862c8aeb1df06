#include "vipd/base/record.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "vipd/base/assert.hpp"

namespace vipd {
namespace {

constexpr std::array<char, 4> kRecordMagic = {'v', 'i', 'p', 'd'};
constexpr std::uint32_t kRecordVersion = 1;
constexpr std::uint32_t kReversedPolynomial = 0x82F63B78;

/// The head of a record as in the file. The fields lie without gaps, so the structure is copied as a whole.
struct Head {
  std::array<char, 4> magic = kRecordMagic;
  std::uint32_t version = kRecordVersion;
  std::uint64_t mark = 0;
  std::uint32_t length = 0, head_sum = 0, payload_sum = 0;
};
static_assert(offsetof(Head, mark) == kMarkAt && offsetof(Head, payload_sum) + sizeof(std::uint32_t) == kRecordHead);

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t octet = 0; octet < table.size(); ++octet) {
    std::uint32_t sum = octet;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kReversedPolynomial : 0);
    table[octet] = sum;
  }
  return table;
}();

/// The checksum of the fields that never change once the record is written.
std::uint32_t sum_of(const Head& head) {
  std::array<char, 12> octets;
  std::memcpy(octets.data(), head.magic.data(), 4);
  std::memcpy(octets.data() + 4, &head.version, 4);
  std::memcpy(octets.data() + 8, &head.length, 4);
  return crc32c({octets.data(), octets.size()});
}

bool is_sound(const Head& head) {
  return head.magic == kRecordMagic && head.version == kRecordVersion && head.head_sum == sum_of(head) &&
         head.length <= kLargestPayload;
}

/// Takes the first record off `octets`; says why there is none, or that all have been read.
std::optional<Ending> take_record(std::string_view& octets, std::vector<Record>& into) {
  if (octets.empty()) return Ending::whole;
  Head head;
  const std::string_view magic(kRecordMagic.data(), std::min(kRecordMagic.size(), octets.size()));
  if (!octets.starts_with(magic)) return Ending::damaged;
  if (octets.size() < kRecordHead) return Ending::torn;
  std::memcpy(static_cast<void*>(&head), octets.data(), kRecordHead);
  if (!is_sound(head)) return Ending::damaged;
  if (octets.size() - kRecordHead < head.length) return Ending::torn;
  const std::string_view payload = octets.substr(kRecordHead, head.length);
  if (crc32c(payload) != head.payload_sum) return Ending::damaged;
  into.push_back({std::string(payload), head.mark});
  octets.remove_prefix(kRecordHead + head.length);
  return std::nullopt;
}

}  // namespace

std::uint32_t crc32c(std::string_view octets) {
  std::uint32_t sum = ~0U;
  for (const char octet : octets) sum = (sum >> 8) ^ kCrcTable[(sum ^ static_cast<unsigned char>(octet)) & 0xFF];
  return ~sum;
}

std::string to_octets(const Record& record) {
  VIPD_ASSERT(record.payload.size() <= kLargestPayload);
  Head head;
  head.mark = record.mark;
  head.length = static_cast<std::uint32_t>(record.payload.size());
  head.head_sum = sum_of(head);
  head.payload_sum = crc32c(record.payload);
  std::string octets(kRecordHead, '\0');
  std::memcpy(octets.data(), &head, kRecordHead);
  return octets += record.payload;
}

Records read_records(std::string_view octets) {
  Records records;
  std::optional<Ending> end;
  while (!end) end = take_record(octets, records.whole);
  records.ending = *end;
  records.rest = octets;
  return records;
}

std::string only_text(Records records) {
  if (records.whole.empty()) return std::move(records.rest);
  return records.whole.size() == 1 && records.rest.empty() ? std::move(records.whole.front().payload) : "";
}

}  // namespace vipd
