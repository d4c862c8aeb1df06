#include "vipd/config/statements.hpp"

#include <algorithm>
#include <string>

namespace vipd {

namespace {

/// The offset behind the line break of the line at `offset`.
std::size_t behind_line(std::string_view text, std::size_t offset) {
  return std::min(text.find('\n', offset), text.size() - 1) + 1;
}

/// The offset behind the string that begins at `begin`. An unclosed string of one line ends with the line.
std::size_t behind_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string three(3, quote);
  const bool is_long = text.substr(begin).starts_with(three);
  for (std::size_t i = begin + (is_long ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == '\n' && !is_long) {
      return i;
    } else if (text[i] == quote && (!is_long || text.substr(i).starts_with(three))) {
      // """a"" ends in five quotes.
      return is_long ? std::min(text.find_first_not_of(quote, i + 3), std::min(i + 5, text.size())) : i + 1;
    }
  }
  return text.size();
}

/// The offset of the next statement, behind blank lines and comments.
std::size_t skip_to_statement(std::string_view text, std::size_t from) {
  while (from < text.size()) {
    from = std::min(text.find_first_not_of(" \t\r\n", from), text.size());
    if (from == text.size() || text[from] != '#') break;
    from = behind_line(text, from);
  }
  return from;
}

}  // namespace

Statement next_statement(std::string_view text, std::size_t from) {
  Statement statement{.begin = skip_to_statement(text, from), .end = text.size(), .key_dots = 0};
  std::size_t dots = 0;
  int depth = 0;
  for (std::size_t i = statement.begin; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
      case '\'':
        i = behind_string(text, i) - 1;
        break;
      case '.':
        statement.key_dots = std::max(statement.key_dots, ++dots);
        break;
      case '#':
        i = std::min(text.find('\n', i), text.size()) - 1;
        break;
      case '\n':
        if (depth <= 0) return {statement.begin, i + 1, statement.key_dots};
        dots = 0;
        break;
      case '[':
      case '{':
        ++depth;
        dots = 0;
        break;
      case ']':
      case '}':
        --depth;
        dots = 0;
        break;
      case '=':
      case ',':
        dots = 0;
        break;
      default:
        break;
    }
  }
  return statement;
}

StatementInSection statement_at(std::string_view text, std::size_t offset) {
  StatementInSection at{.statement = next_statement(text, 0)};
  while (true) {
    const Statement next = next_statement(text, at.statement.end);
    if (next.begin > offset || next.begin == text.size()) return at;
    if (text[at.statement.begin] == '[') at.header = at.statement;
    at.statement = next;
  }
}

std::size_t find_deep_statement(std::string_view text, std::size_t parts) {
  for (Statement next = next_statement(text, 0); next.begin < text.size(); next = next_statement(text, next.end))
    if (next.key_dots >= parts) return next.begin;
  return std::string_view::npos;
}

}  // namespace vipd
