/// Text for a terminal: harmless characters, local times, columns, colour.
///
/// The daemon repeats what peers, scripts and the kernel told it. None of them may move the cursor, so terminal_safe()
/// stands between every such text and the terminal. Colour is only ever an addition: what it says is also said in
/// words, for a pipe, a serial console, or eyes that do not see red.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vipd {

/// What the rendering has to know of the world: the time, for "2min 5s ago", and whether colours are welcome.
struct Display {
  std::chrono::system_clock::time_point now;
  bool colour = false;
};

/// How a word stands out, if the display has colours.
enum class Emphasis { plain, strong, good, bad };

/// `text` with control characters (C0, DEL, C1), line separators, direction overrides, invisible characters and
/// invalid UTF-8 written out as "\x1b" or "\u202e".
std::string terminal_safe(std::string_view text);

/// `text` between the escape sequences of `emphasis`, or as it is on a display without colour.
std::string paint(const Display& display, Emphasis emphasis, const std::string& text);

/// `text` with spaces up to `width` columns. A character counts as one column.
std::string padded(std::string text, std::size_t width);

/// `text` with a..z as capitals: how a state is shown.
std::string upper(std::string text);

/// Columns of `text`: characters, not octets.
std::size_t columns(std::string_view text);

/// The time in "2026-11-22T22:52:03.123Z" or with "+01:00"; nullopt for anything else, and for years before 1970 or
/// after 2200.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(const std::string& text);

/// "2026-11-22 22:52:03.123" in the time zone of the environment (TZ).
std::string local_time(std::chrono::system_clock::time_point time);

/// "22:52:03" for a time of the display's own day, "2026-11-19 22:52:03" for any other, in the same time zone.
std::string short_local_time(std::chrono::system_clock::time_point time, const Display& display);

}  // namespace vipd
