#include "vipd/load/config_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <memory>
#include <set>

#include "vipd/os/fd.hpp"
#include "vipd/os/program_file.hpp"

namespace vipd {
namespace {

constexpr std::size_t kMaxFiles = 256;
constexpr std::size_t kMaxTotal = 8 << 20;

/// One octet more than parse_config() takes of a file: a longer file is refused anyway.
constexpr std::size_t kEnoughRead = (1 << 20) + 1;

Result<std::string> read_all(const Fd& fd, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer;
  ssize_t size = 0;
  while (text.size() < kEnoughRead && (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  if (size < 0) return system_failure("cannot read " + path, errno);
  return text;
}

bool is_fragment(std::string_view name) { return name.ends_with(".toml") && !name.starts_with('.'); }

/// True if the name is that of a program, and not of a file that an editor or a package manager left.
bool is_hook(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  return !name.starts_with('.') && !name.ends_with('~') && !has(".dpkg-") && !has(".rpm") && !has(".ucf-");
}

/// The names in `directory` for which `counts` is true, in byte order; none if there is no such directory.
Result<std::vector<std::string>> names_in(const std::string& directory, bool (*counts)(std::string_view)) {
  struct Closer {
    void operator()(DIR* open) const { ::closedir(open); }
  };
  std::vector<std::string> names;
  const std::unique_ptr<DIR, Closer> open(::opendir(directory.c_str()));
  if (!open && errno == ENOENT) return names;
  if (!open) return system_failure("cannot read " + directory, errno);
  errno = 0;
  while (const dirent* entry = ::readdir(open.get())) {
    if (!counts(entry->d_name)) continue;
    if (names.size() == kMaxFiles) return failure(directory + " has more than " + std::to_string(kMaxFiles) + " files");
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return system_failure("cannot read " + directory, errno);
  std::ranges::sort(names);
  return names;
}

/// The directory of `path` with its final slash; "" if `path` is a name alone.
std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

/// True for a pipe that a shell hands over as /dev/fd/63: it has no path at which others could put a file.
bool is_unnamed_pipe(const Fd& fd) {
  struct statfs system{};
  return ::fstatfs(fd.get(), &system) == 0 && system.f_type == PIPEFS_MAGIC;
}

/// Opens a file of the configuration. O_NONBLOCK: a named pipe without a writer, or a terminal, must not block.
Result<Fd> open_file(const std::string& path, struct stat& status) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd || ::fstat(fd.get(), &status) < 0) return system_failure("cannot read " + path, errno);
  if (is_unnamed_pipe(fd)) {
    ::fcntl(fd.get(), F_SETFL, O_RDONLY);
    return fd;
  }
  if (!S_ISREG(status.st_mode)) return failure("cannot read " + path + ": it is not a file");
  return fd;
}

/// Reads the files of a configuration one after another and examines who may write them.
class FileReader {
 public:
  Result<ConfigFiles> read(const std::string& path);

 private:
  Result<void> read_file(const std::string& path);
  Result<void> add(const std::string& path, const Fd& fd, const struct stat& status);
  void judge_directory(const std::string& path);
  void judge(const std::string& path, const struct stat& status);

  ConfigFiles files_;
  std::set<std::string> said_;  ///< reasons that were reported: a directory may be above several files
  std::size_t total_ = 0;
};

Result<ConfigFiles> FileReader::read(const std::string& path) {
  if (const auto done = read_file(path); !done) return std::unexpected(done.error());
  const std::string directory = directory_of(path) + "conf.d";
  const auto names = names_in(directory, is_fragment);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names)
    if (const auto done = read_file(directory + "/" + name); !done) return std::unexpected(done.error());
  for (const char* beside : {"conf.d", "hooks.d"}) judge_directory(directory_of(path) + beside);
  auto hooks = find_shared_hooks(path);
  if (!hooks) return std::unexpected(hooks.error());
  files_.hooks = std::move(*hooks);
  return std::move(files_);
}

Result<void> FileReader::read_file(const std::string& path) {
  struct stat status{};
  const auto fd = open_file(path, status);
  return fd ? add(path, *fd, status) : std::unexpected(fd.error());
}

Result<void> FileReader::add(const std::string& path, const Fd& fd, const struct stat& status) {
  auto text = read_all(fd, path);
  if (!text) return std::unexpected(text.error());
  total_ += text->size();
  if (total_ > kMaxTotal) return failure("the configuration is larger than 8 MiB");
  files_.sources.push_back({path, std::move(*text)});
  if (S_ISREG(status.st_mode)) judge(path, status);
  return {};
}

void FileReader::judge_directory(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) judge(path, status);
}

/// Judges who may change a file: that user decides which programs run as root.
void FileReader::judge(const std::string& path, const struct stat& status) {
  std::error_code error;
  const auto fault = examine_configuration(std::filesystem::absolute(path, error), status);
  if (!fault || !said_.insert(fault->reason).second) return;
  Diagnostic diagnostic;
  diagnostic.severity = Severity::warning;
  diagnostic.kind = "permissions";
  diagnostic.file = static_cast<int>(files_.sources.size()) - 1;
  diagnostic.message = fault->reason + ": no program that the configuration names is run as root";
  diagnostic.hint = fault->remedy;
  files_.permissions.push_back(std::move(diagnostic));
}

}  // namespace

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// The programs are only listed: check_programs() judges them with all others.
Result<std::vector<std::string>> find_shared_hooks(const std::string& path) {
  std::error_code error;
  const std::string directory = std::filesystem::absolute(path, error).parent_path() / "hooks.d";
  auto names = names_in(directory, is_hook);
  if (!names) return names;
  for (std::string& name : *names) name.insert(0, directory + "/");
  return names;
}

bool are_within_limits(const std::vector<ConfigSource>& files) {
  std::size_t total = 0;
  for (const ConfigSource& file : files) total += file.text.size();
  return !files.empty() && files.size() <= kMaxFiles + 1 && total <= kMaxTotal;  // conf.d and the main file
}

Result<ConfigFiles> read_config_files(const std::string& path) { return FileReader().read(path); }

}  // namespace vipd
