/// parse_config: TOML texts in, Config or all that is wrong with it out.
///
/// Closed schema: what is not known is an error with a suggestion, since a misspelt key that is skipped is an outage
/// that waits. All independent errors of all files come out of one run (at most 20 are told), none as a cascade of
/// another.
///
/// Several files are one configuration: their tables are put together by name, but what has a name ([instance.web])
/// is defined in one file only. [node.HOSTNAME.instance.NAME] changes keys of [instance.NAME] on one node, so that one
/// text can serve all nodes of a group; each run checks what the text means on every node that it names, and on one
/// that it does not, so that all nodes find the same errors. See docs/decisions/0004.
///
/// Pure: reads no file and no clock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// A program that the configuration names, and where.
struct NamedProgram {
  std::vector<std::string> arguments;  ///< its absolute path, then its own arguments; or see check_program.hpp
  bool notify = false;                 ///< "INSTANCE NAME STATE PRIORITY" is appended when it is run
  Place place;                         ///< of its path
};

/// The interface of an instance, and where it is named.
struct NamedInterface {
  std::string name;
  bool needs_multicast = false;  ///< the instance has no peers
  Place place;
};

/// What parse_config() makes of the files.
struct ParsedConfig {
  std::optional<Config> config;            ///< nullopt if any diagnostic is an error
  std::vector<Diagnostic> diagnostics;     ///< errors and warnings, by file, line and column; at most kMaxDiagnostics
  std::size_t omitted = 0;                 ///< diagnostics beyond those
  std::vector<NamedProgram> programs;      ///< of `config`, in the file's order
  std::vector<NamedInterface> interfaces;  ///< of the instances of `config`, in the file's order
  std::string overrides;                   ///< which of them apply here, a sentence; empty if there are none at all
};

/// `sources` are whole files, UTF-8 without BOM, at least one. `host` is the machine's name, which selects the
/// overrides unless [node] name does: those of [node.HOSTNAME] where HOSTNAME is that name or else its first label.
ParsedConfig parse_config(std::span<const ConfigSource> sources, std::string_view host);

/// One file on a machine without a name.
ParsedConfig parse_config(std::string_view text);

}  // namespace vipd
