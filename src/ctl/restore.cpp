#include "vipd/ctl/restore.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "vipd/os/fd.hpp"
#include "vipd/os/octets.hpp"

namespace vipd {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // the kernel's limit, path_resolution(7)
constexpr std::size_t kLongestLink = 4096;

/// The end of a path, all links followed.
struct Place {
  Fd directory;
  std::string name;
  std::optional<struct stat> present = {};  ///< nullopt: no file is there
};

bool is_ours(const struct stat& status) { return status.st_uid == 0 || status.st_uid == ::geteuid(); }

/// True if only root and the caller can replace `entry` in `directory`. Without `entry`: if only they can add a file.
bool is_safe(const struct stat& directory, const std::optional<struct stat>& entry) {
  if (!is_ours(directory)) return false;
  if ((directory.st_mode & (S_IWGRP | S_IWOTH)) == 0) return true;
  return (directory.st_mode & S_ISVTX) != 0 && entry && is_ours(*entry);
}

/// Follows a path one name at a time and checks for each directory on the way which users may change it.
class Walk {
 public:
  explicit Walk(fs::path path) : path_(std::move(path)) { prepend(path_); }

  Result<Place> to_the_end();

 private:
  void prepend(const fs::path& path);
  Result<std::optional<struct stat>> look_at(const std::string& name) const;
  Result<void> follow(const std::string& link);
  Result<void> enter(const std::string& name);

