#include "vipd/config/syntax_fault.hpp"

#include <algorithm>
#include <utility>

#include "vipd/config/bare_words.hpp"
#include "vipd/config/secret.hpp"

namespace vipd {
namespace {

/// The words that follow the name of a lookalike of a blank.
constexpr char kNoBlank[] = " stands here, where TOML takes plain blanks only";

}  // namespace

Diagnostic key_twice(std::string_view text, std::size_t offset, std::string_view key, const Place& first) {
  return error_at(place_at(text, offset, key.size()), "duplicate-key",
                  in_quotes(key) + " is set twice; first at line " + std::to_string(first.line), "remove one of them",
                  first);
}

/// Records a lookalike of a blank within a fault as its cause; false if there is none.
bool SyntaxFault::blame_blank(std::size_t offset, std::size_t length) {
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

/// Records that `word`, a key or a value at `begin`, has a lookalike of a quote; false if it has none.
bool SyntaxFault::blame_quote(std::size_t begin, std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    const Lookalike* odd = lookalike_at(word, i);
    if (odd == nullptr || !odd->is_quote()) continue;
    fail_as("syntax", begin, word.size(), describe(*odd) + kNoQuote,
            "write " + in_quotes(without_quotes(word, odd->plain)));
    return true;
  }
  return false;
}

/// `word`, a value at `begin`. If it begins with a wrong quote, the words up to the closing quote belong to it.
std::string_view SyntaxFault::quoted_words(std::size_t begin, std::string_view word) const {
  const Lookalike* open = lookalike_at(text_, begin);
  if (open == nullptr || !open->is_quote()) return word;
  const std::string_view line = text_.substr(begin, line_end(begin) - begin);
  const auto quote_size = [&](std::size_t i) {
    const Lookalike* odd = lookalike_at(line, i);
    if (odd != nullptr && odd->plain == open->plain) return odd->character.size();
    return std::size_t{line[i] == open->plain};
  };
  std::size_t i = 0;
  while (line.substr(i).starts_with(open->character)) i += open->character.size();  // ``eth0'' has two quotes
  for (; i < line.size(); ++i)
    if (quote_size(i) != 0) return line.substr(0, i + quote_size(i));
  return word;
}

bool SyntaxFault::fail(std::size_t offset, std::size_t length, std::string message, std::string hint) {
  if (blame_blank(offset, length)) return false;
  return fail_as("syntax", offset, length, std::move(message), std::move(hint));
}

bool SyntaxFault::fail_as(std::string kind, std::size_t offset, std::size_t length, std::string message,
                          std::string hint) {
  said_.fault = error_at(place(offset, length), std::move(kind), std::move(message), std::move(hint));
  pos_ = std::max(pos_, std::min(offset, text_.size()));
  return false;
}

/// Replaces the words for a fault in the value of a secret key `name`, since they may quote the value.
bool SyntaxFault::hide_fault(std::string_view name) {
  if (said_.fault->message.ends_with(kNoBlank)) return false;  // such a message quotes nothing
  const std::string_view table = !asked_.section.empty() ? asked_.section[0] : said_.key[0];
  if (is_secret_key(name) || table.starts_with("key")) {
    said_.fault->message = "the value of " + in_quotes(name) + " is not valid (it is a secret and not shown)";
    said_.fault->hint = "write it in double quotes; see vipd.toml(5)";
  }
  return false;
}

/// Goes on behind the text that the fault makes unreadable, whatever the fault is.
void SyntaxFault::recover() {
  const bool in_list = nesting_ > 0;
  const auto is_spoilt = [&] {
    if (damage_ == Damage::rest_of_file) return true;
    if (damage_ == Damage::section) return !at_header();
    return in_list ? !at_header() && !at_new_statement() : !at_possible_statement();
  };
  if (!in_list || !at_new_statement()) next_line();
  while (!at_end() && is_spoilt()) next_line();
}

/// Records that the key at `begin` of an inline table was set at `first` before.
bool SyntaxFault::refuse_second(std::size_t begin, std::size_t first) {
  const std::string_view key = text_.substr(begin, text_.find_first_of(" \t=", begin) - begin);
  said_.fault = key_twice(text_, begin, key, place(first, key.size()));
  return false;
}

}  // namespace vipd
