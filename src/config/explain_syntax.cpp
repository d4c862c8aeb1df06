#include "vipd/config/explain_syntax.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "vipd/config/bare_words.hpp"
#include "vipd/config/explain_string.hpp"
#include "vipd/config/foreign.hpp"
#include "vipd/config/text.hpp"

namespace vipd {

namespace {

/// Walks through a statement. A token that the grammar does not allow at its place is a fault.
class Explainer : private StringExplainer {
 public:
  Explainer(std::string_view text, const RefusedStatement& statement) : StringExplainer(text, statement) {}

  Explanation explain();

 private:
  bool statement();
  bool header();
  bool header_end(bool is_array);
  bool pair(KeyParts& key);
  bool equals(std::size_t key_begin);
  bool key_path(KeyParts& key);
  bool key_part(KeyParts& key);
  bool value();
  bool bare_value();
  bool is_legal(std::size_t begin, std::string_view word) const;
  bool refuse_word(std::size_t begin, std::string_view word);
  bool array();
  bool array_separator(std::size_t open, std::size_t last);
  bool inline_table();
  bool end_of_statement();
};

Explanation Explainer::explain() {
  statement();
  recover();
  said_.end = pos_;
  return std::move(said_);
}

bool Explainer::statement() {
  if (at("[")) return header();
  if (at_header()) damage_ = Damage::section;  // behind a lookalike of a blank: the keys below are that table's
  return pair(said_.key) && end_of_statement();
}

bool Explainer::header() {
  damage_ = Damage::section;  // until the header is read, the table of the keys below is not known
  const bool is_array = at("[[");
  pos_ += is_array ? 2 : 1;
  skip_blanks();
  if (at("]")) return fail(asked_.begin, pos_ + 1 - asked_.begin, "a table needs a name");
  if (!key_path(said_.key) || !header_end(is_array)) return false;
  said_.is_header = true;
  said_.key_text = text_.substr(asked_.begin, pos_ - asked_.begin);
  return end_of_statement();
}

bool Explainer::header_end(bool is_array) {
  skip_blanks();
  const std::string_view end = is_array ? "]]" : "]";
  if (!at(end)) return fail(pos_, 1, "expected " + in_quotes(end) + " at the end of the table's name");
  pos_ += end.size();
  return true;
}

bool Explainer::pair(KeyParts& key) {
  const std::size_t begin = pos_;
  if (!key_path(key)) return false;
  if (nesting_ == 0) said_.key_text = text_.substr(begin, text_.find_first_of(" \t=", begin) - begin);
  if (!equals(begin)) return false;
  return value() || hide_fault(key.back());
}

bool Explainer::equals(std::size_t key_begin) {
  const std::size_t key_end = pos_;
  const std::string_view key = text_.substr(key_begin, key_end - key_begin);
  skip_blanks();
  if (at("=")) {
    ++pos_;
    return true;
  }
  const std::string_view next = token();
  if (is_foreign_block(key) || next == "{" || text_.substr(pos_, line_end(pos_) - pos_).ends_with('{')) {
    damage_ = Damage::rest_of_file;
    return fail(key_begin, key.size(), "this is not TOML: " + in_quotes(key) + " opens a block of keepalived.conf",
                "write [instance.NAME] and below it interface, vrid, priority, addresses; see vipd.toml(5)");
  }
  if (at("]")) {
    damage_ = Damage::section;
    return fail(pos_, 1, "\"]\" without its \"[\"", "a table begins with a line like [instance.web]");
  }
  if (const Lookalike* odd = lookalike_at(text_, pos_); pos_ == key_end && odd != nullptr && odd->is_quote())
    return fail(pos_, odd->character.size(), describe(*odd) + kNoQuote, "write " + printable(key));
  if (pos_ == key_end && !at_line_end() && !at(":") && !at("#")) {
    return fail(pos_, utf8_sequence(text_, pos_), "this character is not allowed in a key",
                "keys consist of A-Z a-z 0-9 _ -; others need quotes");
  }
  return fail(pos_, next.size(), "expected \"=\" after key " + in_quotes(key),
              "write " + std::string(key) + " = value");
}

bool Explainer::key_path(KeyParts& key) {
  while (true) {
    skip_blanks();
    if (key.size() == kMaxNesting) return fail(pos_, 1, "too many parts in a dotted key");
    if (!key_part(key)) return false;
    const std::size_t end = pos_;
    skip_blanks();
    if (!at(".")) {
      pos_ = end;
      return true;
    }
    ++pos_;
  }
}

bool Explainer::key_part(KeyParts& key) {
  const std::size_t begin = pos_;
  if (at("\"\"\"") || at("'''")) return fail(pos_, 3, "a key cannot be a multi-line string");
  if (at("\"") || at("'")) {
    if (!string()) return false;
    key.push_back(text_.substr(begin + 1, pos_ - begin - 2));
    return true;
  }
  while (!at_end() && is_bare_key(text_[pos_])) ++pos_;
  if (pos_ != begin) {
    key.push_back(text_.substr(begin, pos_ - begin));
    return true;
  }
  if (at("=")) return fail(pos_, 1, "a key is missing before \"=\"");
  if (blame_quote(pos_, token())) return false;
  return fail(pos_, token().size(), "expected a key, got " + in_quotes(token()),
              "a statement is [table] or key = value; a comment begins with #");
}

bool Explainer::value() {
  skip_blanks();
  if (at("\"\"\"")) return multi_line_string("\"\"\"");
  if (at("'''")) return multi_line_string("'''");
  if (at("\"") || at("'")) return string();
  if (!at("[") && !at("{")) return bare_value();
  if (nesting_ == kMaxNesting) return fail(pos_, 1, "nested too deeply");
  ++nesting_;
  if (!(at("[") ? array() : inline_table())) return false;
  --nesting_;
  return true;
}

bool Explainer::bare_value() {
  const std::string_view word = token();
  const std::size_t begin = pos_;
  pos_ += word.size();
  if (at_line_end() && word.empty()) return fail(begin, 1, "a value is missing here");
  if (word.empty() || word[0] == '=') return fail(begin, 1, "expected a value");
  if (has_leading_zero(word)) {
    const std::string_view digits = without_sign(word);
    const std::string stripped(digits.substr(std::min(digits.find_first_not_of("0_"), digits.size() - 1)));
    return fail(begin, word.size(), "leading zeros are not allowed in a decimal integer",
                "write " + stripped + " (or 0o" + stripped + " for octal)");
  }
  if (consists_of(without_sign(word), "0123456789_") && overflows(word))
    return fail_as("range", begin, word.size(), "integer does not fit 64 bits");
  if (!is_legal(begin, word)) return refuse_word(begin, word);
  if (is_date(word) && is_date(token_behind_blank())) pos_ += 1 + token_behind_blank().size();
  return true;
}

/// True if `word` is a value, or if the library explains its fault better.
bool Explainer::is_legal(std::size_t begin, std::string_view word) const {
  const std::size_t end = begin + word.size();
  if (end < asked_.refused_at || is_date(word) || is_in_other_base(word)) return true;
  const std::string_view number = without_sign(word);
  const bool may_be_legal = word == "true" || word == "false" || number == "inf" || number == "nan" ||
                            (!number.empty() && is_digit(number[0]));
  const bool is_followed =
      at_end() ? nesting_ > 0 : std::string_view("=,]}").find(text_[end]) != std::string_view::npos;
  return end == asked_.refused_at && may_be_legal && is_followed;
}

/// Refuses a word that is no value, and suggests what was meant.
bool Explainer::refuse_word(std::size_t begin, std::string_view word) {
  if (const auto ascii = without_full_width_digits(word)) {
    const auto digit = static_cast<unsigned char>(word[word.find("\xef\xbc") + 2]);
    const std::string name = code_point_name(0xff00u + digit - 0x80u);
    return fail(begin, word.size(), "full-width digits are not TOML digits (" + name + ")",
                "write " + printable(*ascii));
  }
  if (const auto boolean = meant_boolean(word)) {
    return fail(begin, word.size(), in_quotes(word) + " is not a boolean", "write " + std::string(*boolean));
  }
  if (blame_quote(begin, quoted_words(begin, word))) return false;
  return fail(begin, word.size(), in_quotes(word) + " needs quotes", "write " + in_quotes(word));
}

bool Explainer::array() {
  const std::size_t open = pos_++;
  while (true) {
    const std::size_t last = pos_;
    skip_blank_lines();
    if (at("]")) break;
    if (at(",")) return fail(pos_, 1, "a value is missing before this comma");
    if (lacks_brace()) return fail(pos_, token().size(), "expected \"{\" before the keys of a table");
    if (at_end() || at_new_statement()) return array_separator(open, last);
    if (!value() || !array_separator(open, pos_)) return false;
  }
  ++pos_;
  return true;
}

/// Reads the separator behind an element: takes a comma, or stops at the bracket that ends the list.
bool Explainer::array_separator(std::size_t open, std::size_t last) {
  skip_blank_lines();
  if (at("]")) return true;
  if (at(",")) {
    ++pos_;
    return true;
  }
  if (!at_end() && !at_new_statement()) {
    return fail(pos_, token().size(), "expected \",\" or \"]\" in a list", "separate the entries by commas");
  }
  fail(last, 1, "expected \"]\" at the end of the list");
  const Place begin = place(open, 1);
  if (begin.line != place(last, 1).line) said_.fault->related = begin;
  return false;
}

bool Explainer::inline_table() {
  const std::size_t open = pos_++;
  std::map<KeyParts, std::size_t> seen;
  skip_blanks();
  bool more = !at("}");
  while (more) {
    skip_blanks();
    if (at_line_end()) return fail(open, 1, "expected \"}\" on the same line");
    if (at("}")) return fail(pos_, 1, "a comma before \"}\" is not allowed", "remove the comma");
    const std::size_t begin = pos_;
    KeyParts key;
    if (!pair(key)) return false;
    const auto [first, is_new] = seen.emplace(std::move(key), begin);
    if (!is_new) return refuse_second(begin, first->second);
    skip_blanks();
    more = at(",");
    if (more) ++pos_;
  }
  if (at_line_end()) return fail(open, 1, "expected \"}\" on the same line");
  if (!at("}")) return fail(pos_, token().size(), "expected \",\" or \"}\"");
  ++pos_;
  return true;
}

bool Explainer::end_of_statement() {
  skip_blanks();
  if (at("#")) pos_ = line_end(pos_);
  if (at_line_end()) return true;
  return fail(pos_, token().size(), "unexpected text after the end of the statement",
              "one statement a line; a comment begins with #");
}

}  // namespace

Explanation explain_statement(std::string_view text, const RefusedStatement& statement) {
  return Explainer(text, statement).explain();
}

Diagnostic explain_second(std::string_view text, std::size_t begin, const Explanation& statement, const Place& first) {
  if (!statement.is_header) return key_twice(text, begin, statement.key_text, first);
  return error_at(
      place_at(text, begin, statement.key_text.size()), "duplicate-table",
      "table " + printable(statement.key_text) + " is defined twice; first at line " + std::to_string(first.line), "",
      first);
}

}  // namespace vipd
