#include "vipd/config/toml.hpp"

#include <algorithm>
#include <tuple>

#include "vipd/config/secret.hpp"
#include "vipd/config/syntax.hpp"
#include "vipd/config/toml_library.hpp"

namespace vipd {

namespace {

constexpr std::size_t kMaxFileSize = 1 << 20;

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

Diagnostic fault(const Place& place, std::string kind, std::string message) {
  return {place, Severity::error, std::move(kind), std::move(message), "", {}};
}

/// What only the library noticed, in its own words without their preamble.
Diagnostic from_library(const toml::parse_error& error) {
  std::string_view words = error.description();
  constexpr std::string_view preamble = "Error while parsing ";
  if (words.starts_with(preamble)) words.remove_prefix(preamble.size());
  return fault(to_place(error.source(), 0), "syntax", printable(words));
}

TomlFile read_text(std::string_view text, int number) {
  TomlFile file;
  if (text.size() > kMaxFileSize) {
    file.faults.push_back(fault({}, "size", "the file is larger than 1 MiB"));
    return file;
  }
  file.faults = scan_encoding(text);
  if (!file.faults.empty()) return file;
  SyntaxScan scan = scan_syntax(text);
  file.faults = std::move(scan.faults);
  file.omitted = scan.omitted;
  const toml::parse_result parsed = toml::parse(std::string_view(scan.rest));
  if (parsed) {
    file.root = convert(parsed.table(), number);
  } else {
    file.faults.push_back(from_library(parsed.error()));
    if (hide_secrets(text) != text) file.faults.back().message = "this is not TOML";  // its words may quote a secret
  }
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
