#include "vipd/ctl/restore.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

namespace vipd {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<void> move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return system_failure("cannot write " + to.string(), error.value());
  return {};
}

Result<void> write_text(const fs::path& path, const std::string& text) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (!file) return system_failure("cannot write " + path.string(), errno);
  return {};
}

/// Replaces what is at `path`; false if it is the same already.
Result<bool> put_back(const fs::path& path, const std::string& text) {
  const auto present = read_text(path);
  if (present == text) return false;
  const fs::path fresh = path.string() + ".restored";
  if (auto written = write_text(fresh, text); !written) return std::unexpected(written.error());
  std::error_code ignored;
  if (present) fs::permissions(fresh, fs::status(path).permissions(), ignored);
  if (present)
    if (auto written = write_text(path.string() + std::string(kBeforeRestore), *present); !written)
      return std::unexpected(written.error());
  if (auto moved = move(fresh, path); !moved) return std::unexpected(moved.error());
  return true;
}

/// What vipd would read beside `main` and what was not there then.
std::set<fs::path> newcomers(const fs::path& main, const Document& files) {
  std::set<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(main.parent_path() / "conf.d", error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".toml" && !it->path().filename().string().starts_with('.')) found.insert(it->path());
  for (const Document& file : files) found.erase(text_at(file, "path"));
  return found;
}

}  // namespace

Result<std::vector<std::string>> restore_files(const Document& configuration) {
  const Document& files = member(configuration, "files");
  if (!files.is_array() || files.empty()) return failure("the daemon's answer is broken: it has no files");
  std::vector<std::string> done;
  for (const Document& file : files) {
    const std::string path = text_at(file, "path");
    const Document& text = member(file, "text");
    if (path.empty() || !text.is_string()) return failure("the daemon's answer is broken: a file without its text");
    const auto written = put_back(path, text.get<std::string>());
    if (!written) return std::unexpected(written.error());
    if (*written) done.push_back("restored " + path);
  }
  for (const fs::path& path : newcomers(text_at(files.front(), "path"), files)) {
    const auto moved = move(path, path.string() + std::string(kBeforeRestore));
    if (!moved) return std::unexpected(moved.error());
    done.push_back("moved away " + path.string() + ", which did not exist then");
  }
  return done;
}

}  // namespace vipd
