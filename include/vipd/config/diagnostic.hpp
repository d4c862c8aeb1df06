/// Diagnostic: a fault of a configuration, and its remedy.
///
/// Rendered as
///   vipd.toml:4:8: error[range]: "vrid" must be 1..255, got 256
///     4 | vrid = 256
///       |        ^~~
///     hint: ...
/// Lines and columns count from 1; columns count Unicode scalar values, a tab is one. Tests assert (kind, line,
/// column). A configuration may have several files: a Place names its file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vipd/config/text.hpp"

namespace vipd {

/// One file of a configuration.
struct ConfigSource {
  std::string name;  ///< its path as the operator wrote it
  std::string text;  ///< its whole text
  friend bool operator==(const ConfigSource&, const ConfigSource&) = default;
};

/// With warnings the configuration is used; an error refuses it.
enum class Severity : std::uint8_t { warning, error };

struct Diagnostic : Place {
  Severity severity = Severity::error;
  std::string kind;  ///< a stable name: "syntax", "unknown-key", "range", "type", "duration", "address", ...
  std::string message;
  std::string hint;              ///< the remedy, one line; may be empty
  std::optional<Place> related;  ///< another place that belongs to the fault
};

/// Makes an error: the configuration cannot be used. `related` is an earlier place that belongs to the fault.
inline Diagnostic error_at(const Place& place, std::string kind, std::string message, std::string hint = "",
                           std::optional<Place> related = {}) {
  return {place, Severity::error, std::move(kind), std::move(message), std::move(hint), related};
}

/// The most diagnostics that are shown.
inline constexpr std::size_t kMaxDiagnostics = 20;

/// The name of `place` in a message about `here`: "line 4", or "vipd.toml:4" if it is in another file.
std::string name_place(const Place& place, const Place& here, std::span<const ConfigSource> sources);

/// All diagnostics as text, each with its source line, caret and hint. `sources` are the files that were parsed; their
/// secrets are not shown. With `color`, ANSI colours are added.
std::string render(const std::vector<Diagnostic>& diagnostics, std::span<const ConfigSource> sources, bool color);

}  // namespace vipd
