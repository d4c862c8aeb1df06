#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "vipd/config/schema.hpp"
#include "vipd/config/text.hpp"

namespace vipd {
namespace {

/// A key of later versions, which docs and files may have. "" is the top level.
struct LaterKey {
  std::string_view table, name;
};

constexpr auto kLater = std::to_array<LaterKey>({
    {"", "key"},
    {"instance", "auth"},
});

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

/// Longer words are not compared with others.
constexpr std::size_t kLongestWord = 64;

/// The distance of optimal string alignment: insertions, deletions, replacements and swaps of neighbours. Case, and "-"
/// for "_", cost nothing. Both words have kLongestWord characters at most. A result of `enough` or more may be inexact.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t enough) {
  using Row = std::array<std::size_t, kLongestWord + 1>;
  Row before_last{}, last{}, row{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t least = row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = folded(a[i - 1]), y = folded(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (x == y ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && x == folded(b[j - 2]) && y == folded(a[i - 2]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > enough) return least;  // a swap may still reduce the distance by one
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

/// The characters of a word as a set of 64 bits; some characters share a bit.
std::uint64_t letters_of(std::string_view word) {
  std::uint64_t letters = 0;
  for (const char c : word) letters |= std::uint64_t{1} << (static_cast<unsigned char>(folded(c)) % 64);
  return letters;
}

/// True if two words differ in too many letters: an edit adds one letter at most and removes one at most.
bool are_far(std::uint64_t a, std::uint64_t b, std::size_t smallest) {
  return std::cmp_greater_equal(std::max(std::popcount(a & ~b), std::popcount(b & ~a)), smallest);
}

}  // namespace

const KeySpec* find_key(std::string_view table, std::string_view name) {
  for (const KeySpec& key : schema()) {
    if (key.table == table && key.name == name) return &key;
  }
  return nullptr;
}

bool is_group(std::string_view table, std::string_view name) {
  return std::ranges::any_of(schema(), [&](const KeySpec& key) {
    return key.table == table && key.name.starts_with(name) && key.name.substr(name.size()).starts_with('.');
  });
}

bool is_unsupported(std::string_view table, std::string_view name) {
  return std::ranges::any_of(kLater, [&](const LaterKey& key) { return key.table == table && key.name == name; });
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  if (word.size() > kLongestWord) return {};
  const std::uint64_t letters = letters_of(word);
  std::string_view best;
  std::size_t smallest = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  for (const std::string_view candidate : words) {
    const std::size_t longer = std::max(word.size(), candidate.size()),
                      shorter = std::min(word.size(), candidate.size());
    if (longer - shorter >= smallest || candidate.size() > kLongestWord) continue;  // the distance cannot be less
    if (are_far(letters, letters_of(candidate), smallest)) continue;
    const std::size_t distance = edit_distance(word, candidate, smallest);
    if (distance >= smallest) continue;
    smallest = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view near) { return near.empty() ? "" : "did you mean " + in_quotes(near) + "?"; }

std::string_view nearest_key(std::string_view table, std::string_view word) {
  std::vector<std::string_view> names;
  for (const KeySpec& key : schema()) {
    if (key.table != table) continue;
    names.push_back(key.name);
    names.push_back(key.name.substr(0, key.name.find('.')));  // "hook" is near to "hooks"
  }
  if (const std::string_view found = nearest(word, names); !found.empty()) return found;
  // "timeout" is near to "hooks.timeout": the group is ignored.
  const auto same_end = std::ranges::find_if(names, [&](std::string_view name) {
    return name.ends_with(word) && name.size() > word.size() && name[name.size() - word.size() - 1] == '.';
  });
  return same_end == names.end() ? std::string_view() : *same_end;
}

}  // namespace vipd
