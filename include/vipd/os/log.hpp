/// The log: spdlog on standard error, which systemd hands to the journal.
///
/// Writing never waits. When whoever reads the other end is stuck, lines are dropped and counted, and the count is said
/// when the pipe moves again: a full pipe must not cost an address. Under systemd each line opens with its level as
/// sd-daemon(3) wants it ("<4>"); on a terminal or in a file with the time.
///
/// spdlog's own functions would make each file that logs compile the whole of fmt's formatting again, which was half of
/// what such a file took; here only the arguments are packed. Callers: whoever has something to say.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

namespace vipd {

/// As in sd-daemon(3), without the levels that nothing here deserves.
enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Installs the sink as spdlog's default logger. Call once, before anything is logged.
void start_log();

/// Writes a report for a person to standard error, as it stands. A reader that is stuck is waited for, a second in all;
/// the rest of the report is dropped then.
void write_report(std::string_view text);

/// A line of spdlog's default logger, formatted by fmt::vformat() if the level is logged at all.
void write_log(LogLevel level, fmt::string_view format, fmt::format_args arguments);

/// The same from arguments, whose fit to `format` the compiler checks.
template <typename... Arguments>
void log(LogLevel level, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(level, format, fmt::make_format_args(arguments...));
}

/// What happened.
template <typename... Arguments>
void log_info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(LogLevel::info, format, fmt::make_format_args(arguments...));
}

/// What somebody should look at.
template <typename... Arguments>
void log_warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(LogLevel::warning, format, fmt::make_format_args(arguments...));
}

/// What could not be done.
template <typename... Arguments>
void log_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(LogLevel::error, format, fmt::make_format_args(arguments...));
}

}  // namespace vipd
