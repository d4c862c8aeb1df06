#include "vipd/ctl/document.hpp"

#include <cerrno>

#include "vipd/ctl/text.hpp"

namespace vipd {
namespace {

/// Deeper than any schema. The limit keeps recursive functions from exhausting the stack.
constexpr int kMaxDepth = 32;

std::unexpected<Error> not_understood(const std::string& why) {
  return failure("the daemon's answer is broken: " + why);
}

Result<Document> parse_object(const std::string& line) {
  bool too_deep = false;
  const auto bound = [&too_deep](int depth, Document::parse_event_t, Document&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  Document document = Document::parse(line, bound, false);
  if (too_deep) return not_understood("it is nested too deeply");
  if (document.is_discarded()) return not_understood("it is not JSON");
  if (!document.is_object()) return not_understood("it is not a JSON object");
  return document;
}

}  // namespace

Result<Document> parse_document(const std::string& line, std::string_view schema) {
  auto document = parse_object(line);
  if (!document) return document;
  const std::string found = text_at(*document, "schema");
  if (found == schema) return document;
  if (found == "vipd.error/1")
    return std::unexpected(Error{"the daemon refused: " + text_at(*document, "error"),
                                 text_at(*document, "kind") == "right" ? EACCES : 0});
  if (found.empty()) return not_understood("it names no schema, " + std::string(schema) + " was expected");
  return failure("the daemon answered with schema " + found + ", this vipctl understands " + std::string(schema) +
                 "; are both of the same version? (vipctl version)");
}

const Document& member(const Document& object, const char* key) {
  static const Document nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_at(const Document& object, const char* key) {
  const Document& value = member(object, key);
  if (value.is_string()) return terminal_safe(value.get_ref<const std::string&>());
  if (value.is_number() || value.is_boolean()) return value.dump();
  return "";
}

bool is_true(const Document& object, const char* key) {
  const Document& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::string json_text(const Document& document, int indent) {
  std::string json = document.dump(indent, ' ', true, Document::error_handler_t::replace);
  // DEL is the only ASCII control character that JSON permits, and only inside a string.
  for (std::size_t at = json.find('\x7f'); at != std::string::npos; at = json.find('\x7f', at))
    json.replace(at, 1, "\\u007f");
  return json;
}

}  // namespace vipd
