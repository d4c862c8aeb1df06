/// The files of a configuration: FILE and, beside it, conf.d/*.toml.
///
/// The one place that reads them, for the daemon's start, `vipd --check` and `vipd --last-will`; parse_config() takes
/// what comes out. What stands in conf.d and ends in .toml is read in the byte order of the names; hidden files and
/// others (editors' backups) are not. A file that cannot be read is an error: with a part left out, an instance would
/// silently be missing. Beside them, hooks.d is looked at for its programs. Sizes are bounded, and a pipe or a device
/// in conf.d is refused, so that reading never hangs.
#pragma once

#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// What is on disk.
struct ConfigFiles {
  std::vector<ConfigSource> sources;    ///< FILE first, named as the operator named it
  std::vector<std::string> hooks;       ///< absolute paths of the programs in hooks.d, in the byte order of their names
  std::vector<Diagnostic> permissions;  ///< warnings: who else than the owner of FILE may change what is in force
};

/// The machine's own name, which selects what the files say for one node.
std::string host_name();

/// The absolute paths of the programs in hooks.d beside `path`, in the byte order of their names; none if there is no
/// hooks.d.
Result<std::vector<std::string>> find_shared_hooks(const std::string& path);

/// Whether these are no more files, and no larger ones, than read_config_files() takes.
bool are_within_limits(const std::vector<ConfigSource>& files);

/// Reads `path`, its conf.d and its hooks.d. Fails with the errno of the first one that cannot be read.
Result<ConfigFiles> read_config_files(const std::string& path);

}  // namespace vipd
