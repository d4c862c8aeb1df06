/// parse_config: makes a Config of TOML texts, or all diagnostics of their faults.
///
/// The schema is closed: an unknown key is an error with a suggestion, since a misspelt key that is skipped is an
/// outage that waits. One run reports all independent errors of all files (at most 20 are shown). No error is the
/// consequence of another one. An unknown check is reported only if all tables could be read.
///
/// Several files make one configuration. Their tables are merged by name, but each named table ([instance.web]) is
/// defined in one file only. [node.HOSTNAME.instance.NAME] changes keys of [instance.NAME] on one node, so one text can
/// serve all nodes of a group. Each run checks the configuration of every node that the text names, and of a node that
/// it does not name, so all nodes find the same errors. See docs/decisions/0004.
///
/// The parser is pure: it reads no file and no clock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// A program that the configuration names, and its place.
struct NamedProgram {
  std::vector<std::string> arguments;  ///< its absolute path and its own arguments, or the command of a built-in check
  bool notify = false;                 ///< true if "INSTANCE NAME STATE PRIORITY" is appended when it runs
  Place place;                         ///< the place of its path
};

/// The interface of an instance, and the place that names it.
struct NamedInterface {
  std::string name;
  bool needs_multicast = false;  ///< true if the instance has no peers
  Place place;
};

/// The result of parse_config().
struct ParsedConfig {
  std::optional<Config> config;            ///< nullopt if any diagnostic is an error
  std::vector<Diagnostic> diagnostics;     ///< errors and warnings, by file, line and column; at most kMaxDiagnostics
  std::size_t omitted = 0;                 ///< how many diagnostics were left out
  std::vector<NamedProgram> programs;      ///< the programs of `config`, in the file's order
  std::vector<NamedInterface> interfaces;  ///< the interfaces of the instances, in the file's order
  std::string overrides;                   ///< which overrides apply here, a sentence; empty if there are none at all
};

/// Parses `sources`: whole files, UTF-8 without BOM, at least one. `host` is the machine's name. It selects the
/// overrides unless [node] name does: those of [node.HOSTNAME], where HOSTNAME is that name or else its first label.
ParsedConfig parse_config(std::span<const ConfigSource> sources, std::string_view host);

/// Parses one file on a machine without a name.
ParsedConfig parse_config(std::string_view text);

}  // namespace vipd
