#include "vipd/config/diagnostic.hpp"

#include <algorithm>

#include "vipd/config/secret.hpp"
#include "vipd/config/text.hpp"

namespace vipd {

namespace {

struct Palette {
  std::string_view bold, error, warning, hint, reset;
};

constexpr Palette kPlain{};
constexpr Palette kColors{"\033[1m", "\033[1;31m", "\033[1;35m", "\033[36m", "\033[0m"};

/// The lines of a file. Rendering many diagnostics splits the text once.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

/// The offset at which scalar value number `index` (from 0) starts, or the end.
std::size_t offset_of(std::string_view line, int index) {
  std::size_t offset = 0;
  for (; index > 0 && offset < line.size(); --index) offset += std::max<std::size_t>(utf8_sequence(line, offset), 1);
  return offset;
}

/// Blanks as wide as `text`. Tabs stay tabs, so the caret stands under its character.
std::string blanks_like(std::string_view text) {
  std::string blanks;
  for (std::size_t i = 0; i < text.size(); i += std::max<std::size_t>(utf8_sequence(text, i), 1)) {
    blanks += text[i] == '\t' ? '\t' : ' ';
  }
  return blanks;
}

/// The part of a source line that is shown: the whole line, or the surroundings of the caret in a long line.
struct Excerpt {
  std::string_view before, run, after;
};

Excerpt excerpt(std::string_view line, const Diagnostic& diagnostic) {
  constexpr int kBefore = 120, kAfter = 80;
  const int first = std::max(diagnostic.column - 1, 0);
  const std::size_t start = offset_of(line, std::max(first - kBefore, 0));
  const std::size_t run = offset_of(line, first);
  const std::size_t run_end = run + offset_of(line.substr(run), std::clamp(diagnostic.width, 1, kAfter));
  const std::size_t end = run_end + offset_of(line.substr(run_end), kAfter);
  return {line.substr(start, run - start), line.substr(run, run_end - run), line.substr(run_end, end - run_end)};
}

void append_source(std::string& out, std::string_view line, const Diagnostic& diagnostic, const Palette& palette) {
  const auto [before, run, after] = excerpt(line, diagnostic);
  const std::string number = std::to_string(diagnostic.line);
  const auto width = static_cast<std::size_t>(std::max(count_scalars(run), 1));
  out += "  " + number + " | " + printable(before) + printable(run) + printable(after) + "\n";
  out += std::string(2 + number.size(), ' ') + " | " + blanks_like(before);
  out.append(palette.error).append("^").append(width - 1, '~').append(palette.reset).append("\n");
}

void append_headline(std::string& out, const Diagnostic& diagnostic, std::string_view file, const Palette& palette) {
  const bool is_error = diagnostic.severity == Severity::error;
  out.append(palette.bold).append(printable(file)).append(":" + std::to_string(diagnostic.line));
  out.append(":" + std::to_string(diagnostic.column) + ": ").append(palette.reset);
  out.append(is_error ? palette.error : palette.warning).append(is_error ? "error" : "warning");
  out.append("[" + diagnostic.kind + "]").append(palette.reset).append(": " + diagnostic.message + "\n");
}

}  // namespace

std::string name_place(const Place& place, const Place& here, std::span<const ConfigSource> sources) {
  const std::string line = std::to_string(place.line);
  if (place.file == here.file) return "line " + line;
  return printable(sources[static_cast<std::size_t>(place.file)].name) + ":" + line;
}

std::string render(const std::vector<Diagnostic>& diagnostics, std::span<const ConfigSource> sources, bool color) {
  if (diagnostics.empty()) return "";
  const Palette& palette = color ? kColors : kPlain;
  std::vector<std::string> texts;
  for (const ConfigSource& source : sources) texts.push_back(hide_secrets(source.text));
  std::vector<std::vector<std::string_view>> lines;
  for (const std::string& text : texts) lines.push_back(split_lines(text));
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    const auto file = static_cast<std::size_t>(diagnostic.file);
    append_headline(out, diagnostic, sources[file].name, palette);
    const auto index = static_cast<std::size_t>(diagnostic.line - 1);
    if (index < lines[file].size()) append_source(out, lines[file][index], diagnostic, palette);
    if (diagnostic.related) out += "  other place: " + name_place(*diagnostic.related, diagnostic, sources) + "\n";
    if (!diagnostic.hint.empty()) {
      out.append("  ").append(palette.hint).append("hint:").append(palette.reset).append(" " + diagnostic.hint + "\n");
    }
  }
  return out;
}

}  // namespace vipd
