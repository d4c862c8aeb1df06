#include "vipd/config/text.hpp"

#include <algorithm>

namespace vipd {

namespace {

/// The number of bytes a first byte announces, and the smallest value that needs so many.
struct Sequence {
  std::size_t length;
  char32_t minimum, bits;
};

Sequence announced_by(unsigned char first) {
  if (first < 0x80) return {1, 0, first};
  if (first >= 0xc2 && first < 0xe0) return {2, 0x80, first & 0x1fu};
  if (first >= 0xe0 && first < 0xf0) return {3, 0x800, first & 0x0fu};
  if (first >= 0xf0 && first < 0xf5) return {4, 0x10000, first & 0x07u};
  return {0, 0, 0};
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return (first < 0x20 && first != '\t') || first == 0x7f;
  return sequence.size() == 2 && first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;  // C1
}

}  // namespace

std::size_t utf8_sequence(std::string_view text, std::size_t offset) {
  const auto [length, minimum, bits] = announced_by(static_cast<unsigned char>(text[offset]));
  if (length == 0 || offset + length > text.size()) return 0;
  char32_t scalar = bits;
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[offset + i]);
    if ((byte & 0xc0) != 0x80) return 0;
    scalar = scalar << 6 | (byte & 0x3fu);
  }
  const bool surrogate = scalar >= 0xd800 && scalar < 0xe000;
  return scalar < minimum || scalar > 0x10ffff || surrogate ? 0 : length;
}

int count_scalars(std::string_view text) {
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) i += std::max<std::size_t>(utf8_sequence(text, i), 1);
  return count;
}

Place place_at(std::string_view text, std::size_t offset, std::size_t length) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 == 0
  const std::string_view run = text.substr(offset, length);
  Place place;
  place.line = static_cast<int>(std::ranges::count(before, '\n')) + 1;
  place.column = count_scalars(before.substr(line_start)) + 1;
  place.width = std::max(count_scalars(run.substr(0, run.find_first_of("\r\n"))), 1);
  return place;
}

Place place_within(const Place& string, std::string_view content, std::size_t offset, std::size_t length) {
  // Two more than the content are the quotes: then each character of the content is itself in the file.
  if (content.empty() || string.width != count_scalars(content) + 2) return string;
  const int before = count_scalars(content.substr(0, offset));
  Place place = string;
  place.column += 1 + before;
  place.width = std::max(count_scalars(content.substr(offset, length)), 1);
  return place;
}

std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence(text, i);
    const std::string_view sequence = text.substr(i, std::max<std::size_t>(length, 1));
    result += length == 0 || is_control(sequence) ? "?" : sequence;
    i += sequence.size();
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  if (text.size() <= kLongest) return "\"" + printable(text) + "\"";
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return "\"" + printable(text.substr(0, end)) + "...\"";
}

}  // namespace vipd
