#include <algorithm>

#include "vipd/ctl/render.hpp"

namespace vipd {
namespace {

constexpr std::size_t kShownHash = 12;

std::string configuration_line(const Document& configuration, const Display& display) {
  const auto time = parse_rfc3339(text_at(configuration, "time"));
  std::string paths;
  for (const Document& file : member(configuration, "files")) paths += "  " + text_at(file, "path");
  return padded(text_at(configuration, "number"), 6) + "  " +
         padded(time ? short_local_time(*time, display) : text_at(configuration, "time"), 19) + "  " +
         text_at(configuration, "sha256").substr(0, kShownHash) + paths + '\n';
}

/// `text` line by line, each made safe for a terminal.
std::string harmless_lines(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    result += terminal_safe(text.substr(begin, end - begin)) + '\n';
    begin = end + 1;
  }
  return result;
}

std::string string_at(const Document& object, const char* key) {
  const Document& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

}  // namespace

std::string render_report(const Document& answer) { return harmless_lines(string_at(answer, "report")); }

std::string render_changes(const Document& answer) {
  std::string text;
  for (const Document& change : member(answer, "changes")) text += text_at(change, "text") + '\n';
  return text.empty() && is_true(answer, "valid") ? "nothing changes\n" : text;
}

std::string render_configurations(const Document& answer, const Display& display) {
  std::string text =
      padded("NUMBER", 6) + "  " + padded("IN FORCE SINCE", 19) + "  " + padded("SHA-256", kShownHash) + "  FILES\n";
  for (const Document& configuration : member(answer, "configurations"))
    text += configuration_line(configuration, display);
  return text;
}

std::string render_files(const Document& answer) {
  std::string text;
  for (const Document& configuration : member(answer, "configurations"))
    for (const Document& file : member(configuration, "files"))
      text += "# " + text_at(file, "path") + '\n' + harmless_lines(string_at(file, "text"));
  return text;
}

}  // namespace vipd