  const fs::path path_;
  std::deque<std::string> left_;
  Fd at_;
  int links_ = 0;
};

void Walk::prepend(const fs::path& path) {
  std::deque<std::string> names;
  for (const fs::path& each : path.relative_path())
    if (!each.empty() && each != ".") names.push_back(each);
  left_.insert(left_.begin(), names.begin(), names.end());
  if (path.is_absolute()) at_ = Fd(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Result<Place> Walk::to_the_end() {
  while (!left_.empty()) {
    const std::string name = left_.front();
    left_.pop_front();
    const auto entry = look_at(name);
    if (!entry) return std::unexpected(entry.error());
    const bool is_link = *entry && S_ISLNK((*entry)->st_mode);
    if (!is_link && left_.empty()) return Place{std::move(at_), name, *entry};
    const auto gone_on = is_link ? follow(name) : enter(name);
    if (!gone_on) return std::unexpected(gone_on.error());
  }
  return failure(path_.string() + " is a directory");
}

Result<std::optional<struct stat>> Walk::look_at(const std::string& name) const {
  struct stat directory{}, status{};
  std::optional<struct stat> entry;
  if (::fstat(at_.get(), &directory) < 0) return system_failure("cannot open " + path_.string(), errno);
  if (::fstatat(at_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
    entry = status;
  else if (errno != ENOENT)
    return system_failure("cannot open " + path_.string(), errno);
  if (is_safe(directory, entry)) return entry;
  std::array<char, 64> who;
  std::snprintf(who.data(), who.size(), "uid %u, mode %04o", directory.st_uid, directory.st_mode & 07777u);
  return failure(path_.string() + ": users other than root can replace " + name + " in its directory (" + who.data() +
                 "), so nothing is restored there");
}

Result<void> Walk::follow(const std::string& link) {
  std::array<char, kLongestLink> target;
  const ssize_t size = ::readlinkat(at_.get(), link.c_str(), target.data(), target.size());
  if (size < 0) return system_failure("cannot follow " + path_.string(), errno);
  if (size == std::ssize(target) || ++links_ > kMostLinks) return system_failure(path_.string(), ELOOP);
  prepend(std::string(target.data(), static_cast<std::size_t>(size)));
  return {};
}

Result<void> Walk::enter(const std::string& name) {
  Fd next(::openat(at_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!next) return system_failure("cannot open " + path_.string(), errno);
  at_ = std::move(next);
  return {};
}

/// The access rights of a file.
struct Rights {
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0600;
  std::vector<std::pair<const char*, std::string>> attributes = {};  ///< access control lists and labels, xattr(7)
};

Rights rights_of(const Place& place) {
  Rights rights{place.present->st_uid, place.present->st_gid, place.present->st_mode & 07777u};
  const Fd fd(::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  for (const char* name : {"system.posix_acl_access", "security.selinux"}) {
    std::array<char, 4096> value;
    const ssize_t size = ::fgetxattr(fd.get(), name, value.data(), value.size());
    if (size > 0) rights.attributes.emplace_back(name, std::string(value.data(), static_cast<std::size_t>(size)));
  }
  return rights;
}

/// The rights that the package advises for a file with secrets.
Rights usual_rights() {
  const ::group* group = ::getgrnam("vipd");
  return group == nullptr ? Rights{::geteuid(), ::getegid()} : Rights{::geteuid(), group->gr_gid, 0640};
}

Result<std::string> read_text(const Place& place) {
  const Fd fd(::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::string text;
  if (!fd || !read_all(fd, text, std::numeric_limits<std::size_t>::max()))
    return system_failure("cannot read the file", errno);
  return text;
}

/// Gives a new file its rights before its content, so that the content is never readable to other users.
Result<void> give(const Fd& fd, const Rights& rights) {
  if (::fchown(fd.get(), rights.owner, rights.group) < 0)
    return system_failure("cannot keep the owner of the file", errno);
  if (::fchmod(fd.get(), rights.mode) < 0) return system_failure("cannot keep the mode of the file", errno);
  for (const auto& [name, value] : rights.attributes)
    if (::fsetxattr(fd.get(), name, value.data(), value.size(), 0) < 0)
      return system_failure(std::string("cannot keep the attribute ") + name, errno);
  return {};
}

Result<void> write_text(const Fd& fd, const std::string& text) {
  return !write_all(fd, text) || ::fsync(fd.get()) < 0 ? system_failure("cannot write the file", errno) : Result<void>();
}

/// All files that are to change. They are prepared beside their targets; then all change, or none.
class Restoration {
 public:
  Restoration() = default;
  Restoration(const Restoration&) = delete;
  Restoration& operator=(const Restoration&) = delete;
  ~Restoration();

  /// Plans that `path` gets this text; nothing is planned if it has it. A missing file gets the rights of the file at
  /// `main`.
  Result<void> replace(const fs::path& path, const std::string& text, const fs::path& main);
  /// Plans that `path` is renamed, so that vipd does not read it.
  Result<void> move_away(const fs::path& path);
  /// Carries out the plan. Returns the steps that were done, a line each.
  Result<std::vector<std::string>> carry_out();

 private:
  struct Step {
    Place place;
    fs::path path;
    std::string fresh;  ///< name of the new file; empty if the old one is only moved away
    bool done = false;
    std::string copy() const { return place.name + std::string(kBeforeRestore); }
  };

  static Result<void> write_fresh(const Step& step, const std::string& text, const Rights& rights);
  static Result<void> carry_out(Step& step);
  static void undo(const Step& step);

  std::vector<Step> steps_;
};

Restoration::~Restoration() {
  for (const Step& step : steps_)
    if (!step.fresh.empty() && !step.done) ::unlinkat(step.place.directory.get(), step.fresh.c_str(), 0);
}

Result<void> Restoration::replace(const fs::path& path, const std::string& text, const fs::path& main) {
  auto place = Walk(path).to_the_end();
  if (!place) return std::unexpected(place.error());
  Rights rights = usual_rights();
  if (place->present) {
    if (!S_ISREG(place->present->st_mode)) return failure(path.string() + " is not a file");
    const auto before = read_text(*place);
    if (!before) return failure(path.string() + ": " + before.error().message);
    if (*before == text) return {};
    rights = rights_of(*place);
  } else if (const auto like = Walk(main).to_the_end(); like && like->present && S_ISREG(like->present->st_mode)) {
    rights = rights_of(*like);
  }
  const std::string fresh = "." + place->name + ".restored";
  steps_.push_back({.place = std::move(*place), .path = path, .fresh = fresh});
  const auto written = write_fresh(steps_.back(), text, rights);
  return written ? written
                 : std::unexpected(Error{path.string() + ": " + written.error().message, written.error().code});
}

Result<void> Restoration::write_fresh(const Step& step, const std::string& text, const Rights& rights) {
  const int directory = step.place.directory.get();
  ::unlinkat(directory, step.fresh.c_str(), 0);  // left by a previous vipctl that was killed
  const Fd fd(::openat(directory, step.fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return system_failure("cannot make a new file in its directory", errno);
  const auto given = give(fd, rights);
  return given ? write_text(fd, text) : given;
}

Result<void> Restoration::move_away(const fs::path& path) {
  auto place = Walk(path).to_the_end();
  if (!place) return std::unexpected(place.error());
  if (place->present) steps_.push_back({.place = std::move(*place), .path = path, .fresh = ""});
  return {};
}

Result<std::vector<std::string>> Restoration::carry_out() {
  std::vector<std::string> said;
  for (auto step = steps_.begin(); step != steps_.end(); ++step) {
    if (const auto done = carry_out(*step); !done) {
      while (step != steps_.begin()) undo(*--step);
      return std::unexpected(done.error());
    }
    said.push_back(step->fresh.empty()
                       ? "moved away " + step->path.string() + ", which the restored configuration does not have"
                       : "restored " + step->path.string());
  }
  return said;
}

/// Replaces one file. The old file itself becomes the copy, with all its rights, and the path never lacks a file.
Result<void> Restoration::carry_out(Step& step) {
  const int directory = step.place.directory.get();
  const std::string copy = step.copy();
  const auto failed = [&] { return system_failure("cannot replace " + step.path.string(), errno); };
  if (step.place.present && step.fresh.empty()) {
    if (::renameat(directory, step.place.name.c_str(), directory, copy.c_str()) < 0) return failed();
  } else {
    if (step.place.present) {
      if (::unlinkat(directory, copy.c_str(), 0) < 0 && errno != ENOENT) return failed();
      if (::linkat(directory, step.place.name.c_str(), directory, copy.c_str(), 0) < 0) return failed();
    }
    if (::renameat(directory, step.fresh.c_str(), directory, step.place.name.c_str()) < 0) return failed();
  }
  step.done = true;
  return {};
}

void Restoration::undo(const Step& step) {
  const int directory = step.place.directory.get();
  if (step.place.present)
    (void)!::renameat(directory, step.copy().c_str(), directory, step.place.name.c_str());
  else
    ::unlinkat(directory, step.place.name.c_str(), 0);
}

bool is_fragment(const fs::path& path) {
  const std::string name = path.filename();
  return name.ends_with(".toml") && !name.starts_with('.');
}

/// Where a file of a kept configuration belongs. Its main file was `main` then and is `config` now. The history decides
/// only about names in conf.d.
Result<fs::path> path_of(const fs::path& kept, const fs::path& main, const fs::path& config) {
  if (kept == main) return config;
  if (kept.parent_path() != main.parent_path() / "conf.d" || !is_fragment(kept))
    return failure("the kept configuration is damaged: a file is neither vipd.toml nor in conf.d");
  return config.parent_path() / "conf.d" / kept.filename();
}

/// The texts of a kept configuration's files, by the paths where they belong.
Result<std::vector<std::pair<fs::path, std::string>>> texts_of(const Document& configuration, const fs::path& config) {
  const Document& files = member(configuration, "files");
  if (!files.is_array() || files.empty()) return failure("the kept configuration is damaged: it has no files");
  std::vector<std::pair<fs::path, std::string>> texts;
  std::set<fs::path> known;
  fs::path main;
  for (const Document& file : files) {
    const Document &path = member(file, "path"), &text = member(file, "text");
    if (!path.is_string() || !text.is_string()) return failure("the kept configuration is damaged: a file has no text");
    if (texts.empty()) main = path.get<std::string>();
    auto where = path_of(path.get<std::string>(), main, config);
    if (!where) return std::unexpected(where.error());
    if (!known.insert(*where).second) return failure("the kept configuration is damaged: a file occurs twice");
    texts.emplace_back(std::move(*where), text.get<std::string>());
  }
  return texts;
}

/// The files that vipd would read in conf.d beside `config` and that are not in `texts`.
std::set<fs::path> newcomers(const fs::path& config, const std::vector<std::pair<fs::path, std::string>>& texts) {
  std::set<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(config.parent_path() / "conf.d", error), end; !error && it != end; it.increment(error))
    if (is_fragment(it->path())) found.insert(it->path());
  for (const auto& [path, text] : texts) found.erase(path);
  return found;
}

}  // namespace

Result<std::vector<std::string>> restore_files(const Document& configuration, const std::string& config) {
  std::error_code error;
  const fs::path main = fs::absolute(config, error);
  const auto texts = texts_of(configuration, main);
  if (!texts) return std::unexpected(texts.error());
  Restoration restoration;
  for (const auto& [path, text] : *texts)
    if (const auto prepared = restoration.replace(path, text, main); !prepared)
      return std::unexpected(prepared.error());
  for (const fs::path& path : newcomers(main, *texts))
    if (const auto prepared = restoration.move_away(path); !prepared) return std::unexpected(prepared.error());
  return restoration.carry_out();
}

}  // namespace vipd
