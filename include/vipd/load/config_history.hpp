/// ConfigHistory: the configurations that were in force, so that the operator can restore one of them.
///
/// A directory keeps the last ten, each as a file NUMBER.json. The file has all texts of the configuration with their
/// paths, the time when it came into force, and its hash. Each file is one record (base/record.hpp) with a JSON text; a
/// file of vipd 0.1.0 is the bare text. Files are written whole or not at all, so a full disk or a crash leaves older
/// files as they were. A damaged file is skipped. vipd keeps the configuration in force for its successor. vipd-runner
/// keeps the configurations that it serves, and those that `vipctl config` shows, each kind in a directory of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/config/diagnostic.hpp"
#include "vipd/os/store.hpp"

namespace vipd {

/// One configuration that was in force.
struct KeptConfig {
  std::uint64_t number = 0;  ///< counts up from 1
  std::string time;          ///< RFC 3339, when it came into force
  std::string sha256;        ///< the config_hash() of the files
  std::vector<ConfigSource> files;
  std::optional<std::vector<std::string>> hooks = {};  ///< the programs of hooks.d; a ConfigHistory does not keep them
};

/// The SHA-256 of all file names and texts, 64 hexadecimal digits. The directories do not count, so vipd and
/// vipd-runner compute the same hash from different paths.
std::string config_hash(const std::vector<ConfigSource>& files);

/// A KeptConfig as text, without its number.
std::string to_record(const KeptConfig& kept);
/// The KeptConfig in `text`; nullopt if `text` is no record, the hash is wrong, or the files exceed their limits.
std::optional<KeptConfig> from_record(const std::string& text);

class ConfigHistory {
 public:
  /// `directory` is made when it is first needed. `store` outlives the history.
  ConfigHistory(Store& store, std::string directory) : store_(&store), directory_(std::move(directory)) {}

  /// Keeps `files` as the newest configuration, unless the newest is the same. The oldest beyond kKept is deleted.
  /// Returns the number of the newest.
  Result<std::uint64_t> keep(const std::vector<ConfigSource>& files, const std::string& time);
  /// The newest configuration; nullopt if there is none, or if it cannot be read.
  std::optional<KeptConfig> newest() const;
  /// All readable configurations, the oldest first.
  std::vector<KeptConfig> list() const;
  /// The newest configuration with this hash; nullopt if there is none, or if it cannot be read.
  std::optional<KeptConfig> find(const std::string& hash) const;
  /// Deletes all but the newest configuration.
  void drop_older();
  /// Deletes all configurations but those with one of these hashes.
  void drop_all_but(const std::vector<std::string>& hashes);

  static constexpr std::size_t kKept = 10;  ///< how many configurations a directory keeps

 private:
  std::string path_of(std::uint64_t number) const;
  std::vector<std::uint64_t> numbers() const;
  std::optional<KeptConfig> read(std::uint64_t number) const;

  Store* store_;
  std::string directory_;
};

/// UnconfirmedConfig: the record of a reload on trial, which survives the process and a boot.
///
/// The file has the texts that were put in force on trial, and those of the configuration before. It stays until
/// somebody confirms the trial or reloads without a trial. While the configuration files are those of the trial, a vipd
/// that starts takes the configuration before the trial.
class UnconfirmedConfig {
 public:
  /// `name` is the path of the file; its directory exists. `store` outlives this object.
  UnconfirmedConfig(Store& store, std::string name) : store_(&store), name_(std::move(name)) {}

  /// Replaces the record: `tried` is not confirmed, and the way back leads to `before`.
  Result<void> keep(const std::vector<ConfigSource>& tried, const std::vector<ConfigSource>& before);
  /// True if there is a record, or if that cannot be found out.
  bool exists() const;
  /// Deletes the record; a missing record is no error.
  Result<void> drop();
  /// The configuration before the trial, if `files` are those of the trial; nullopt otherwise, or if the file is
  /// damaged.
  std::optional<std::vector<ConfigSource>> before(const std::vector<ConfigSource>& files) const;

 private:
  Store* store_;
  std::string name_;
};

/// The suffix of a vipd's file names in a shared state directory: "" for the service, "+run+two" for the vipd of
/// /run/two. Each vipd has a runtime directory of its own, so no vipd deletes files that another vipd needs.
std::string mark_of(const std::string& runtime_dir);

}  // namespace vipd
