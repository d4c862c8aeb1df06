#include "vipd/load/programs.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "vipd/config/check_program.hpp"
#include "vipd/config/values.hpp"
#include "vipd/os/process_count.hpp"
#include "vipd/os/program_file.hpp"

namespace vipd {
namespace {

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_priority(std::string_view text) {
  return !text.empty() && text.size() <= 3 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool are_notify_words(std::span<const std::string> words) {
  constexpr auto kSubjects = std::to_array<std::string_view>({"INSTANCE", "GROUP"});
  constexpr auto kStates = std::to_array<std::string_view>({"MASTER", "BACKUP", "FAULT", "STOP"});
  return words.size() == 4 && is_one_of(words[0], kSubjects) && is_valid_name(words[1]) &&
         is_one_of(words[2], kStates) && is_priority(words[3]);
}

}  // namespace

void add_shared_hooks(const std::vector<std::string>& paths, std::vector<NamedProgram>& programs) {
  for (const std::string& path : paths) programs.push_back({{path}, true, Place{}});
}

std::vector<Diagnostic> check_programs(std::span<const NamedProgram> programs) {
  std::vector<Diagnostic> diagnostics;
  std::set<std::string> seen;
  for (const NamedProgram& program : programs) {
    const std::string& path = program.arguments.front();
    if (is_built_in(program.arguments)) continue;
    if (!seen.insert(path).second) continue;
    const auto fault = examine_program(path);
    if (!fault) continue;
    diagnostics.push_back({program.place,
                           Severity::error,
                           "script-security",
                           "refusing " + path + ": " + fault->reason,
                           fault->remedy,
                           {}});
  }
  return diagnostics;
}

std::vector<Diagnostic> check_processes(std::span<const NamedProgram> programs) {
  std::vector<Diagnostic> diagnostics;
  for (const NamedProgram& program : programs) {
    if (program.arguments.front() != kCountProcesses) continue;
    if (const auto why = why_never_runs(program.arguments.at(1)))
      diagnostics.push_back({program.place,
                             Severity::warning,
                             "process",
                             "no process can run this now: " + *why,
                             "the check fails until that is mended",
                             {}});
  }
  return diagnostics;
}

bool is_named(std::span<const NamedProgram> programs, std::span<const std::string> arguments) {
  return std::ranges::any_of(programs, [&](const NamedProgram& program) {
    const std::size_t own = program.arguments.size();
    if (arguments.size() < own || !std::ranges::equal(arguments.first(own), program.arguments)) return false;
    const auto more = arguments.subspan(own);
    return program.notify ? are_notify_words(more) : more.empty();
  });
}

bool is_harmless(std::span<const std::string> environment) {
  return std::ranges::all_of(environment, [](const std::string& entry) {
    const std::size_t equals = entry.find('=');
    return entry.starts_with("VIPD_") && equals != std::string::npos && entry.find('\0') == std::string::npos;
  });
}

}  // namespace vipd
