#include "vipd/load/config_history.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>

#include "vipd/load/config_files.hpp"
#include "vipd/os/json.hpp"

namespace vipd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "vipd.kept-config/1";
constexpr const char* kUnconfirmedSchema = "vipd.unconfirmed-config/1";

/// Writes a file of one record, which survives a boot.
Result<void> keep_text(Store& store, const std::string& name, const std::string& text) {
  const Record record{text};
  const auto file = store.replace(name, {&record, 1}, Store::Sync::yes);
  return file ? Result<void>() : std::unexpected(file.error());
}

/// The text in a file of one record; "" if there is no such file, or if it is damaged.
std::string text_in(const Store& store, const std::string& name) {
  return only_text(store.read(name).value_or(Records()));
}

/// The JSON document in `text`; null if it is no JSON or has another schema.
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

/// The files in a JSON list. Throws Json::exception if `list` is no list of files.
std::vector<ConfigSource> files_of(const Json& list) {
  std::vector<ConfigSource> files;
  for (const Json& one : list) files.push_back({one.at("path"), one.at("text")});
  return files;
}

/// The number of a file: 17 for "17.json", nullopt for other names.
std::optional<std::uint64_t> number_of(const fs::path& path) {
  const std::string name = path.stem();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_one = path.extension() == ".json" && error == std::errc() && end == name.data() + name.size();
  return is_one ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string config_hash(const std::vector<ConfigSource>& files) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const ConfigSource& file : files) {
    const std::string name = fs::path(file.name).filename(), size = std::to_string(file.text.size());
    for (const std::string* part : {&name, &size, &file.text})  // hashed with its final NUL, which no name contains
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

std::vector<std::uint64_t> ConfigHistory::numbers() const {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : store_->names_in(directory_))
    if (const auto number = number_of(name)) numbers.push_back(*number);
  std::ranges::sort(numbers);
  return numbers;
}

std::optional<KeptConfig> ConfigHistory::read(std::uint64_t number) const {
  auto kept = from_record(text_in(*store_, path_of(number)));
  if (kept) kept->number = number;
  return kept;
}

Result<std::uint64_t> ConfigHistory::keep(const std::vector<ConfigSource>& files, const std::string& time) {
  if (const auto made = store_->make_directory(directory_); !made) return std::unexpected(made.error());
  const std::vector<std::uint64_t> before = numbers();
  const std::uint64_t newest = before.empty() ? 0 : before.back();
  const std::string sha256 = config_hash(files);
  const auto last = this->newest();
  if (last && last->sha256 == sha256) return newest;

  const auto kept = keep_text(*store_, path_of(newest + 1), to_record({0, time, sha256, files}));
  if (!kept) return std::unexpected(kept.error());
  for (std::size_t i = 0; i + kKept <= before.size(); ++i) (void)store_->remove(path_of(before[i]));
  return newest + 1;
}

std::optional<KeptConfig> ConfigHistory::newest() const {
  const std::vector<std::uint64_t> all = numbers();
  return all.empty() ? std::nullopt : read(all.back());
}

std::optional<KeptConfig> ConfigHistory::find(const std::string& hash) const {
  std::vector<KeptConfig> all = list();
  const auto found = std::ranges::find(all.rbegin(), all.rend(), hash, &KeptConfig::sha256);
  return found == all.rend() ? std::nullopt : std::optional(std::move(*found));
}

void ConfigHistory::drop_all_but(const std::vector<std::string>& hashes) {
  for (const std::uint64_t number : numbers()) {
    const auto kept = read(number);
    if (!kept || std::ranges::find(hashes, kept->sha256) == hashes.end()) (void)store_->remove(path_of(number));
  }
}

void ConfigHistory::drop_older() {
  std::vector<std::uint64_t> all = numbers();
  if (!all.empty()) all.pop_back();
  for (const std::uint64_t number : all) (void)store_->remove(path_of(number));
}

std::vector<KeptConfig> ConfigHistory::list() const {
  std::vector<KeptConfig> all;
  for (const std::uint64_t number : numbers())
    if (auto kept = read(number)) all.push_back(*std::move(kept));
  return all;
}

Result<void> UnconfirmedConfig::keep(const std::vector<ConfigSource>& tried, const std::vector<ConfigSource>& before) {
  const Json document{{"schema", kUnconfirmedSchema},
                      {"tried_sha256", config_hash(tried)},
                      {"before_sha256", config_hash(before)},
                      {"before", document_of(before)}};
  return keep_text(*store_, name_, to_text(document) + "\n");
}

bool UnconfirmedConfig::exists() const {
  const auto file = store_->read(name_);
  return file || file.error().code != ENOENT;
}

Result<void> UnconfirmedConfig::drop() { return store_->remove(name_); }

std::optional<std::vector<ConfigSource>> UnconfirmedConfig::before(const std::vector<ConfigSource>& files) const {
  const Json document = document_in(text_in(*store_, name_), kUnconfirmedSchema);
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
  if (mark == "/run/vipd") return "";  // this is the runtime directory of the service
  std::ranges::replace(mark, '/', '+');
  return mark;
}

}  // namespace vipd
