/// Text for a terminal: harmless characters, local times, columns, colour.
///
/// The daemon repeats texts of peers, scripts and the kernel. None of them may move the cursor, so terminal_safe()
/// stands between every such text and the terminal. Colour never carries information alone: words say the same, for a
/// pipe, a serial console, or a reader who cannot see red.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vipd {

/// The facts that rendering needs: the present time, for "2min 5s ago", and whether colours are wanted.
struct Display {
  std::chrono::system_clock::time_point now;
  bool colour = false;
};

/// How a word stands out, if the display has colours.
enum class Emphasis { plain, strong, good, bad };

/// `text` with control characters (C0, DEL, C1), line separators, direction overrides, invisible characters and
/// invalid UTF-8 written out as "\x1b" or "\u202e".
std::string terminal_safe(std::string_view text);

/// `text` inside the escape sequences of `emphasis`, or unchanged on a display without colour.
std::string paint(const Display& display, Emphasis emphasis, const std::string& text);

/// `text` filled with spaces up to `width` columns. A character counts as one column.
std::string padded(std::string text, std::size_t width);

/// `text` with a..z as capitals, in which states are shown.
std::string upper(std::string text);

/// Columns of `text`: characters, not octets.
std::size_t columns(std::string_view text);

/// Parses "2026-11-22T22:52:03.123Z", also with an offset such as "+01:00"; nullopt for other text, and for years
/// before 1970 or after 2200.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(const std::string& text);

/// "2026-11-22 22:52:03.123" in the time zone of the environment (TZ).
std::string local_time(std::chrono::system_clock::time_point time);

/// "22:52:03" for a time of the display's day, "2026-11-19 22:52:03" for other days, in the time zone of the
/// environment.
std::string short_local_time(std::chrono::system_clock::time_point time, const Display& display);

}  // namespace vipd
