/// Diagnostic: one thing that is wrong with a configuration, and what to do about it.
///
/// Rendered as
///   vipd.toml:4:8: error[range]: "vrid" must be 1..255, got 256
///     4 | vrid = 256
///       |        ^~~
///     hint: ...
/// Lines and columns count from 1; columns count Unicode scalar values, a tab is one. Tests assert (kind, line,
/// column). A configuration may be several files: a place says in which one it is.
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
  std::string name;  ///< as the operator would write its path
  std::string text;  ///< all of it
  friend bool operator==(const ConfigSource&, const ConfigSource&) = default;
};

/// A warning is said and lived with; an error refuses the file.
enum class Severity : std::uint8_t { warning, error };

struct Diagnostic : Place {
  Severity severity = Severity::error;
  std::string kind;  ///< stable name: "syntax", "unknown-key", "range", "type", "duration", "address", ...
  std::string message;
  std::string hint;              ///< one line, may be empty
  std::optional<Place> related;  ///< another place that belongs to it
};

/// An error: the configuration cannot be used. `related` is an earlier place that belongs to it.
inline Diagnostic error_at(const Place& place, std::string kind, std::string message, std::string hint = "",
                           std::optional<Place> related = {}) {
  return {place, Severity::error, std::move(kind), std::move(message), std::move(hint), related};
}

/// Most diagnostics that are told.
inline constexpr std::size_t kMaxDiagnostics = 20;

/// How a message about `here` names another place: "line 4", or "vipd.toml:4" if that is in another file.
std::string name_place(const Place& place, const Place& here, std::span<const ConfigSource> sources);

/// All diagnostics as text, each with its source line, caret and hint. `sources` are the files that were parsed. No
/// secret in them is shown. With `color`, ANSI colours are added.
std::string render(const std::vector<Diagnostic>& diagnostics, std::span<const ConfigSource> sources, bool color);

}  // namespace vipd
