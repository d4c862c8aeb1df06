#include "vipd/config/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace vipd {

namespace {

/// The length of a UTF-8 sequence by its first byte, and the smallest value that needs so many bytes.
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

constexpr auto kLookalikes = std::to_array<Lookalike>({
    {"\u00a0", "a no-break space", ' '},
    {"\u00ad", "a soft hyphen", '\0'},
    {"\u2002", "an en space", ' '},
    {"\u2003", "an em space", ' '},
    {"\u2007", "a figure space", ' '},
    {"\u2009", "a thin space", ' '},
    {"\u200a", "a hair space", ' '},
    {"\u200b", "a zero-width space", '\0'},
    {"\u200c", "a zero-width non-joiner", '\0'},
    {"\u200d", "a zero-width joiner", '\0'},
    {"\u200e", "a left-to-right mark", '\0'},
    {"\u200f", "a right-to-left mark", '\0'},
    {"\u2028", "a line separator", '\0'},
    {"\u202f", "a narrow no-break space", ' '},
    {"\u2060", "a word joiner", '\0'},
    {"\u3000", "an ideographic space", ' '},
    {"\ufeff", "a byte order mark", '\0'},
    {"\u201c", "a typographic quote", '"'},
    {"\u201d", "a typographic quote", '"'},
    {"\u201e", "a typographic quote", '"'},
    {"\u201f", "a typographic quote", '"'},
    {"\u2018", "a typographic quote", '\''},
    {"\u2019", "a typographic quote", '\''},
    {"\u201a", "a typographic quote", '\''},
    {"\u201b", "a typographic quote", '\''},
    {"\u00ab", "a typographic quote", '"'},
    {"\u00bb", "a typographic quote", '"'},
    {"\u2039", "a typographic quote", '\''},
    {"\u203a", "a typographic quote", '\''},
    {"\u2032", "a prime", '\''},
    {"\u2033", "a double prime", '"'},
    {"\uff02", "a full-width quote", '"'},
    {"\u00b4", "an accent", '\''},
    {"`", "a backtick", '\''},
});

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return (first < 0x20 && first != '\t') || first == 0x7f;
  return sequence.size() == 2 && first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;  // C1 controls
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

const Lookalike* lookalike_at(std::string_view text, std::size_t offset) {
  const std::string_view rest = text.substr(offset);
  if (rest.empty() || (static_cast<unsigned char>(rest[0]) < 0x80 && rest[0] != '`')) return nullptr;  // the usual case
  const auto is_here = [&](const Lookalike& each) { return rest.starts_with(each.character); };
  const auto* const found = std::ranges::find_if(kLookalikes, is_here);
  return found == kLookalikes.end() ? nullptr : found;
}

std::string without_lookalikes(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const Lookalike* odd = lookalike_at(text, i);
    if (odd == nullptr)
      result += text[i++];
    else
      i += odd->character.size();
  }
  return result;
}

std::string code_point_name(char32_t scalar) {
  std::array<char, 16> name;
  std::snprintf(name.data(), name.size(), "U+%04X", static_cast<unsigned>(scalar));
  return name.data();
}

std::string describe(const Lookalike& lookalike) {
  char32_t scalar = announced_by(static_cast<unsigned char>(lookalike.character[0])).bits;
  for (const char octet : lookalike.character.substr(1))
    scalar = scalar << 6 | (static_cast<unsigned char>(octet) & 0x3fu);
  return std::string(lookalike.name) + " (" + code_point_name(scalar) + ")";
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
  // If the string is wider by two quotes alone, it has no escapes, and each character is itself in the file.
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
