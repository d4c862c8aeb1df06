/// ServedConfigs: the configurations that name the programs which vipd-runner may run.
///
/// vipd names the configuration in force by its hash (config_hash()). vipd-runner never takes a text from vipd: it
/// reads the files by itself, and serves them if their hash is the one that vipd names. From then on that configuration
/// is served, whatever becomes of the files. A copy is kept in a directory that only vipd-runner may write, so a
/// restarted vipd-runner serves it, too.
///
/// So a hijacked vipd can only choose among at most kMostServed configurations, all of which root had on the disk: the
/// present files, and configurations that vipd has named without a break. A hash that is missing in the next list is
/// forgotten, and its copy is deleted.
///
/// The programs of hooks.d are those that were in the directory when vipd last named its configurations.
///
/// The directory also has the history for `vipctl config`: the last ten configurations that were in force. If the
/// directory cannot be used, everything else goes on.
///
/// Several vipds that are started by hand may share the directory. Each vipd-runner has copies of its own, in a
/// directory with the mark of its vipd. All of them share one history. docs/decisions/0020 has the reasons.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/os/file_store.hpp"

namespace vipd {

class ServedConfigs {
 public:
  /// `config` is the main file. `directory` is made when it is first needed; its parent exists. `mark`: see mark_of().
  ServedConfigs(std::string config, std::string directory, std::string mark = "");

  /// Serves the configurations with these hashes from now on, and forgets all others. The first is the one in force.
  /// Returns messages for the operator.
  std::vector<std::string> name(const std::vector<std::string>& hashes);

  /// Why a program with these arguments is not run; nullopt if a served configuration names it. A missing configuration
  /// is looked for again, once a second at most.
  std::optional<std::string> refusal(std::span<const std::string> arguments, TimePoint now);

 private:
  struct Served {
    std::string hash;
    std::vector<NamedProgram> programs;
  };

  bool names(std::span<const std::string> arguments) const;
  bool serves(const std::string& hash) const;
  Result<void> read_files();
  void look_for_missing();
  Result<void> take_up(const std::string& hash);
  Result<void> serve(const std::string& hash, const std::vector<ConfigSource>& files);
  Result<void> open_directory();
  void copy(const std::string& hash, const std::vector<ConfigSource>& files);
  Result<void> record();

  const std::string config_, directory_, mark_;
  std::vector<std::string> named_;
  std::vector<Served> served_;
  std::vector<NamedProgram> shared_;  // programs of hooks.d
  std::vector<NamedProgram> read_;    // programs of the files, for a vipd that names no hash
  std::string why_missing_;           // why the configuration in force is not served
  std::string recorded_;              // the hash of the newest configuration in the history
  TimePoint next_look_ = TimePoint::min();
  std::unique_ptr<FileStore> store_;  // the store of the directory; null until the directory can be used
  std::optional<ConfigHistory> copies_, history_;
  std::optional<Error> not_copied_;  // why the newest configuration has no copy
  Loss loss_{"the configuration is in force, but not kept for `vipctl config`"};
};

}  // namespace vipd
