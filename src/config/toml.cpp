#include "vipd/config/toml.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "vipd/config/explain_syntax.hpp"
#include "vipd/config/repetitions.hpp"
#include "vipd/config/secret.hpp"
#include "vipd/config/statements.hpp"
#include "vipd/config/toml_library.hpp"

namespace vipd {

namespace {

constexpr std::size_t kMaxFileSize = 1 << 20;
/// Octets that are parsed at most to find contradicting statements. Each of these costs a parse of all text before it.
constexpr std::size_t kMostParsed = 2 * kMaxFileSize;

Place to_place(const toml::source_region& region, int file) {
  const bool one_line = region.begin.line == region.end.line && region.end.column > region.begin.column;
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column),
          one_line ? static_cast<int>(region.end.column - region.begin.column) : 1, file};
}

TomlNode convert(const toml::node& node, int file);

void convert_children(const toml::table& table, TomlNode& into, int file) {
  into.children.reserve(table.size());
  for (const auto& [key, value] : table) {
    TomlNode child = convert(value, file);
    child.key = key.str();
    child.key_place = to_place(key.source(), file);
    into.children.push_back(std::move(child));
  }
  const auto by_place = [](const TomlNode& node) { return std::tuple(node.key_place.line, node.key_place.column); };
  std::ranges::sort(into.children, {}, by_place);
  into.note_places();
}

TomlNode convert(const toml::node& node, int file) {
  TomlNode result;
  result.place = to_place(node.source(), file);
  if (const auto* table = node.as_table()) {
    convert_children(*table, result, file);
  } else if (const auto* array = node.as_array()) {
    result.type = TomlType::array;
    for (const toml::node& element : *array) result.children.push_back(convert(element, file));
  } else if (const auto* string = node.as_string()) {
    result.type = TomlType::string;
    result.text = string->get();
  } else if (const auto* integer = node.as_integer()) {
    result.type = TomlType::integer;
    result.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    result.type = TomlType::boolean;
    result.boolean = boolean->get();
  } else if (const auto* floating = node.as_floating_point()) {
    result.type = TomlType::floating;
    result.floating = floating->get();
  } else {
    result.type = TomlType::date;
  }
  return result;
}

/// The first byte that TOML forbids: invalid UTF-8, a control character, a byte order mark.
std::optional<Diagnostic> examine_encoding(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf"))
    return error_at({}, "encoding", "the file begins with a byte order mark", "save it as UTF-8 without BOM");
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0) return error_at(place_at(text, i, 1), "encoding", "this is not UTF-8", "save the file as UTF-8");
    const bool is_space = byte == '\t' || byte == '\n' || (byte == '\r' && text.substr(i + 1).starts_with('\n'));
    if ((byte < 0x20 && !is_space) || byte == 0x7f) {
      return error_at(place_at(text, i, 1), "encoding",
                      "control character " + code_point_name(byte) + " is not allowed");
    }
    i += length;
  }
  return std::nullopt;
}

/// The offset of `position`, which counts like a Place.
std::size_t byte_at(std::string_view text, const toml::source_position& position) {
  std::size_t offset = 0;
  for (toml::source_index line = 1; line < position.line && offset < text.size(); ++line)
    offset = std::min(text.find('\n', offset), text.size() - 1) + 1;
  for (toml::source_index column = 1; column < position.column && offset < text.size(); ++column)
    offset += std::max<std::size_t>(utf8_sequence(text, offset), 1);
  return offset;
}

/// The value or table at the end of `path`, or null. In a list of tables the path leads through the last table.
const toml::node* follow(const toml::node* node, const KeyParts& path) {
  for (const std::string_view part : path) {
    if (node == nullptr) break;
    const toml::array* list = node->as_array();
    if (list != nullptr && !list->empty()) node = list->get(list->size() - 1);
    const toml::table* table = node->as_table();
    node = table == nullptr ? nullptr : table->get(part);
  }
  return node;
}

/// Why and where the library stopped reading.
struct LibraryRefusal {
  std::size_t offset = 0;
  std::string words;

  /// True if a name is at fault and not the text at the place.
  bool is_of_name() const { return words.find("cannot redefine") != std::string::npos || is_insertion(); }
  /// True if a header or a key would add to a closed table.
  bool is_insertion() const { return words.find("cannot insert") != std::string::npos; }
};

/// A parse error as a LibraryRefusal, without the preamble of its words.
LibraryRefusal to_refusal(std::string_view text, const toml::parse_error& error) {
  constexpr std::string_view preamble = "Error while parsing ";
  std::string_view words = error.description();
  if (words.starts_with(preamble)) words.remove_prefix(preamble.size());
  return {byte_at(text, error.source().begin), printable(words)};
}

