#include "vipd/os/memberships.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "vipd/base/ip.hpp"

namespace vipd {
namespace {

template <typename Number>
std::optional<Number> number_in(const std::string& text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// The group in the notation of /proc/net/igmp: the four octets as one number in host byte order.
std::uint32_t ipv4_group_number() {
  std::uint32_t number = 0;
  std::memcpy(&number, vrrp_group(Family::ipv4).octets().data(), sizeof number);
  return number;
}

/// The group in the notation of /proc/net/igmp6: all digits, without colons.
std::string ipv6_group_digits() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const std::uint8_t octet : vrrp_group(Family::ipv6).octets()) {
    digits += kDigits[octet >> 4];
    digits += kDigits[octet & 15];
  }
  return digits;
}

/// A line that begins with the index of an interface is followed by an indented line for each of its groups.
std::set<int> read_igmp(std::istream& file) {
  std::set<int> members;
  std::optional<int> index;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (!line.starts_with('\t'))
      index = number_in<int>(first, 10);
    else if (index && number_in<std::uint32_t>(first, 16) == ipv4_group_number())
      members.insert(*index);
  }
  return members;
}

/// There is a line for each interface and group: index, name, group.
std::set<int> read_igmp6(std::istream& file) {
  std::set<int> members;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, name, group;
    words >> first >> name >> group;
    const auto index = number_in<int>(first, 10);
    if (index && group == ipv6_group_digits()) members.insert(*index);
  }
  return members;
}

}  // namespace

std::set<int> read_members(std::istream& file, Family family) {
  return family == Family::ipv4 ? read_igmp(file) : read_igmp6(file);
}

Result<std::set<int>> members_now(Family family) {
  const char* const path = family == Family::ipv4 ? "/proc/net/igmp" : "/proc/net/igmp6";
  std::ifstream file(path);
  if (!file) return system_failure(std::string("cannot read ") + path, errno);
  return read_members(file, family);
}

}  // namespace vipd
