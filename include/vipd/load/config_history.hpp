/// ConfigHistory: the configurations that were in force, so that what the operator wrote can be had back.
///
/// A directory keeps the last ten as one file each, NUMBER.json: all texts that made the configuration, with their
/// paths, when they came into force and their hash. Each file is one record (base/record.hpp) with a JSON text; a file
/// of vipd 0.1.0 is the bare text. Files are written whole or not at all, so a full disk or a crash leaves the older
/// ones as they were. A damaged file is passed over. vipd keeps what is in force for its successor; vipd-runner keeps
/// what it serves and what `vipctl config` shows, each in a directory of its own. Callers: the daemon, Reloader,
/// ServedConfigs.
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
  std::string sha256;        ///< config_hash() of the files
  std::vector<ConfigSource> files;
  std::optional<std::vector<std::string>> hooks = {};  ///< the programs of hooks.d; not kept in a ConfigHistory
};

/// The SHA-256 of all file names and texts, 64 hexadecimal digits. The directories do not count, so vipd and
/// vipd-runner name a configuration alike, whatever path each of them was given.
std::string config_hash(const std::vector<ConfigSource>& files);

/// A KeptConfig as text, but for its number.
std::string to_record(const KeptConfig& kept);
/// nullopt if `text` is no such record, if its hash is not that of its files, or if it has more than files may have.
std::optional<KeptConfig> from_record(const std::string& text);

class ConfigHistory {
 public:
  /// `directory` is made when it is first needed. The Store outlives this.
  ConfigHistory(Store& store, std::string directory) : store_(&store), directory_(std::move(directory)) {}

  /// Keeps `files` as the newest, unless the newest is the same; the oldest of more than kKept goes. Returns the
  /// number.
  Result<std::uint64_t> keep(const std::vector<ConfigSource>& files, const std::string& time);
  /// The one that was in force last; nullopt if there is none, or if it cannot be read.
  std::optional<KeptConfig> newest() const;
  /// Those that can be read, the oldest first.
  std::vector<KeptConfig> list() const;
  /// The newest with this hash; nullopt if there is none, or if it cannot be read.
  std::optional<KeptConfig> find(const std::string& hash) const;
  /// Only the newest stays.
  void drop_older();
  /// Only those with one of these hashes stay.
  void drop_all_but(const std::vector<std::string>& hashes);

  static constexpr std::size_t kKept = 10;

 private:
  std::string path_of(std::uint64_t number) const;
  std::vector<std::uint64_t> numbers() const;
  std::optional<KeptConfig> read(std::uint64_t number) const;

  Store* store_;
  std::string directory_;
};

/// UnconfirmedConfig: the memory of a reload on trial, which outlives the process and a boot.
///
/// The file that it keeps says which texts were put in force on trial and what was in force before. It stays until
/// somebody confirms the trial or reloads without one. As long as the configuration files are those of the trial, a
/// vipd that starts takes the configuration before it. Callers: Reloader, and the daemon's start.
class UnconfirmedConfig {
 public:
  /// `name` is the file; its directory exists. The Store outlives this.
  UnconfirmedConfig(Store& store, std::string name) : store_(&store), name_(std::move(name)) {}

  /// Remembers that `tried` is not confirmed and that `before` is what to go back to, in place of what was remembered.
  Result<void> keep(const std::vector<ConfigSource>& tried, const std::vector<ConfigSource>& before);
  /// There is something to forget, or it cannot be told.
  bool exists() const;
  /// Forgets it; nothing to forget is no error.
  Result<void> drop();
  /// The configuration before the trial, if `files` are those of the trial; nullopt otherwise, or if the file is
  /// damaged.
  std::optional<std::vector<ConfigSource>> before(const std::vector<ConfigSource>& files) const;

 private:
  Store* store_;
  std::string name_;
};

/// What the names of a vipd's files in a shared state directory end with: "" for the service, "+run+two" for the vipd
/// of /run/two. Only one vipd has a runtime directory, so nobody drops what another vipd still needs.
std::string mark_of(const std::string& runtime_dir);

}  // namespace vipd
