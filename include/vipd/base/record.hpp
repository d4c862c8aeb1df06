/// Record: the one format of what vipd keeps for the next vipd.
///
/// A file is a row of records. Each record has a head of 28 octets and a payload:
///
///     octets  content
///     0..3    "vipd"
///     4..7    version of the format: 1
///     8..15   mark
///     16..19  length of the payload, at most 64 MiB
///     20..23  CRC-32C of octets 0..7 and 16..19
///     24..27  CRC-32C of the payload
///
/// Numbers have this machine's order of octets: a file never leaves its machine. CRC-32C finds each flipped bit; its
/// polynomial is that of RFC 3385. The length has a checksum of its own. So a reader tells a file whose end is missing
/// from a damaged one.
///
/// The mark is the only part that changes in place, by one write of eight octets (docs/decisions/0010). No checksum
/// covers it, and its owner judges its value. A claim has the time there until which peers believe in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vipd {

/// A record: a payload that is kept as one piece, and its mark.
struct Record {
  std::string payload;
  std::uint64_t mark = 0;

  friend bool operator==(const Record&, const Record&) = default;
};

inline constexpr std::size_t kRecordHead = 28;  ///< octets before the payload
inline constexpr std::size_t kMarkAt = 8;       ///< the offset of the mark in a record
/// A configuration has 8 MiB, and as JSON at most four times that.
inline constexpr std::size_t kLargestPayload = 64 << 20;

/// How a file ends.
enum class Ending {
  whole,    ///< the file ends after a record
  torn,     ///< the file ends within a record
  damaged,  ///< the file ends with octets that are no record of this version
};

/// The contents of a file.
struct Records {
  std::vector<Record> whole;  ///< the whole records in their order, up to the first octet of another kind
  Ending ending = Ending::whole;
  std::string rest;  ///< the octets from there on
};

/// The record as it stands in a file. Its payload has at most kLargestPayload octets.
std::string to_octets(const Record& record);
/// Reads a file. No content makes it fail.
Records read_records(std::string_view octets);

/// The text of a file that holds one record, or that vipd 0.1.0 has written: it kept texts without a head. Such a text
/// is not judged here. "" for anything else.
std::string only_text(Records records);

/// The checksum of RFC 3385, as iSCSI and ext4 use it.
std::uint32_t crc32c(std::string_view octets);

}  // namespace vipd
