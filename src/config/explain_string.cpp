#include "vipd/config/explain_string.hpp"

#include <algorithm>

#include "vipd/config/bare_words.hpp"
#include "vipd/config/text.hpp"

namespace vipd {

bool StringExplainer::string() {
  const std::size_t open = pos_++;
  const std::string quote(1, text_[open]);
  while (!at_line_end() && !at(quote)) {
    if (quote == "'" || !at("\\"))
      ++pos_;
    else if (!escape())
      return false;
  }
  const std::string unterminated = "unterminated string: no closing " + quote + " before ";
  if (at_line_end()) return fail(open, pos_ - open, unterminated + "end of line", closing_hint(open));
  ++pos_;
  const bool is_delimited = at_end() || std::string_view(" \t\r\n,]}#=.").find(text_[pos_]) != std::string_view::npos;
  const std::string hint = is_delimited ? "" : closing_hint(open);
  // `["a”, "b"]`: the quote behind the comma closed the first string.
  return hint.empty() || fail(open, pos_ - open, unterminated + "the next value", hint);
}

/// The remedy for a string that begins at `open` and ends in a lookalike of a quote; "" for other strings.
std::string StringExplainer::closing_hint(std::size_t open) const {
  const std::string_view line = text_.substr(open + 1, line_end(open) - open - 1);
  for (std::size_t i = 0; i < line.size(); ++i)
    if (const Lookalike* odd = lookalike_at(line, i); odd != nullptr && odd->plain == text_[open])
      return describe(*odd) + kNoQuote + ": write " + in_quotes(line.substr(0, i));
  return "";
}

bool StringExplainer::multi_line_string(std::string_view quotes) {
  const std::size_t open = pos_;
  bool good = true;
  pos_ += quotes.size();
  while (!at_end() && !at(quotes)) {
    const bool is_escape = at("\\") && quotes[0] == '"' && !joins_lines();
    // Only the first fault counts. The string goes on behind it, since its other lines are no statements.
    if (is_escape && good)
      good = escape();
    else
      pos_ += is_escape ? 2 : 1;
  }
  if (at_end()) {
    damage_ = Damage::rest_of_file;
    return good &&
           fail(open, quotes.size(), "unterminated string: no closing " + std::string(quotes) + " before end of file");
  }
  pos_ += quotes.size();
  for (int more = 0; more < 2 && at(quotes.substr(0, 1)); ++more) ++pos_;  // """a"" ends in five quotes
  return good;
}

/// Reads a backslash at the end of a line, which joins it with the next line, and the blanks behind it.
bool StringExplainer::joins_lines() {
  const std::size_t next = std::min(text_.find_first_not_of(" \t\r", pos_ + 1), text_.size());
  if (!text_.substr(next).starts_with('\n')) return false;
  pos_ = next - 1;
  return true;
}

bool StringExplainer::escape() {
  const char kind = pos_ + 1 < text_.size() ? text_[pos_ + 1] : '\0';
  const std::size_t digits = kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
  if (digits == 0 && std::string_view("btnfr\"\\").find(kind) == std::string_view::npos) {
    if (kind == '\r' || kind == '\n')
      return fail(pos_, 1, "a backslash joins lines only in a string between \"\"\"", "begin and end it with \"\"\"");
    const std::size_t length = kind == '\0' ? 0 : std::max<std::size_t>(utf8_sequence(text_, pos_ + 1), 1);
    return fail(pos_, 1 + length, "unknown escape sequence \"" + printable(text_.substr(pos_, 1 + length)) + "\"",
                "use \\\\ for a backslash or a literal '...' string");
  }
  const std::string_view code = text_.substr(pos_ + 2, digits);
  if (code.size() < digits || !consists_of(code, "0123456789abcdefABCDEF")) {
    return fail(pos_, 2, std::string("\"\\") + kind + "\" needs " + std::to_string(digits) + " hexadecimal digits");
  }
  pos_ += 2 + digits;
  return true;
}

}  // namespace vipd
