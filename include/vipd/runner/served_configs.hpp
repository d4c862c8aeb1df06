/// ServedConfigs: the configurations by whose programs vipd-runner judges a request.
///
/// vipd names what is in force by its hash (config_hash()). vipd-runner never takes a text from vipd: it reads the
/// files by itself, and takes a configuration up if the hash of the files is the one that vipd names. From then on that
/// configuration is served, whatever becomes of the files. A copy of it is kept in a directory that only vipd-runner
/// may write, so that a vipd-runner that starts again serves it, too. So a vipd that somebody has taken over can only
/// choose among at most kMostServed configurations, all of which root had on the disk: what the files say now, and what
/// was named without a break since it was on the disk. A name that is missing in the next list is forgotten, with its
/// copy.
///
/// The programs of hooks.d are those of the directory as it was when vipd named its configurations last.
///
/// The directory has the history, too: what was in force, the last ten, for `vipctl config`. Where the directory cannot
/// be used, everything else goes on.
///
/// Several vipds that are started by hand may share the directory. Each vipd-runner has copies of its own, in a
/// directory with the mark of its vipd. The history is one for all of them.
/// docs/decisions/0020 has the reasons. Caller: RunnerServer.
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

  /// Serves these from now on, the one in force first, and forgets all others. Returns what is to be said to the
  /// operator.
  std::vector<std::string> name(const std::vector<std::string>& hashes);

  /// Why a program with these arguments is not run; nullopt if a configuration that is served names it. A configuration
  /// that was missing is looked for again, once a second at most.
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
  std::vector<NamedProgram> shared_;  // of hooks.d
  std::vector<NamedProgram> read_;    // of the files, for a vipd that names nothing
  std::string why_missing_;           // why the configuration in force is not served
  std::string recorded_;              // hash of the newest in the history
  TimePoint next_look_ = TimePoint::min();
  std::unique_ptr<FileStore> store_;  // of the directory; null until it can be used
  std::optional<ConfigHistory> copies_, history_;
  std::optional<Error> not_copied_;  // why the newest has no copy
  Loss loss_{"the configuration is in force, but not kept for `vipctl config`"};
};

}  // namespace vipd
