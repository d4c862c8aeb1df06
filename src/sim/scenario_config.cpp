#include "vipd/sim/scenario_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "vipd/config/parse.hpp"
#include "vipd/sim/sim_kernel.hpp"

namespace vipd::sim {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

bool is_header(std::string_view line) { return line.starts_with('[') && line.ends_with(']'); }

/// True for "[instance.web]", and false for tables below it.
bool is_instance(std::string_view header) {
  return header.starts_with("[instance.") && std::ranges::count(header, '.') == 1;
}

std::string_view key_of(std::string_view line) { return trimmed(line.substr(0, line.find('='))); }

bool sets(std::string_view line, std::string_view key) {
  return line.find('=') != std::string_view::npos && key_of(line) == key;
}

/// A text that is being changed.
class Text {
 public:
  explicit Text(ScenarioLines lines) : lines_(std::move(lines)) {}

  /// False if the change cannot be made.
  bool change(const ScenarioLine& change) {
    if (change.text.starts_with('#')) return true;
    if (change.text.starts_with('-')) return take_away(std::string(trimmed(change.text.substr(1))));
    if (is_header(change.text)) {
      table_ = change.text;
      if (find_table(table_) == lines_.size()) lines_.push_back(change);
      return true;
    }
    return each_table([&](std::size_t header) { set(header, change); });
  }

  ScenarioLines take() { return std::move(lines_); }

 private:
  std::size_t find_table(std::string_view header) const {
    const auto found = std::ranges::find(lines_, header, &ScenarioLine::text);
    return static_cast<std::size_t>(found - lines_.begin());
  }

  /// The index behind the last line of the table whose header is at `header`.
  std::size_t end_of(std::size_t header) const {
    std::size_t end = header + 1;
    while (end < lines_.size() && !is_header(lines_[end].text)) ++end;
    return end;
  }

  /// Calls `what` for the header of each addressed table; false if there is none.
  template <typename What>
  bool each_table(const What& what) {
    bool some = false;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const std::string& text = lines_[i].text;
      if (table_.empty() ? !is_instance(text) : text != table_) continue;
      what(i);
      some = true;
    }
    return some;
  }

  std::size_t find_key(std::size_t header, std::string_view key) const {
    const std::size_t end = end_of(header);
    for (std::size_t i = header + 1; i < end; ++i)
      if (sets(lines_[i].text, key)) return i;
    return end;
  }

  void set(std::size_t header, const ScenarioLine& change) {
    const std::size_t end = end_of(header), found = find_key(header, key_of(change.text));
    if (found == end)
      lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(end), change);
    else
      lines_[found] = change;
  }

  bool take_away(const std::string& what) {
    if (is_header(what)) return take_away_lines(find_table(what));
    bool some = false;
    each_table([&](std::size_t header) {
      const std::size_t found = find_key(header, what);
      if (found == end_of(header)) return;
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(found));
      some = true;
    });
    return some;
  }

  bool take_away_lines(std::size_t header) {
    if (header == lines_.size()) return false;
    const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(header);
    lines_.erase(begin, lines_.begin() + static_cast<std::ptrdiff_t>(end_of(header)));
    return true;
  }

  ScenarioLines lines_;
  std::string table_;  // the table of the next lines; empty for each [instance.NAME]
};

int line_of(const ScenarioLines& lines, const Place& place) {
  if (lines.empty()) return 0;
  return lines[std::min(lines.size(), static_cast<std::size_t>(std::max(place.line, 1))) - 1].line;
}

}  // namespace

Result<ScenarioLines> amend(ScenarioLines base, std::span<const ScenarioLine> changes) {
  Text text(std::move(base));
  for (const ScenarioLine& change : changes)
    if (!text.change(change))
      return failure(
          fmt::format("line {}: there is nothing that \"{}\" could change: name the table above it, as in "
                      "\"[instance.web]\"",
                      change.line, printable(change.text)));
  return text.take();
}

Result<Config> judge(const ScenarioLines& lines, const std::string& host) {
  std::string text;
  for (const ScenarioLine& line : lines) text += line.text + "\n";
  const ConfigSource source{.name = host, .text = text};
  const ParsedConfig parsed = parse_config({&source, 1}, host);
  for (const Diagnostic& one : parsed.diagnostics)
    if (one.severity == Severity::error)
      return failure(
          fmt::format("line {}: {}{}{}", line_of(lines, one), one.message, one.hint.empty() ? "" : "; ", one.hint));
  if (!parsed.config) return failure(fmt::format("line {}: the configuration cannot be used", line_of(lines, {})));
  for (const NamedInterface& each : parsed.interfaces)
    if (lan_of(each.name) == kLans.size())
      return failure(fmt::format("line {}: the simulated nodes have no interface {}: use eth0, eth1 or eth2",
                                 line_of(lines, each.place), each.name));
  return *parsed.config;
}

}  // namespace vipd::sim
