/// TomlCursor: a position in a text that is meant to be TOML, and the tokens there.
///
/// The cursor reads text with faults, so it assumes nothing: a header may follow a lookalike of a blank, and a list may
/// have no end. explain_statement() reads with the cursor, and finds the text behind a fault.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "vipd/config/text.hpp"

namespace vipd {

/// True for 0..9.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// True for an ASCII letter.
constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
/// True if a key without quotes may have the character.
constexpr bool is_bare_key(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }
/// True for a blank or a tab.
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

class TomlCursor {
 public:
  /// `at` is an offset in `text`, or its size.
  TomlCursor(std::string_view text, std::size_t at) : text_(text), pos_(at) {}

  bool at_end() const { return pos_ >= text_.size(); }
  bool at(std::string_view what) const { return text_.substr(pos_).starts_with(what); }
  bool at_line_end() const { return at_end() || at("\n") || at("\r\n"); }
  /// True if only blanks precede the position on its line.
  bool at_line_start() const {
    std::size_t begin = pos_;
    while (begin > 0 && is_blank(text_[begin - 1])) --begin;
    return begin == 0 || text_[begin - 1] == '\n';
  }
  /// For the start of a line: true at `[name` or `[[name`. A nested list begins with a quote or a digit.
  bool at_header() const {
    const std::size_t first = behind_indentation();
    if (first >= text_.size() || text_[first] != '[') return false;
    const std::size_t name = text_.find_first_not_of("[ \t", first);
    return name != std::string_view::npos && (is_letter(text_[name]) || text_[name] == '_');
  }
  /// For the start of a line: true at a header or at the beginning of a key. Entries of a list are mostly neither.
  bool at_possible_statement() const {
    const std::size_t first = behind_indentation();
    return at_header() || (first < text_.size() && (is_letter(text_[first]) || text_[first] == '_'));
  }
  /// True at `key =`, with which no value can begin.
  bool at_bare_pair() const {
    const std::size_t first = lookalike_at(text_, pos_) == nullptr ? pos_ : behind_indentation();
    std::size_t next = first;
    while (next < text_.size() && (is_bare_key(text_[next]) || text_[next] == '.')) ++next;
    if (next == first) return false;
    while (next < text_.size() && is_blank(text_[next])) ++next;
    return text_.substr(next).starts_with('=');
  }
  /// For a line in a list of tables: true if keys follow without a brace before them.
  bool lacks_brace() const {
    if (!at_bare_pair()) return false;  // checked first, since the entries may all be on one long line
    const std::string_view line = text_.substr(pos_, text_.find('\n', pos_) - pos_);
    return std::ranges::count(line, '}') > std::ranges::count(line, '{');
  }
  /// Within a list: true at a line that looks like `key =` or `[table]`, so the list was never closed.
  bool at_new_statement() const { return at_line_start() && (at_header() || (at_bare_pair() && !lacks_brace())); }

  /// The token at `offset`, which ends before a delimiter; a delimiter itself is a token of one character.
  std::string_view token_at(std::size_t offset) const {
    const std::string_view rest = text_.substr(offset);
    const std::size_t end = std::min(rest.find_first_of(" \t\r\n,]}#="), rest.size());
    const bool is_empty = rest.empty() || rest[0] == '\n' || rest[0] == '#' || rest.starts_with("\r\n");
    return rest.substr(0, end != 0 || is_empty ? end : 1);
  }
  std::string_view token() const { return token_at(pos_); }
  std::string_view token_behind_blank() const { return at(" ") ? token_at(pos_ + 1) : std::string_view(); }
  std::size_t line_end(std::size_t offset) const { return std::min(text_.find('\n', offset), text_.size()); }

  void next_line() { pos_ = std::min(line_end(pos_) + 1, text_.size()); }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[pos_])) ++pos_;
  }
  /// Skips blanks, line breaks and comments.
  void skip_blank_lines() {
    while (true) {
      skip_blanks();
      if (at("#")) pos_ = line_end(pos_);
      if (at_end() || !at_line_end()) return;
      pos_ = line_end(pos_) + 1;
    }
  }

 protected:
  /// The offset behind the blanks at this position, lookalikes of blanks included.
  std::size_t behind_indentation() const {
    std::size_t next = pos_;
    while (next < text_.size()) {
      const Lookalike* odd = lookalike_at(text_, next);
      if (odd != nullptr && !odd->is_quote())
        next += odd->character.size();
      else if (is_blank(text_[next]))
        ++next;
      else
        break;
    }
    return next;
  }

  const std::string_view text_;
  std::size_t pos_;
};

}  // namespace vipd
