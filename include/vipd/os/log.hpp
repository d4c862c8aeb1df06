/// The log: spdlog on standard error, which systemd hands to its journal.
///
/// Writing never waits, because a full pipe must not cost an address. While the reader of the pipe is stuck, lines are
/// dropped and counted. The count is logged when the pipe moves again. Under systemd each line opens with its level
/// ("<4>", sd-daemon(3)); on a terminal or in a file it opens with the time.
///
/// spdlog's own functions would make each file that logs compile all of fmt's formatting again. That was half of the
/// time such a file took, so the functions here only pack the arguments.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

namespace vipd {

/// Levels as in sd-daemon(3), without those that vipd never uses.
enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Installs the sink as spdlog's default logger. Call once, before anything is logged.
void start_log();

/// Writes a report for a person to standard error, unchanged. Waits for a stuck reader for one second in all; the rest
/// of the report is dropped then.
void write_report(std::string_view text);

/// Logs one line through spdlog's default logger. fmt::vformat() runs only if the level is logged.
void write_log(LogLevel level, fmt::string_view format, fmt::format_args arguments);

/// Logs one line; the compiler checks the arguments against `format`.
template <typename... Arguments>
void log(LogLevel level, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(level, format, fmt::make_format_args(arguments...));
}

/// Logs an event.
template <typename... Arguments>
void log_info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(LogLevel::info, format, fmt::make_format_args(arguments...));
}

/// Logs something that the operator should look at.
template <typename... Arguments>
void log_warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(LogLevel::warning, format, fmt::make_format_args(arguments...));
}

/// Logs something that failed.
template <typename... Arguments>
void log_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_log(LogLevel::error, format, fmt::make_format_args(arguments...));
}

}  // namespace vipd
