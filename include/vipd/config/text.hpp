/// Places in a text, and text made safe to show.
///
/// Every diagnostic points at a Place, counted in Unicode scalar values as people and editors count; the parsers work
/// with byte offsets. This is the one bridge between the two.
/// Not good yet: a caret under wide characters (CJK) lands too far left, since terminals give them two cells.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vipd {

/// A run of characters on one line of one file, counted from 1 in scalar values.
struct Place {
  int line = 1;
  int column = 1;
  int width = 1;
  int file = 0;  ///< index into the files that were read together

  friend bool operator==(const Place&, const Place&) = default;
};

/// Bytes of the UTF-8 sequence that starts at `offset` (< text.size()): 1..4, or 0 if it is not valid UTF-8.
std::size_t utf8_sequence(std::string_view text, std::size_t offset);

/// Scalar values in `text`; a byte that is not UTF-8 counts as one.
int count_scalars(std::string_view text);

/// The place of `length` bytes at `offset`; what lies beyond the end of the line does not widen it.
Place place_at(std::string_view text, std::size_t offset, std::size_t length);

/// A place within a quoted string: `length` bytes at `offset` of its content. The whole string where escapes or triple
/// quotes make that unknowable.
Place place_within(const Place& string, std::string_view content, std::size_t offset, std::size_t length);

/// A character that is easily taken for another one. It comes along when text is pasted from a page or a document.
struct Lookalike {
  std::string_view character;  ///< in UTF-8
  std::string_view name;       ///< "a no-break space"
  char plain;                  ///< the character it is taken for: a quote, a blank, or '\0' where nothing is seen

  bool is_quote() const { return plain == '"' || plain == '\''; }
};

/// The lookalike at `offset` (<= text.size()), or null.
const Lookalike* lookalike_at(std::string_view text, std::size_t offset);

/// `text` without any lookalike.
std::string without_lookalikes(std::string_view text);

/// "U+00A0"
std::string code_point_name(char32_t scalar);

/// "a no-break space (U+00A0)".
std::string describe(const Lookalike& lookalike);

/// `text` without what could disturb a terminal: controls and broken UTF-8 become '?', tabs stay.
std::string printable(std::string_view text);

/// `text` printable, in double quotes and shortened to something that fits a message.
std::string in_quotes(std::string_view text);

}  // namespace vipd
