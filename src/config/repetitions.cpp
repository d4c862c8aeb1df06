#include "vipd/config/repetitions.hpp"

#include <map>
#include <optional>
#include <string>

#include "vipd/config/toml_cursor.hpp"

namespace vipd {

namespace {

std::size_t behind_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

/// The dotted key at `at`, which ends before `end`, without its blanks; nullopt if a part of it has quotes.
std::optional<std::string> bare_path(std::string_view text, std::size_t at, char end) {
  std::string path;
  while (true) {
    at = behind_blanks(text, at);
    const std::size_t begin = at;
    while (at < text.size() && is_bare_key(text[at])) ++at;
    path += text.substr(begin, at - begin);
    at = behind_blanks(text, at);
    if (at < text.size() && text[at] == end) return path;
    if (at >= text.size() || text[at] != '.') return std::nullopt;
    path += text[at++];
  }
}

/// Remembers all headers, and the keys of the present section.
class RepetitionFinder {
 public:
  explicit RepetitionFinder(std::string_view text) : text_(text) {}

  std::vector<Repetition> find() {
    for (Statement next = next_statement(text_, 0); next.begin < text_.size(); next = next_statement(text_, next.end))
      text_[next.begin] == '[' ? take_header(next) : take_key(next);
    return std::move(found_);
  }

 private:
  using Known = std::map<std::string, Statement>;

  void take_header(const Statement& header) {
    keys_.clear();
    in_repetition_ = false;
    if (text_.substr(header.begin).starts_with("[["))
      headers_.clear();  // the next tables may belong to another entry of a list
    else
      in_repetition_ = note(header, bare_path(text_, header.begin + 1, ']'), headers_);
  }

  void take_key(const Statement& key) {
    if (in_repetition_)
      found_.back().statement.end = key.end;
    else
      note(key, bare_path(text_, key.begin, '='), keys_);
  }

  /// True if the name is known: the statement is a repetition.
  bool note(const Statement& statement, const std::optional<std::string>& name, Known& known) {
    if (!name) return false;
    const auto [first, is_new] = known.emplace(*name, statement);
    if (!is_new) found_.push_back({statement, first->second});
    return !is_new;
  }

  const std::string_view text_;
  Known headers_, keys_;
  bool in_repetition_ = false;  // true below a repeated header
  std::vector<Repetition> found_;
};

}  // namespace

std::vector<Repetition> find_repetitions(std::string_view text) { return RepetitionFinder(text).find(); }

}  // namespace vipd
