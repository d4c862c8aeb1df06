#include "vipd/config/explain_syntax.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

#include "vipd/config/foreign.hpp"
#include "vipd/config/secret.hpp"
#include "vipd/config/text.hpp"
#include "vipd/config/toml_cursor.hpp"

namespace vipd {

namespace {

// What is said of a lookalike, behind its name.
constexpr char kNoQuote[] = " is no quote in TOML";
constexpr char kNoBlank[] = " stands here, where TOML takes plain blanks only";

/// Full-width digits (U+FF10..U+FF19, which some keyboards make) as ASCII; nullopt if `token` has none.
std::optional<std::string> without_full_width_digits(std::string_view token) {
  std::string result;
  bool found = false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const auto third = i + 2 < token.size() ? static_cast<unsigned char>(token[i + 2]) : 0;
    if (token.substr(i, 2) == "\xef\xbc" && third >= 0x90 && third <= 0x99) {
      result += static_cast<char>('0' + (third - 0x90));
      found = true;
      i += 2;
    } else {
      result += token[i];
    }
  }
  return found ? std::optional(result) : std::nullopt;
}

std::string_view without_sign(std::string_view token) {
  return token.starts_with('-') || token.starts_with('+') ? token.substr(1) : token;
}

bool consists_of(std::string_view token, std::string_view characters) {
  return token.find_first_not_of(characters) == std::string_view::npos;
}

/// "0100": TOML 1.0 does not say whether that is octal, so it is neither.
bool has_leading_zero(std::string_view token) {
  const std::string_view digits = without_sign(token);
  return digits.size() > 1 && digits[0] == '0' && consists_of(digits, "0123456789_");
}

bool overflows(std::string_view token) {
  std::string digits;
  std::ranges::copy_if(without_sign(token), std::back_inserter(digits), is_digit);
  if (token.starts_with('-')) digits.insert(0, "-");
  std::int64_t value = 0;
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc::result_out_of_range;
}

/// Digits in base 16, 8 or 2.
bool is_in_other_base(std::string_view token) {
  const std::string_view base = token.substr(0, 2);
  return token.size() > 2 && (base == "0x" || base == "0o" || base == "0b") &&
         consists_of(token.substr(2), "0123456789abcdefABCDEF_");
}

/// Does `token` look like a date, a time or both (RFC 3339)? Whether there is such a day is for the library to say.
bool is_date(std::string_view token) {
  std::string shape(token);
  std::ranges::replace_if(shape, is_digit, '9');
  const auto begins_with = [&](std::string_view time) {
    const std::string_view rest = std::string_view(shape).substr(std::min(time.size(), shape.size()));
    return shape.starts_with(time) && consists_of(rest.substr(0, 1), ".Zz+-") && consists_of(rest, ".Zz+-:9");
  };
  return shape == "9999-99-99" || begins_with("99:99:99") || begins_with("9999-99-99T99:99:99") ||
         begins_with("9999-99-99t99:99:99");
}

/// What somebody meant who wrote yes, no, on, off or True.
std::optional<std::string_view> meant_boolean(std::string_view token) {
  std::string lower(token);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (lower == "true" || lower == "yes" || lower == "on") return "true";
  if (lower == "false" || lower == "no" || lower == "off") return "false";
  return std::nullopt;
}

/// `word` without the quote `plain` and what looks like it.
std::string without_quotes(std::string_view word, char plain) {
  std::string result;
  for (std::size_t i = 0; i < word.size();) {
    const Lookalike* odd = lookalike_at(word, i);
    const bool is_odd = odd != nullptr && odd->plain == plain;
    if (!is_odd && word[i] != plain) result += word[i];
    i += is_odd ? odd->character.size() : 1;
  }
  return result;
}

/// Each parsing function returns false after it has recorded a fault.
class Explainer : private TomlCursor {
 public:
  Explainer(std::string_view text, const RefusedStatement& statement)
      : TomlCursor(text, statement.begin), asked_(statement) {}

