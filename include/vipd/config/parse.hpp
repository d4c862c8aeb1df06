/// parse_config: TOML text in, Config or all that is wrong with it out.
///
/// Closed schema: what is not known is an error with a suggestion, since a misspelt key that is skipped is an outage
/// that waits. All independent errors of a file come out of one run (at most 20), none as a cascade of another.
/// Pure: reads no file and no clock. Callers: the daemon's start and `vipd --check`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// What parse_config() makes of a file.
struct ParsedConfig {
  std::optional<Config> config;         ///< nullopt if any diagnostic is an error
  std::vector<Diagnostic> diagnostics;  ///< errors and warnings, by line and column
};

/// `text` is the whole file, UTF-8 without BOM.
ParsedConfig parse_config(std::string_view text);

}  // namespace vipd
