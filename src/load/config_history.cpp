#include "vipd/load/config_history.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "vipd/load/config_files.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/json.hpp"
#include "vipd/os/state_file.hpp"

namespace vipd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "vipd.kept-config/1";
constexpr const char* kUnconfirmedSchema = "vipd.unconfirmed-config/1";

Result<void> write_whole(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  const Fd fd = create_state_file(temporary);
  if (!fd) return system_failure("cannot write " + temporary, errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t size = ::write(fd.get(), text.data() + done, text.size() - done);
    if (size < 0 && errno != EINTR) return system_failure("cannot write " + temporary, errno);
    if (size > 0) done += static_cast<std::size_t>(size);
  }
  if (::fsync(fd.get()) < 0 || !rename_state_file(temporary, path))
    return system_failure("cannot write " + path, errno);
  return {};
}

/// Null if it is none or of another schema.
Json document_in(const std::string& text, const char* schema) {
  Json document = parse_json(text);
  if (!document.is_object() || document.value("schema", Json()) != schema) return nullptr;
  return document;
}

Json document_of(const std::vector<ConfigSource>& files) {
  Json list = Json::array();
  for (const ConfigSource& file : files) list.push_back({{"path", file.name}, {"text", file.text}});
  return list;
}

/// Throws Json::exception if `list` is no list of files.
std::vector<ConfigSource> files_of(const Json& list) {
  std::vector<ConfigSource> files;
  for (const Json& one : list) files.push_back({one.at("path"), one.at("text")});
  return files;
}

std::optional<KeptConfig> read_kept(const fs::path& path, std::uint64_t number) {
  auto kept = from_record(read_state_file(path));
  if (kept) kept->number = number;
  return kept;
}

/// "17.json" is 17; nothing else has a number.
std::optional<std::uint64_t> number_of(const fs::path& path) {
  const std::string name = path.stem();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_one = path.extension() == ".json" && error == std::errc() && end == name.data() + name.size();
  return is_one ? std::optional(number) : std::nullopt;
}

std::vector<std::uint64_t> numbers_in(const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    if (const auto number = number_of(it->path())) numbers.push_back(*number);
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace

std::string config_hash(const std::vector<ConfigSource>& files) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const ConfigSource& file : files) {
    const std::string name = fs::path(file.name).filename(), size = std::to_string(file.text.size());
    for (const std::string* part : {&name, &size, &file.text})  // with its final zero, which no name contains
      crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(part->c_str()), part->size() + 1);
  }
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256_final(&state, digest.data());
  std::array<char, 2 * digest.size() + 1> hex;
  return sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
}

std::string to_record(const KeptConfig& kept) {
  Json document{{"schema", kSchema}, {"time", kept.time}, {"sha256", kept.sha256}, {"files", document_of(kept.files)}};
  if (kept.hooks) document["hooks"] = *kept.hooks;
  return to_text(document) + "\n";
}

std::optional<KeptConfig> from_record(const std::string& text) {
  const Json document = document_in(text, kSchema);
  if (document.is_null()) return std::nullopt;
  try {
    KeptConfig kept{0, document.at("time"), document.at("sha256"), files_of(document.at("files"))};
    if (document.contains("hooks")) kept.hooks = document["hooks"].get<std::vector<std::string>>();
    const bool sound = kept.sha256 == config_hash(kept.files) && are_within_limits(kept.files);
    return sound ? std::optional(std::move(kept)) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;  // damaged
  }
}

std::string ConfigHistory::path_of(std::uint64_t number) const {
  return directory_ + "/" + std::to_string(number) + ".json";
}

Result<std::uint64_t> ConfigHistory::keep(const std::vector<ConfigSource>& files, const std::string& time) {
  if (const auto made = make_state_directory(directory_); !made) return std::unexpected(made.error());
  const std::vector<std::uint64_t> numbers = numbers_in(directory_);
  const std::uint64_t newest = numbers.empty() ? 0 : numbers.back();
  const std::string sha256 = config_hash(files);
  const auto before = this->newest();
  if (before && before->sha256 == sha256) return newest;

  const auto written = write_whole(path_of(newest + 1), to_record({0, time, sha256, files}));
  if (!written) return std::unexpected(written.error());
  for (std::size_t i = 0; i + kKept <= numbers.size(); ++i) remove_state_file(path_of(numbers[i]));
  return newest + 1;
}

std::optional<KeptConfig> ConfigHistory::newest() const {
  const std::vector<std::uint64_t> numbers = numbers_in(directory_);
  return numbers.empty() ? std::nullopt : read_kept(path_of(numbers.back()), numbers.back());
}

std::optional<KeptConfig> ConfigHistory::find(const std::string& hash) const {
  std::vector<KeptConfig> all = list();
  const auto found = std::ranges::find(all.rbegin(), all.rend(), hash, &KeptConfig::sha256);
  return found == all.rend() ? std::nullopt : std::optional(std::move(*found));
}

void ConfigHistory::drop_all_but(const std::vector<std::string>& hashes) {
  std::error_code error;
  for (const std::uint64_t number : numbers_in(directory_)) {
    const auto kept = read_kept(path_of(number), number);
    if (!kept || std::ranges::find(hashes, kept->sha256) == hashes.end()) fs::remove(path_of(number), error);
  }
}

void ConfigHistory::drop_older() {
  std::vector<std::uint64_t> numbers = numbers_in(directory_);
  if (!numbers.empty()) numbers.pop_back();
  for (const std::uint64_t number : numbers) remove_state_file(path_of(number));
}

std::vector<KeptConfig> ConfigHistory::list() const {
  std::vector<KeptConfig> all;
  for (const std::uint64_t number : numbers_in(directory_))
    if (auto kept = read_kept(path_of(number), number)) all.push_back(*std::move(kept));
  return all;
}

Result<void> UnconfirmedConfig::keep(const std::vector<ConfigSource>& tried, const std::vector<ConfigSource>& before) {
  const Json document{{"schema", kUnconfirmedSchema},
                      {"tried_sha256", config_hash(tried)},
                      {"before_sha256", config_hash(before)},
                      {"before", document_of(before)}};
  return write_whole(path_, to_text(document) + "\n");
}

bool UnconfirmedConfig::exists() const { return ::access(path_.c_str(), F_OK) == 0 || errno != ENOENT; }

Result<void> UnconfirmedConfig::drop() {
  if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return {};
  return system_failure("cannot remove " + path_, errno);
}

std::optional<std::vector<ConfigSource>> UnconfirmedConfig::before(const std::vector<ConfigSource>& files) const {
  const Json document = document_in(read_state_file(path_), kUnconfirmedSchema);
  if (document.is_null()) return std::nullopt;
  try {
    if (document.at("tried_sha256") != config_hash(files)) return std::nullopt;
    auto before = files_of(document.at("before"));
    return document.at("before_sha256") == config_hash(before) ? std::optional(std::move(before)) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;  // damaged
  }
}

std::string mark_of(const std::string& runtime_dir) {
  std::error_code error;
  std::string mark = std::filesystem::absolute(runtime_dir, error).lexically_normal();
  if (mark.ends_with('/')) mark.pop_back();
  if (mark == "/run/vipd") return "";  // the runtime directory of the service
  std::ranges::replace(mark, '/', '+');
  return mark;
}

}  // namespace vipd