  Explanation explain();

 private:
  // What the text consists of.
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
  bool string();
  std::string closing_hint(std::size_t open) const;
  bool multi_line_string(std::string_view quotes);
  bool escape();
  bool joins_lines();
  bool end_of_statement();

  // Faults and the way on from them.
  bool fail(std::size_t offset, std::size_t length, std::string message, std::string hint = "");
  bool fail_as(std::string kind, std::size_t offset, std::size_t length, std::string message, std::string hint = "");
  bool blame_blank(std::size_t offset, std::size_t length);
  bool blame_quote(std::size_t begin, std::string_view word);
  std::string_view quoted_words(std::size_t begin, std::string_view word) const;
  bool hide_fault(std::string_view key);
  bool refuse_second(std::size_t begin, std::size_t first);
  void recover();
  Place place(std::size_t offset, std::size_t length) const { return place_at(text_, offset, length); }

  /// How much of the file a fault makes unreadable.
  enum class Damage : std::uint8_t { statement, section, rest_of_file };

  const RefusedStatement& asked_;
  int nesting_ = 0;
  Damage damage_ = Damage::statement;
  Explanation said_;
};

Explanation Explainer::explain() {
  statement();
  recover();
  said_.end = pos_;
  return std::move(said_);
}

bool Explainer::statement() {
  if (at("[")) return header();
  if (at_header()) damage_ = Damage::section;  // behind a blank that is none: the keys below are not of this table
  return pair(said_.key) && end_of_statement();
}

bool Explainer::header() {
  damage_ = Damage::section;  // whose keys follow is not known until the header is read
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

/// Is `word` a value, or one of which the library knows better what is wrong?
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

/// A word that is no value: what was meant?
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

/// After an element: a comma, which is taken, or the bracket that ends the list.
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

/// On one line, between quotes of either kind.
bool Explainer::string() {
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

/// The remedy for a string that begins at `open` and was meant to end in a quote that is none; "" for others.
std::string Explainer::closing_hint(std::size_t open) const {
  const std::string_view line = text_.substr(open + 1, line_end(open) - open - 1);
  for (std::size_t i = 0; i < line.size(); ++i)
    if (const Lookalike* odd = lookalike_at(line, i); odd != nullptr && odd->plain == text_[open])
      return describe(*odd) + kNoQuote + ": write " + in_quotes(line.substr(0, i));
  return "";
}

bool Explainer::multi_line_string(std::string_view quotes) {
  const std::size_t open = pos_;
  bool good = true;
  pos_ += quotes.size();
  while (!at_end() && !at(quotes)) {
    const bool is_escape = at("\\") && quotes[0] == '"' && !joins_lines();
    // Only the first fault counts, and the string goes on behind it: its other lines are no statements.
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

/// A backslash at the end of a line joins it with the next; the blanks behind it are taken.
bool Explainer::joins_lines() {
  const std::size_t next = std::min(text_.find_first_not_of(" \t\r", pos_ + 1), text_.size());
  if (!text_.substr(next).starts_with('\n')) return false;
  pos_ = next - 1;
  return true;
}

bool Explainer::escape() {
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

bool Explainer::end_of_statement() {
  skip_blanks();
  if (at("#")) pos_ = line_end(pos_);
  if (at_line_end()) return true;
  return fail(pos_, token().size(), "unexpected text after the end of the statement",
              "one statement a line; a comment begins with #");
}

/// Records the lookalike of a blank within a fault, which is then the cause of it; false if there is none.
bool Explainer::blame_blank(std::size_t offset, std::size_t length) {
  const std::size_t end = std::min(offset + std::max<std::size_t>(length, 1), text_.size());
  if (offset >= end || std::string_view("\"'\\").find(text_[offset]) != std::string_view::npos) return false;  // legal
  for (std::size_t i = offset; i < end; ++i) {
    const Lookalike* odd = lookalike_at(text_, i);
    if (odd == nullptr || odd->is_quote()) continue;
    fail_as("syntax", i, odd->character.size(), describe(*odd) + kNoBlank,
            odd->plain == ' ' ? "write a plain blank" : "remove it");
    return true;
  }
  return false;
}

/// Records that `word`, a key or a value at `begin`, has a quote that is none; false if it has no such quote.
bool Explainer::blame_quote(std::size_t begin, std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    const Lookalike* odd = lookalike_at(word, i);
    if (odd == nullptr || !odd->is_quote()) continue;
    fail_as("syntax", begin, word.size(), describe(*odd) + kNoQuote,
            "write " + in_quotes(without_quotes(word, odd->plain)));
    return true;
  }
  return false;
}

/// `word`, a value at `begin`; with the words behind it up to the quote that closes the wrong one it begins with.
std::string_view Explainer::quoted_words(std::size_t begin, std::string_view word) const {
  const Lookalike* open = lookalike_at(text_, begin);
  if (open == nullptr || !open->is_quote()) return word;
  const std::string_view line = text_.substr(begin, line_end(begin) - begin);
  const auto quote_size = [&](std::size_t i) {
    const Lookalike* odd = lookalike_at(line, i);
    if (odd != nullptr && odd->plain == open->plain) return odd->character.size();
    return std::size_t{line[i] == open->plain};
  };
  std::size_t i = 0;
  while (line.substr(i).starts_with(open->character)) i += open->character.size();  // ``eth0'' begins with two
  for (; i < line.size(); ++i)
    if (quote_size(i) != 0) return line.substr(0, i + quote_size(i));
  return word;
}

bool Explainer::fail(std::size_t offset, std::size_t length, std::string message, std::string hint) {
  if (blame_blank(offset, length)) return false;
  return fail_as("syntax", offset, length, std::move(message), std::move(hint));
}

bool Explainer::fail_as(std::string kind, std::size_t offset, std::size_t length, std::string message,
                        std::string hint) {
  said_.fault = error_at(place(offset, length), std::move(kind), std::move(message), std::move(hint));
  pos_ = std::max(pos_, std::min(offset, text_.size()));
  return false;
}

/// The words for a fault in the value of the key `name` may quote it; a secret's are replaced.
bool Explainer::hide_fault(std::string_view name) {
  if (said_.fault->message.ends_with(kNoBlank)) return false;  // quotes nothing
  const std::string_view table = !asked_.section.empty() ? asked_.section[0] : said_.key[0];
  if (is_secret_key(name) || table.starts_with("key")) {
    said_.fault->message = "the value of " + in_quotes(name) + " is not valid (it is a secret and not shown)";
    said_.fault->hint = "write it in double quotes; see vipd.toml(5)";
  }
  return false;
}

/// Goes on behind what the statement has spoilt, whatever is wrong with it.
void Explainer::recover() {
  const bool in_list = nesting_ > 0;
  const auto is_spoilt = [&] {
    if (damage_ == Damage::rest_of_file) return true;
    if (damage_ == Damage::section) return !at_header();
    return in_list ? !at_header() && !at_new_statement() : !at_possible_statement();
  };
  if (!in_list || !at_new_statement()) next_line();
  while (!at_end() && is_spoilt()) next_line();
}

/// The key `key` at `offset` is set a second time.
Diagnostic key_twice(std::string_view text, std::size_t offset, std::string_view key, const Place& first) {
  return error_at(place_at(text, offset, key.size()), "duplicate-key",
                  in_quotes(key) + " is set twice; first at line " + std::to_string(first.line), "remove one of them",
                  first);
}

/// Records that the key at `begin` was there at `first`, in an inline table.
bool Explainer::refuse_second(std::size_t begin, std::size_t first) {
  const std::string_view key = text_.substr(begin, text_.find_first_of(" \t=", begin) - begin);
  said_.fault = key_twice(text_, begin, key, place(first, key.size()));
  return false;
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
