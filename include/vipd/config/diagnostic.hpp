/// Diagnostic: one thing that is wrong with a file, and what to do about it.
///
/// Rendered as
///   vipd.toml:4:8: error[range]: "vrid" must be 1..255, got 256
///     4 | vrid = 256
///       |        ^~~
///     hint: ...
/// Lines and columns count from 1; columns count Unicode scalar values, a tab is one. Tests assert (kind, line,
/// column).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vipd {

/// A warning is said and lived with; an error refuses the file.
enum class Severity : std::uint8_t { warning, error };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string kind;  ///< stable name: "syntax", "unknown-key", "range", "type", "duration", "address", ...
  int line = 1;
  int column = 1;
  int width = 1;  ///< scalar values under the caret run
  std::string message;
  std::string hint;      ///< one line, may be empty
  int related_line = 0;  ///< an earlier place that belongs to it (1-based), 0 = none
};

/// All diagnostics as text, in the order of the file, each with its source line, caret and hint. `file` is the name to
/// show, `text` the file's content. With `color`, ANSI colours are added.
std::string render(const std::vector<Diagnostic>& diagnostics, std::string_view file, std::string_view text,
                   bool color);

}  // namespace vipd
