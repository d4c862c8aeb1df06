#include <fmt/format.h>

#include <algorithm>

#include "vipd/sim/transcript.hpp"

namespace vipd::sim {
namespace {

constexpr std::size_t kContext = 3;                       // lines that are shown around a difference
constexpr std::size_t kMostCells = std::size_t{1} << 24;  // cells of the table of common subsequences

using Lines = std::vector<std::string_view>;

Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// A line of both texts (' '), of the old text ('-') or of the new text ('+').
struct Edit {
  char mark;
  std::string_view line;
};

/// The edits from one text to the other, by the longest common subsequence of their lines. Texts that would take too
/// long are shown as wholly different.
std::vector<Edit> edits(const Lines& a, const Lines& b) {
  std::vector<Edit> all;
  if ((a.size() + 1) * (b.size() + 1) > kMostCells) {
    for (const auto line : a) all.push_back({'-', line});
    for (const auto line : b) all.push_back({'+', line});
    return all;
  }
  const std::size_t width = b.size() + 1;
  std::vector<std::uint32_t> common((a.size() + 1) * width);  // lengths for the rests that begin there
  for (std::size_t i = a.size(); i-- > 0;)
    for (std::size_t j = b.size(); j-- > 0;)
      common[i * width + j] = a[i] == b[j] ? common[(i + 1) * width + j + 1] + 1
                                           : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      all.push_back({' ', a[i]});
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      all.push_back({'-', a[i++]});
    } else {
      all.push_back({'+', b[j++]});
    }
  }
  return all;
}

/// The end of the hunk that begins at `begin`: behind the last near difference and the lines around it.
std::size_t end_of_hunk(const std::vector<Edit>& all, std::size_t begin) {
  std::size_t last = begin;
  for (std::size_t i = begin; i < all.size() && i <= last + 2 * kContext; ++i)
    if (all[i].mark != ' ') last = i;
  return std::min(all.size(), last + kContext + 1);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view now, const std::string& before_name,
                         const std::string& now_name) {
  const auto all = edits(split(before), split(now));
  std::string text;
  std::size_t a = 1, b = 1, next = 0;  // the next line of each text, and the index of the next edit
  const auto pass = [&](const Edit& edit) {
    a += edit.mark != '+';
    b += edit.mark != '-';
  };
  while (next < all.size()) {
    const auto differs = [](const Edit& edit) { return edit.mark != ' '; };
    const auto found = std::ranges::find_if(all.begin() + static_cast<std::ptrdiff_t>(next), all.end(), differs);
    if (found == all.end()) break;
    const auto first = static_cast<std::size_t>(found - all.begin());
    const std::size_t begin = std::max(next, first - std::min(first, kContext)), end = end_of_hunk(all, first);
    for (; next < begin; ++next) pass(all[next]);
    std::string lines;
    const std::size_t a_begin = a, b_begin = b;
    for (; next < end; ++next) {
      pass(all[next]);
      lines += fmt::format("{}{}\n", all[next].mark, all[next].line);
    }
    text += fmt::format("@@ -{},{} +{},{} @@\n{}", a_begin, a - a_begin, b_begin, b - b_begin, lines);
  }
  return text.empty() ? text : fmt::format("--- {}\n+++ {}\n{}", before_name, now_name, text);
}

}  // namespace vipd::sim
