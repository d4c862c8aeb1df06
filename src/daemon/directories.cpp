#include "vipd/daemon/directories.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "vipd/config/parse.hpp"
#include "vipd/load/config_files.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/state_directory.hpp"

namespace vipd {

bool usable(const Result<LoadedConfig>& loaded, const std::string& path) {
  if (!loaded) {
    std::string report = loaded.error().message + "\n";
    if (loaded.error().code == ENOENT && ::access(path.c_str(), F_OK) != 0)
      report += "hint: write one; /usr/share/doc/vipd/examples/pair.toml is a start, vipd.toml(5) describes all keys\n";
    if (loaded.error().code == EACCES)
      report += "hint: the user that vipd runs as has to be able to read it: chown root:vipd, chmod 640\n";
    write_report(report);
    return false;
  }
  const bool color = ::isatty(STDERR_FILENO) != 0 && ::getenv("NO_COLOR") == nullptr;
  write_report(loaded->report(color));
  return loaded->config != nullptr;
}

namespace {

bool is_file(const Fd& fd, const std::string& path) {
  struct stat open{}, named{};
  return fd && ::fstat(fd.get(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

/// Locks the file, and tries again for a while. False with an errno if it stays locked.
bool lock_soon(const Fd& fd) {
  constexpr int kTries = 40;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};
  for (int i = 0; i < kTries; ++i) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    ::nanosleep(&kPause, nullptr);
  }
  errno = EWOULDBLOCK;
  return false;
}

}  // namespace

Result<Fd> lock_runtime_dir(const std::string& directory, Fd inherited) {
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return system_failure("cannot make " + directory, errno);
  const std::string path = directory + "/vipd.lock";
  Fd fd = is_file(inherited, path) ? std::move(inherited) : open_lock_file(path);
  if (!fd) return system_failure("cannot open " + path, errno);
  if (lock_soon(fd)) return fd;
  if (errno == EWOULDBLOCK) return failure("another vipd is running on " + directory + "; `vipctl status` asks it");
  return system_failure("cannot lock " + path, errno);
}

std::string claims_path(const DaemonOptions& options) { return options.runtime_dir + "/claims"; }

std::string journal_path(const DaemonOptions& options) { return options.runtime_dir + "/hooks.journal"; }

std::string in_force_path(const DaemonOptions& options) { return options.runtime_dir + "/in-force"; }

std::string unconfirmed_path(const DaemonOptions& options) {
  return options.state_dir + "/unconfirmed" + mark_of(options.runtime_dir) + ".json";
}

std::string runner_state_dir(const DaemonOptions& options) {
  std::error_code error;
  const auto directory = std::filesystem::absolute(options.state_dir + "/", error).lexically_normal().parent_path();
  return directory.string() + "-runner";
}

Result<LoadedConfig> last_confirmed(Result<LoadedConfig> now, Purpose purpose, const DaemonOptions& options) {
  if (!now) return now;
  FileStore store;
  auto texts = UnconfirmedConfig(store, unconfirmed_path(options)).before(now->sources);
  if (!texts) return now;
  if (!is_ours_alone(options.state_dir)) {
    log_warning("{} is skipped: other users may write in its directory", unconfirmed_path(options));
    return now;
  }
  KeptConfig kept;
  kept.files = *std::move(texts);
  LoadedConfig before = load_kept(options.config, kept, purpose);
  if (!before.config) {
    log_error("{} was on trial and was not confirmed, but the previous configuration is no longer usable:\n{}",
              options.config, before.report(false));
    return now;
  }
  log_warning(
      "{} was on trial and was not confirmed: vipd starts with the previous configuration; to put the files in "
      "force: vipctl reload",
      options.config);
  return before;
}

std::optional<KeptConfig> was_in_force(const HandOver& left, const DaemonOptions& options) {
  FileStore store;
  auto kept = from_record(read_sealed_memory(left.in_force));
  if (!kept && is_ours_alone(options.runtime_dir)) kept = ConfigHistory(store, in_force_path(options)).newest();
  return kept && kept->files.front().name == options.config ? std::move(kept) : std::nullopt;
}

std::vector<InstanceConfig> instances_before(const LoadedConfig& now, const DaemonOptions& options) {
  FileStore store;
  std::vector<InstanceConfig> before;
  const auto is_known = [&](const InstanceConfig& each) {
    return std::ranges::count(before, each) > 0 || (now.config && std::ranges::count(now.config->instances, each) > 0);
  };
  for (const KeptConfig& kept : ConfigHistory(store, in_force_path(options)).list()) {
    if (kept.files == now.sources) continue;
    for (auto& each : parse_config(kept.files, host_name()).config.value_or(Config()).instances)
      if (!is_known(each)) before.push_back(std::move(each));
  }
  return before;
}

}  // namespace vipd
