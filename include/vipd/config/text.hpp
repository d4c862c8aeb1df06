/// Places in a text, and text made safe to show.
///
/// Every diagnostic points at a Place, counted in Unicode scalar values as people and editors count. The parsers work
/// with byte offsets. Only these functions convert between the two.
///
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
  int file = 0;  ///< the index of the file among those that were read together

  friend bool operator==(const Place&, const Place&) = default;
};

/// The length of the UTF-8 sequence at `offset` (< text.size()): 1..4 bytes, or 0 if it is not valid UTF-8.
std::size_t utf8_sequence(std::string_view text, std::size_t offset);

/// The number of scalar values in `text`; a byte that is not UTF-8 counts as one.
int count_scalars(std::string_view text);

/// The place of `length` bytes at `offset`; bytes beyond the end of the line do not widen it.
Place place_at(std::string_view text, std::size_t offset, std::size_t length);

/// The place of `length` bytes at `offset` within the content of a quoted string. It is the whole string if escapes or
/// triple quotes hide the exact place.
Place place_within(const Place& string, std::string_view content, std::size_t offset, std::size_t length);

/// A character that is easily mistaken for another one. It comes with text that is pasted from a page or a document.
struct Lookalike {
  std::string_view character;  ///< the character in UTF-8
  std::string_view name;       ///< its name: "a no-break space"
  char plain;                  ///< the character that it resembles: a quote or a blank; '\0' if it is invisible

  bool is_quote() const { return plain == '"' || plain == '\''; }
};

/// The lookalike at `offset` (<= text.size()), or null.
const Lookalike* lookalike_at(std::string_view text, std::size_t offset);

/// `text` without any lookalike.
std::string without_lookalikes(std::string_view text);

/// The name of a code point: "U+00A0".
std::string code_point_name(char32_t scalar);

/// A lookalike in words: "a no-break space (U+00A0)".
std::string describe(const Lookalike& lookalike);

/// `text` made safe for a terminal: control characters and broken UTF-8 become '?', tabs stay.
std::string printable(std::string_view text);

/// `text` made printable, in double quotes, and shortened to fit a message.
std::string in_quotes(std::string_view text);

}  // namespace vipd
