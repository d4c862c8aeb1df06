/// LoadedConfig: the configuration as the machine has it, judged.
///
/// Loading reads the files (config_files.hpp), parses them (config/parse.hpp) and examines the programs that they name
/// (programs.hpp). The Purpose decides how strict it is. Nothing is printed here: the start and `vipd --check` show the
/// diagnostics on standard error, and a reload hands them to the client.
#pragma once

#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/load/config_history.hpp"

namespace vipd {

/// The purpose for which a configuration is loaded.
enum class Purpose {
  run,       ///< programs run with root's rights, so a file that other users may change is an error
  go_on,     ///< the configuration was in force already; vipd-runner judges each program again before it runs
  check,     ///< a file that other users may change is a warning
  clean_up,  ///< no program will run, so neither programs nor owners of files are judged
};

/// The files, their diagnostics, and the configuration that they make.
struct LoadedConfig {
  std::vector<ConfigSource> sources;
  std::vector<Diagnostic> diagnostics;
  SharedConfig config;                          ///< null if any diagnostic is an error
  std::size_t omitted = 0;                      ///< how many diagnostics were left out
  std::string overrides = {};                   ///< which overrides apply here, as in ParsedConfig
  std::vector<NamedProgram> programs = {};      ///< the programs that the files name, and those of hooks.d
  std::vector<NamedInterface> interfaces = {};  ///< the interfaces that the instances name
  std::string host = {};                        ///< the machine's name for which it was parsed
  std::string hash = {};                        ///< config_hash() of the sources
  bool on_disk = true;                          ///< true if the files were these texts when they were last read

  /// The diagnostics as text, with their source lines.
  std::string report(bool color) const;
};

/// Loads `path` and its conf.d. Fails with the errno of the first file that cannot be read. Files that have not changed
/// since `in_force` was loaded to run are not parsed again.
Result<LoadedConfig> load_config(const std::string& path, Purpose purpose, const LoadedConfig& in_force = {});
/// Loads a kept configuration in place of the files. Without `kept.hooks` the programs are those that are in hooks.d
/// now.
LoadedConfig load_kept(const std::string& path, const KeptConfig& kept, Purpose purpose);
/// True if the files, as they were read, are the configuration in force.
bool say_the_same(const LoadedConfig& files, const LoadedConfig& in_force);

/// Logs which overrides are in force. It is a warning if the files have overrides and none is for this node: the host
/// may have another name than the files expect.
void say_overrides(const LoadedConfig& loaded);

}  // namespace vipd