/// Reads a text in which some statements may be no TOML: each refused statement is explained and left out.
///
/// The library stops at its first fault. From there on it gets each statement alone, so many faults take no longer than
/// one. Repetitions are found by their names. Further parses of the whole text find other contradictions.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text), rest_(text) {}

  TomlFile read(int number);

 private:
  std::optional<LibraryRefusal> parse();
  std::optional<LibraryRefusal> parse(const Statement& statement) const;
  void leave_out_faults(StatementInSection from);
  void leave_out_repetitions();
  Place place_of(const Statement& statement, const KeyParts& key) const;
  void leave_out(const Explanation& said, std::size_t begin, const Diagnostic& fault);
  void blank(std::size_t begin, std::size_t end);
  void explain_conflict(const LibraryRefusal& refusal);
  StatementInSection refused_statement(const LibraryRefusal& refusal) const;
  KeyParts section(const Statement& header) const;
  Diagnostic fault_in(const LibraryRefusal& refusal, const Statement& statement, const Explanation& said) const;
  const toml::node* find_first(const toml::table& before, const Statement& header, const Explanation& said) const;

  const std::string_view text_;
  std::string rest_;        ///< the text with blanks in place of each explained statement, so places stay the same
  std::size_t parsed_ = 0;  ///< octets parsed so far, see kMostParsed
  toml::table table_;
  TomlFile file_;
};

TomlFile TextReader::read(int number) {
  std::optional<LibraryRefusal> refusal = parse();
  if (refusal) {
    leave_out_faults(statement_at(rest_, refusal->offset));
    refusal = parse();
  }
  if (refusal) {
    leave_out_repetitions();
    refusal = parse();
  }
  while (refusal && file_.faults.size() < kMaxDiagnostics && parsed_ < kMostParsed) {
    parsed_ += refusal->offset;
    explain_conflict(*refusal);
    refusal = parse();
  }
  if (refusal)
    ++file_.omitted;
  else
    file_.root = convert(table_, number);
  return std::move(file_);
}

/// Parses the rest. A dotted key of many parts is refused: freeing deeply nested tables would overflow the stack.
std::optional<LibraryRefusal> TextReader::parse() {
  const std::size_t deep = find_deep_statement(rest_, kMaxNesting);
  toml::parse_result parsed = toml::parse(std::string_view(rest_).substr(0, deep));
  if (!parsed) return to_refusal(rest_, parsed.error());
  if (deep < rest_.size()) return LibraryRefusal{deep, "too many parts in a dotted key"};
  table_ = std::move(parsed).table();
  return std::nullopt;
}

/// Parses one statement alone.
std::optional<LibraryRefusal> TextReader::parse(const Statement& statement) const {
  const auto [begin, end, key_dots] = statement;
  if (key_dots >= kMaxNesting) return LibraryRefusal{begin, "too many parts in a dotted key"};
  const std::size_t from = begin - (begin > 0);  // a byte order mark is legal only at the beginning of a text
  const std::string_view text = std::string_view(rest_).substr(from, end - from);
  const toml::parse_result parsed = toml::parse(text);
  if (parsed) return std::nullopt;
  LibraryRefusal refusal = to_refusal(text, parsed.error());
  refusal.offset += from;
  return refusal;
}

void TextReader::leave_out_faults(StatementInSection from) {
  constexpr std::size_t kMaxOmitted = 1000;  // the exact number of more faults is of no interest
  auto [statement, header] = from;
  for (; statement.begin < rest_.size(); statement = next_statement(rest_, statement.end)) {
    if (file_.omitted == kMaxOmitted) return blank(statement.begin, rest_.size());
    if (const auto refusal = parse(statement)) {
      const Explanation said = explain_statement(
          rest_, {.begin = statement.begin, .refused_at = refusal->offset, .section = section(header)});
      leave_out(said, statement.begin, said.fault ? *said.fault : fault_in(*refusal, statement, said));
      statement.end = said.end;
    } else if (rest_[statement.begin] == '[') {
      header = statement;
    }
  }
}

void TextReader::leave_out(const Explanation& said, std::size_t begin, const Diagnostic& fault) {
  if (file_.faults.size() < kMaxDiagnostics)
    file_.faults.push_back(fault);
  else
    ++file_.omitted;
  blank(begin, said.end);
}

/// Leaves out repetitions. The first ones are reported, all are counted.
void TextReader::leave_out_repetitions() {
  for (const auto& [statement, first] : find_repetitions(rest_)) {
    if (file_.faults.size() < kMaxDiagnostics) {
      const Explanation said = explain_statement(rest_, {.begin = statement.begin});
      file_.faults.push_back(explain_second(rest_, statement.begin, said, place_of(first, said.key)));
    } else {
      ++file_.omitted;
    }
    blank(statement.begin, statement.end);
  }
}

