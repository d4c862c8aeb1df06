#include "vipd/base/time.hpp"

#include <cstdio>
#include <ctime>

namespace vipd {

std::string format_duration(Duration duration) {
  using namespace std::chrono_literals;
  const Duration rest = duration % 1ms;  // rounded by hand: chrono's round() overflows at the end of the range
  const auto away = rest >= 500us ? 1 : rest <= -500us ? -1 : 0;
  const auto signed_ms = duration / 1ms + away;
  const bool negative = signed_ms < 0;
  const auto ms = negative ? -signed_ms : signed_ms;
  char text[64];
  if (ms < 1000) {
    std::snprintf(text, sizeof text, "%lldms", static_cast<long long>(ms));
  } else if (ms < 60'000) {
    std::snprintf(text, sizeof text, "%.3f", static_cast<double>(ms) / 1000.0);
    std::string trimmed = text;
    trimmed.erase(trimmed.find_last_not_of('0') + 1);
    if (trimmed.back() == '.') trimmed.pop_back();
    return (negative ? "-" : "") + trimmed + "s";
  } else {
    const long long seconds = ms / 1000;
    const long long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
    const auto in_two = [&](long long great, const char* unit, long long small, const char* lesser) {
      if (small == 0)
        std::snprintf(text, sizeof text, "%lld%s", great, unit);
      else
        std::snprintf(text, sizeof text, "%lld%s %lld%s", great, unit, small, lesser);
    };
    if (days > 0)
      in_two(days, "d", hours, "h");
    else if (hours > 0)
      in_two(hours, "h", minutes, "min");
    else
      in_two(minutes, "min", seconds % 60, "s");
  }
  return (negative ? "-" : "") + std::string(text);
}

std::string format_rfc3339(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(time.time_since_epoch()).count();
  std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(ms % 1000));
  return text;
}

}  // namespace vipd
