#include "vipd/ctl/config_history.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>
#include <memory>

#include "vipd/base/record.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/octets.hpp"

namespace vipd {
namespace {

constexpr std::size_t kLargestFile = kRecordHead + kLargestPayload;

/// Opens a file or directory that belongs to root or the caller and that no other user can write.
Result<Fd> open_own(int directory, const std::string& name, int flags) {
  Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) < 0) return system_failure(name, errno);
  if ((status.st_uid != 0 && status.st_uid != ::geteuid()) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return failure(name + ": users other than root may write there, so vipctl does not trust it");
  return fd;
}

Result<Fd> open_history(const std::string& state_dir) {
  const auto explained = [&](const Error& error) -> std::unexpected<Error> {
    if (error.code == EACCES)
      return std::unexpected(Error{"only root may read previous configurations; use sudo", EACCES});
    if (error.code == ENOENT) return failure("vipd-runner has kept no configuration in " + state_dir);
    return std::unexpected(error);
  };
  const auto above = open_own(AT_FDCWD, state_dir, O_DIRECTORY);
  if (!above) return explained(above.error());
  auto history = open_own(above->get(), "history", O_DIRECTORY);
  return history ? std::move(history) : explained(history.error());
}

/// The text that the file keeps; "" if it is damaged or if others could have written it.
std::string read_kept_text(const Fd& directory, const std::string& name) {
  std::string octets;
  const auto fd = open_own(directory.get(), name, 0);
  return fd && read_all(*fd, octets, kLargestFile) ? only_text(read_records(octets)) : "";
}

/// The files of the history by their numbers: "17.json" is 17.
std::map<std::uint64_t, std::string> names_in(const Fd& directory) {
  struct Closer {
    void operator()(DIR* open) const { ::closedir(open); }
  };
  std::map<std::uint64_t, std::string> names;
  const std::unique_ptr<DIR, Closer> open(::fdopendir(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0)));
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string name = entry->d_name;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && std::string_view(end) == ".json") names[number] = name;
  }
  return names;
}

/// Makes the entry of the answer; null if the file is damaged.
Document entry_of(const Document& kept, std::uint64_t number, bool with_texts) {
  const Document& files = member(kept, "files");
  if (text_at(kept, "schema") != "vipd.kept-config/1" || !files.is_array() || files.empty()) return nullptr;
  Document entry{{"number", number}, {"time", text_at(kept, "time")}, {"sha256", text_at(kept, "sha256")}};
  entry["files"] = Document::array();
  for (const Document& file : files) {
    Document shown{{"path", member(file, "path")}};
    if (with_texts) shown["text"] = member(file, "text");  // raw octets: render_files() makes them safe for a terminal
    entry["files"].push_back(std::move(shown));
  }
  return entry;
}

}  // namespace

Result<Document> kept_configurations(const std::string& state_dir, std::optional<std::uint64_t> number) {
  const auto history = open_history(state_dir);
  if (!history) return std::unexpected(history.error());
  Document list = Document::array();
  for (const auto& [each, name] : names_in(*history)) {
    if (number && *number != each) continue;
    const Document kept = Document::parse(read_kept_text(*history, name), nullptr, false);
    if (Document entry = entry_of(kept, each, number.has_value()); !entry.is_null()) list.push_back(std::move(entry));
  }
  if (number && list.empty()) return failure("there is no such configuration; see: vipctl config list");
  return Document{{"schema", "vipd.config/1"}, {"configurations", std::move(list)}};
}

}  // namespace vipd
