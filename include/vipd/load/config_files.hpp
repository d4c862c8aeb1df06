/// The files of a configuration: FILE and, beside it, conf.d/*.toml.
///
/// Only these functions read the files, for the daemon, `vipd --check`, `vipd --last-will` and vipd-runner;
/// parse_config() takes the texts. The files of conf.d that end in .toml are read in the byte order of their names.
/// Hidden files and other names (editors' backups) are skipped. A file that cannot be read is an error: without a part,
/// an instance would silently be missing. The programs of hooks.d are listed, too. Sizes are bounded, and a pipe or a
/// device in conf.d is refused, so reading never hangs.
#pragma once

#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/config/diagnostic.hpp"

namespace vipd {

/// The configuration as it is on the disk.
struct ConfigFiles {
  std::vector<ConfigSource> sources;    ///< FILE first, named as the operator named it
  std::vector<std::string> hooks;       ///< absolute paths of the programs in hooks.d, in the byte order of their names
  std::vector<Diagnostic> permissions;  ///< warnings: users beside the owner of FILE who may change a file
};

/// The machine's own name, which selects the overrides of one node.
std::string host_name();

/// The absolute paths of the programs in hooks.d beside `path`, in the byte order of their names; none if there is no
/// hooks.d.
Result<std::vector<std::string>> find_shared_hooks(const std::string& path);

/// True if read_config_files() would take these files: their number and their sizes are bounded.
bool are_within_limits(const std::vector<ConfigSource>& files);

/// Reads `path`, its conf.d and its hooks.d. Fails with the errno of the first unreadable file or directory.
Result<ConfigFiles> read_config_files(const std::string& path);

}  // namespace vipd
