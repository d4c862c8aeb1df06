/// Repetitions: statements of a TOML text that define a key or a table again.
///
/// A library that reads TOML stops at the first repetition, so finding many takes as many readings of the text. Here
/// one walk finds them by their names: a header that occurs twice, and a key that occurs twice below one header. Each
/// result is surely a repetition. Keys in quotes, and tables that a dotted key has made, are left to the library.
#pragma once

#include <string_view>
#include <vector>

#include "vipd/config/statements.hpp"

namespace vipd {

/// A statement that repeats an earlier one.
struct Repetition {
  Statement statement;  ///< the repetition; the end of a header is that of its section
  Statement first;      ///< the earlier statement
};

/// The repetitions of a text of legal statements, in the text's order. The statements below a repeated header are a
/// part of it. Time is linear in the size of the text, but for the logarithm of a lookup.
std::vector<Repetition> find_repetitions(std::string_view text);

}  // namespace vipd
