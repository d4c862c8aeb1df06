#include "vipd/config/secret.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "vipd/config/schema.hpp"

namespace vipd {

namespace {

constexpr auto kSecretWords =
    std::to_array<std::string_view>({"pass", "secret", "auth", "token", "psk", "credential", "private"});

constexpr std::string_view kBlanks = " \t";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

/// True for a key that the schema marks as secret, and for its misspellings.
bool is_near_marked_key(std::string_view name) {
  std::vector<std::string_view> marked;
  for (const KeySpec& key : schema())
    if (key.secret) marked.push_back(last_part(key.name));
  return !nearest(name, marked).empty();
}

std::size_t skip_blanks(std::string_view line, std::size_t at) {
  return std::min(line.find_first_not_of(kBlanks, at), line.size());
}

/// A key in a line, which may be dotted.
struct WrittenKey {
  std::vector<std::string_view> parts;
  std::size_t end = 0;

  bool is_in_keys() const {
    const auto first = std::ranges::find_if_not(parts, &std::string_view::empty);
    return first != parts.end() && *first == "key";
  }
  bool is_secret() const { return std::ranges::any_of(parts, is_secret_key); }
};

/// Reads a key at `at`; its end is `at` if there is none.
WrittenKey read_key(std::string_view line, std::size_t at) {
  WrittenKey key{.parts = {}, .end = at};
  while (at < line.size()) {
    const char quote = line[at];
    const bool is_quoted = quote == '"' || quote == '\'';
    const std::size_t begin = is_quoted ? at + 1 : at;
    const std::size_t end =
        std::min(is_quoted ? line.find(quote, begin) : line.find_first_of(" \t.=,]{}[\"'#", begin), line.size());
    key.parts.push_back(line.substr(begin, end - begin));
    key.end = std::min(is_quoted ? end + 1 : end, line.size());
    at = skip_blanks(line, key.end);
    if (at == line.size() || line[at] != '.') return key;
    at = skip_blanks(line, at + 1);
  }
  return key;
}

/// Masks a text line by line; knows the section, and whether a secret continues from the previous line.
class Masker {
 public:
  std::string mask(std::string_view line);

 private:
  std::size_t find_secret(std::string_view line) const;
  bool starts_secret(const WrittenKey& key) const { return in_keys_ || key.is_in_keys() || key.is_secret(); }
  void begin_secret(std::string_view value);

  bool in_keys_ = false;     ///< true below a header [key.NAME]
  std::string_view closer_;  ///< the quotes that end a secret which continues; empty if none does
};

std::string Masker::mask(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  const std::string_view trimmed = line.substr(0, last == line.npos ? 0 : last + 1);
  if (!closer_.empty()) {
    if (trimmed.ends_with(closer_)) closer_ = {};
    return "***";
  }
  const std::size_t start = skip_blanks(trimmed, 0);
  if (trimmed.substr(start).starts_with('[')) {
    const std::size_t name = std::min(trimmed.find_first_not_of("[ \t", start), trimmed.size());
    in_keys_ = read_key(trimmed, name).is_in_keys();
    return std::string(line);
  }
  const std::size_t secret = find_secret(trimmed);
  if (secret >= trimmed.size()) return std::string(line);
  begin_secret(trimmed.substr(secret));
  return std::string(line.substr(0, secret)) + "***";
}

/// The offset of the first secret value of the line, or the size of the line. At the start of the line a key may lack
/// its "="; elsewhere it follows "{" or "," and has one.
std::size_t Masker::find_secret(std::string_view line) const {
  for (std::size_t at = 0; at < line.size(); at = std::min(line.find_first_of("{,", at), line.size() - 1) + 1) {
    const std::size_t begin = skip_blanks(line, at);
    const WrittenKey key = read_key(line, begin);
    const std::size_t next = skip_blanks(line, key.end);
    const bool has_equals = line.substr(next).starts_with('=');
    if (key.end == begin || (at > 0 && !has_equals) || !starts_secret(key)) continue;  // most entries lack a "="
    return has_equals ? skip_blanks(line, next + 1) : next;
  }
  return line.size();
}

/// Notes whether a value continues on the next lines. A value that ends within a line counts as continuing.
void Masker::begin_secret(std::string_view value) {
  constexpr auto kPairs =
      std::to_array<std::array<std::string_view, 2>>({{"\"\"\"", "\"\"\""}, {"'''", "'''"}, {"[", "]"}});
  for (const auto& [opener, closer] : kPairs) {
    if (!value.starts_with(opener)) continue;
    const bool ends_here = value.size() >= opener.size() + closer.size() && value.ends_with(closer);
    if (!ends_here) closer_ = closer;
    return;
  }
}

}  // namespace

bool is_secret_key(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  if (name.size() > kLongest) return true;
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), lower);
  const auto is_part = [&](std::string_view word) { return folded.find(word) != std::string::npos; };
  return std::ranges::any_of(kSecretWords, is_part) || is_near_marked_key(name);
}

std::string hide_secrets(std::string_view text) {
  Masker masker;
  std::string result;
  while (true) {
    const std::size_t end = text.find('\n');
    result += masker.mask(text.substr(0, end));
    if (end == std::string_view::npos) return result;
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace vipd