/// The place of the value or of the header that a legal statement defines.
Place TextReader::place_of(const Statement& statement, const KeyParts& key) const {
  const std::size_t newline = statement.begin == 0 ? std::string::npos : rest_.rfind('\n', statement.begin - 1);
  const std::size_t line_begin = newline == std::string::npos ? 0 : newline + 1;
  const auto parsed = toml::parse(std::string_view(rest_).substr(line_begin, statement.end - line_begin));
  const toml::node* defined = parsed ? follow(&parsed.table(), key) : nullptr;
  if (defined == nullptr) return place_at(rest_, statement.begin, 1);
  Place place = to_place(defined->source(), 0);
  place.line +=
      static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(line_begin), '\n'));
  return place;
}

void TextReader::explain_conflict(const LibraryRefusal& refusal) {
  const auto [statement, header] = refused_statement(refusal);
  Explanation said = explain_statement(rest_, {.begin = statement.begin});
  if (!said.is_header) said.end = statement.end;  // alone, the statement is legal
  Diagnostic fault = fault_in(refusal, statement, said);
  if (refusal.is_of_name() && !refusal.is_insertion() && !said.key_text.starts_with("[[")) {
    const toml::parse_result before = toml::parse(std::string_view(rest_).substr(0, statement.begin));
    const toml::node* first = before ? find_first(before.table(), header, said) : nullptr;
    if (first != nullptr && !first->is_array_of_tables())
      fault = explain_second(rest_, statement.begin, said, to_place(first->source(), 0));
  }
  leave_out(said, statement.begin, fault);
}

/// The value or table that already has the place of the key or the table of a statement, or null.
const toml::node* TextReader::find_first(const toml::table& before, const Statement& header,
                                         const Explanation& said) const {
  return follow(said.is_header ? &before : follow(&before, section(header)), said.key);
}

/// The statement at fault. The library may refuse a header only after it has read the line break behind it.
StatementInSection TextReader::refused_statement(const LibraryRefusal& refusal) const {
  const StatementInSection found = statement_at(rest_, refusal.offset);
  const bool may_be_before = refusal.offset > 0 && refusal.offset == found.statement.begin && refusal.is_of_name();
  if (!may_be_before || toml::parse(std::string_view(rest_).substr(0, refusal.offset))) return found;
  return statement_at(rest_, refusal.offset - 1);
}

/// The name of the table that a header begins; empty without a header.
KeyParts TextReader::section(const Statement& header) const {
  return header.end == 0 ? KeyParts() : explain_statement(rest_, {.begin = header.begin}).key;
}

/// The library's fault of a statement. Its words are replaced if they may quote a secret.
Diagnostic TextReader::fault_in(const LibraryRefusal& refusal, const Statement& statement,
                                const Explanation& said) const {
  const bool is_behind = refusal.offset >= statement.end && !said.key_text.empty();
  const Place place =
      is_behind ? place_at(rest_, statement.begin, said.key_text.size()) : place_at(rest_, refusal.offset, 1);
  return error_at(place, "syntax", hide_secrets(text_) != text_ ? "this is not TOML" : refusal.words);
}

void TextReader::blank(std::size_t begin, std::size_t end) {
  std::replace_if(
      rest_.begin() + static_cast<std::ptrdiff_t>(begin), rest_.begin() + static_cast<std::ptrdiff_t>(end),
      [](char c) { return c != '\n'; }, ' ');
}

TomlFile read_text(std::string_view text, int number) {
  TomlFile file;
  if (text.size() > kMaxFileSize)
    file.faults.push_back(error_at({}, "size", "the file is larger than 1 MiB"));
  else if (const auto fault = examine_encoding(text))
    file.faults.push_back(*fault);
  else
    file = TextReader(text).read(number);
  return file;
}

}  // namespace

void TomlNode::note_places() {
  constexpr std::size_t kFew = 32;
  if (children.size() <= kFew) return;
  std::map<std::string, std::size_t, std::less<>> by_key;
  for (std::size_t i = 0; i < children.size(); ++i) by_key.emplace(children[i].key, i);
  places = std::make_shared<const std::map<std::string, std::size_t, std::less<>>>(std::move(by_key));
}

const TomlNode* TomlNode::find(std::string_view name) const {
  if (places) {
    const auto known = places->find(name);
    return known == places->end() ? nullptr : &children[known->second];
  }
  const auto found = std::ranges::find(children, name, &TomlNode::key);
  return found == children.end() ? nullptr : &*found;
}

const TomlNode& TomlNode::entry(std::string_view list, std::size_t index) const { return find(list)->children[index]; }

std::string_view describe(TomlType type) {
  switch (type) {
    case TomlType::boolean:
      return "a boolean";
    case TomlType::integer:
      return "an integer";
    case TomlType::floating:
      return "a fraction";
    case TomlType::string:
      return "a string";
    case TomlType::date:
      return "a date";
    case TomlType::array:
      return "a list";
    case TomlType::table:
      return "a table";
  }
  return "";
}

TomlFile read_toml(std::string_view text, int file) {
  TomlFile result = read_text(text, file);
  for (Diagnostic& fault : result.faults) {
    fault.file = file;
    if (fault.related) fault.related->file = file;
  }
  return result;
}

}  // namespace vipd
