/// LoadedConfig: the configuration as the machine has it, judged.
///
/// Reading (config_files.hpp), parsing (config/parse.hpp) and looking at what the text names (programs.hpp) put
/// together, for whatever the configuration is wanted for. Nothing is printed here: the start and `vipd --check` show
/// the diagnostics on standard error, a reload hands them to whoever asked. Callers: the daemon, Reloader.
#pragma once

#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/load/config_history.hpp"

namespace vipd {

/// What a configuration is loaded for.
enum class Purpose {
  run,       ///< programs run with root's rights, so files that others may change are refused
  go_on,     ///< it was in force already; vipd-runner judges each program once more before it runs it
  check,     ///< such files are a warning
  clean_up,  ///< no program will be run, so neither they nor the files' owners matter
};

/// The files, what is to be said about them, and what they mean.
struct LoadedConfig {
  std::vector<ConfigSource> sources;
  std::vector<Diagnostic> diagnostics;
  SharedConfig config;                          ///< null if any diagnostic is an error
  std::size_t omitted = 0;                      ///< as in ParsedConfig
  std::string overrides = {};                   ///< likewise
  std::vector<NamedProgram> programs = {};      ///< likewise, and those of hooks.d
  std::vector<NamedInterface> interfaces = {};  ///< as in ParsedConfig
  std::string host = {};                        ///< the machine's name that it was parsed for
  std::string hash = {};                        ///< config_hash() of the sources
  bool on_disk = true;                          ///< true while the files say the same, as far as they have been read

  /// The diagnostics as text, with the lines that they are about.
  std::string report(bool color) const;
};

/// Loads `path` and its conf.d. Fails with the errno of the first file that cannot be read. If the files say what they
/// said when `in_force` was loaded to run, they are not parsed again.
Result<LoadedConfig> load_config(const std::string& path, Purpose purpose, const LoadedConfig& in_force = {});
/// The same for what was in force earlier, in place of what the files say now. Without `kept.hooks` the programs are
/// those that are in hooks.d now.
LoadedConfig load_kept(const std::string& path, const KeptConfig& kept, Purpose purpose);
/// Whether the files, as they were read, say what is in force.
bool say_the_same(const LoadedConfig& files, const LoadedConfig& in_force);

/// Says in the log which overrides are in force, a warning if there are some and none is for this node: a host that has
/// another name than the files expect runs with the values for all nodes.
void say_overrides(const LoadedConfig& loaded);

}  // namespace vipd
