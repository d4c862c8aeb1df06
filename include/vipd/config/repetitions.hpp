/// Repetitions: statements of a TOML text that define anew what an earlier statement defines.
///
/// A library that reads TOML stops at the first one, so to find many of them by it takes as many readings of the text.
/// Here one walk finds them by their names: a header that is there twice, and a key that is twice below one header.
/// Each one is surely a repetition. Some are not found: keys in quotes, and a table that a dotted key has made. Those
/// are left to the library.
#pragma once

#include <string_view>
#include <vector>

#include "vipd/config/statements.hpp"

namespace vipd {

/// A statement that repeats another one.
struct Repetition {
  Statement statement;  ///< the end of a header is that of its section
  Statement first;      ///< defines the same
};

/// The repetitions of a text whose statements are all legal, in the text's order. What stands below a repeated header
/// counts as part of it. Time is linear in the size of the text, but for the logarithm of a lookup.
std::vector<Repetition> find_repetitions(std::string_view text);

}  // namespace vipd
