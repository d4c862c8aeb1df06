#include "vipd/ctl/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace vipd {
namespace {

using Clock = std::chrono::system_clock;

struct Character {
  std::size_t octets;  ///< 0 if the next octets are not valid UTF-8
  std::uint32_t code;
};

/// The length in octets of the UTF-8 sequence that begins with `lead`; 0 if none does (RFC 3629).
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/// False for overlong forms, surrogates, and codes beyond Unicode.
bool is_valid(const Character& character) {
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (character.code < least[character.octets] || character.code > 0x10ffff) return false;
  return character.code < 0xd800 || character.code > 0xdfff;
}

Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t octets = sequence_length(lead);
  if (octets == 0 || octets > text.size()) return {0, 0};
  Character character{octets, octets == 1 ? lead : lead & (0x7fU >> octets)};
  for (const char octet : text.substr(1, octets - 1)) {
    if ((octet & 0xc0) != 0x80) return {0, 0};
    character.code = character.code << 6 | (octet & 0x3fU);
  }
  return is_valid(character) ? character : Character{0, 0};
}

/// True for characters that change a terminal or deceive a reader instead of being shown.
bool is_dangerous(std::uint32_t code) {
  const auto within = [code](std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; };
  const bool control = code < 0x20 || within(0x7f, 0x9f);
  const bool invisible = within(0x200b, 0x200f) || within(0x2060, 0x2064) || code == 0xad || code == 0xfeff;
  const bool direction = within(0x2028, 0x202e) || within(0x2066, 0x2069) || code == 0x61c;
  return control || invisible || direction || within(0xe0000, 0xe007f);
}

std::string escaped(std::uint32_t code) {
  char text[16];
  std::snprintf(text, sizeof text, code < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
  return text;
}

const char* escape_sequence(Emphasis emphasis) {
  switch (emphasis) {
    case Emphasis::strong:
      return "\033[1m";
    case Emphasis::good:
      return "\033[1;32m";
    case Emphasis::bad:
      return "\033[1;31m";
    case Emphasis::plain:
      break;
  }
  return "";
}

/// Reads a fraction such as ".123" at the start of `text`, and moves `text` behind it.
std::chrono::milliseconds take_fraction(const char*& text) {
  if (*text != '.') return {};
  int thousandths = 0;
  int scale = 100;
  for (++text; *text >= '0' && *text <= '9'; ++text, scale /= 10) thousandths += (*text - '0') * scale;
  return std::chrono::milliseconds(thousandths);
}

/// The offset of "Z" or "+01:00"; nullopt if other text follows.
std::optional<std::chrono::minutes> parse_zone(const std::string& text) {
  if (text == "Z") return std::chrono::minutes(0);
  char sign = 0;
  int hours = 0;
  int minutes = 0;
  int length = 0;
  if (std::sscanf(text.c_str(), "%c%2d:%2d%n", &sign, &hours, &minutes, &length) != 3) return std::nullopt;
  const bool whole = length == 6 && text.size() == 6 && hours >= 0 && minutes >= 0;
  if (!whole || (sign != '+' && sign != '-')) return std::nullopt;
  const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return sign == '+' ? offset : -offset;
}

std::tm local_parts(Clock::time_point time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

std::string format_parts(const std::tm& parts, const char* format) {
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

std::string terminal_safe(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::size_t octets = std::max<std::size_t>(character.octets, 1);
    if (character.octets == 0) {
      result += escaped(static_cast<unsigned char>(text.front()));
    } else if (is_dangerous(character.code)) {
      result += escaped(character.code);
    } else {
      result += text.substr(0, octets);
    }
    text.remove_prefix(octets);
  }
  return result;
}

std::string paint(const Display& display, Emphasis emphasis, const std::string& text) {
  if (!display.colour || emphasis == Emphasis::plain) return text;
  return escape_sequence(emphasis) + text + "\033[0m";
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return text;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char octet) { return (octet & 0xc0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t present = columns(text);
  if (present < width) text.append(width - present, ' ');
  return text;
}

std::optional<Clock::time_point> parse_rfc3339(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  // The limits keep the nanoseconds of the clock from overflowing.
  if (rest == nullptr || parts.tm_year < 70 || parts.tm_year > 300) return std::nullopt;
  const auto fraction = take_fraction(rest);
  const auto offset = parse_zone(rest);
  if (!offset) return std::nullopt;
  return Clock::from_time_t(timegm(&parts)) + fraction - *offset;
}

std::string local_time(Clock::time_point time) {
  const auto fraction = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  char text[8];
  std::snprintf(text, sizeof text, ".%03d", static_cast<int>(fraction));
  return format_parts(local_parts(time), "%Y-%m-%d %H:%M:%S") + text;
}

std::string short_local_time(Clock::time_point time, const Display& display) {
  const std::tm parts = local_parts(time);
  const std::tm today = local_parts(display.now);
  const bool same_day = parts.tm_year == today.tm_year && parts.tm_yday == today.tm_yday;
  return format_parts(parts, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S");
}

}  // namespace vipd
