#include "vipd/config/read_address.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "vipd/config/text.hpp"
#include "vipd/config/values.hpp"

namespace vipd {

namespace {

/// The number in `digits`, three at most; -1 if it is no number.
int number_in(std::string_view digits) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size() && digits.size() <= 3;
  return is_number ? static_cast<int>(value) : -1;
}

/// The prefix length of a network mask such as "255.255.255.0", for a hint; -1 if it is no mask.
int mask_length(std::string_view text) {
  const auto mask = IpAddress::parse(text);
  if (!mask || mask->family() != Family::ipv4) return -1;
  std::uint32_t bits = 0;
  for (const std::uint8_t octet : mask->octets()) bits = bits << 8 | octet;
  const int length = std::countl_one(bits);
  return std::popcount(bits) == length ? length : -1;
}

/// The first address of the network, or the last one.
IpAddress end_of(const IpPrefix& network, bool last) {
  std::array<std::uint8_t, 16> octets{};
  std::ranges::copy(network.address.octets(), octets.begin());
  for (std::size_t bit = network.length; bit < network.address.octets().size() * 8; ++bit) {
    const unsigned mask = 0x80u >> bit % 8;
    octets[bit / 8] = static_cast<std::uint8_t>(last ? octets[bit / 8] | mask : octets[bit / 8] & ~mask);
  }
  return {network.address.family(), std::span(octets).first(network.address.octets().size())};
}

/// Why this cannot be the address of a host; "" if it can. The words follow "192.0.2.0/24 is ".
std::string_view why_no_host(const IpPrefix& prefix) {
  const IpAddress& address = prefix.address;
  const bool is_ipv4 = address.family() == Family::ipv4;
  if (address.is_unspecified()) return "the unspecified address";
  if (address.is_loopback()) return "a loopback address";
  if (address.is_multicast()) return "a multicast address";
  if (address.is_broadcast()) return "the broadcast address";
  if (is_ipv4 && address.octets()[0] == 0) return "in 0.0.0.0/8, which no host can have";
  if (prefix.length + 1u >= address_size(address.family()) * 8)
    return {};  // RFC 3021, RFC 6164: links between two routers have no such addresses
  if (address == end_of(prefix, false)) return "the network address, not a host address";
  if (is_ipv4 && address == end_of(prefix, true)) return "the broadcast address of its network, not a host address";
  return {};
}

/// The fault of a text that could not be parsed as an address.
std::string why_no_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos || text.find_first_not_of("0123456789.") != std::string_view::npos) {
    return "";
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view octet = text.substr(begin, end - begin);
    if (octet.size() > 1 && octet[0] == '0') return ": leading zero in " + in_quotes(octet);
    if (octet.size() > 3 || number_in(octet) > 255) return ": octet " + printable(octet) + " > 255";
    begin = end + 1;
  }
  return ": it needs four numbers";
}

/// Reads `host`, the beginning of the string, as an address.
std::optional<IpAddress> read_text(const TomlNode& node, std::string_view host, Report& report) {
  if (auto address = IpAddress::parse(host)) return address;
  const bool has_zone = host.find('%') != std::string_view::npos;
  report.error("address", place_within(node.place, node.text, 0, host.size()),
               in_quotes(node.text) + " is not an IP address" + why_no_address(host),
               has_zone ? "leave out the zone: \"interface\" names it" : "");
  return std::nullopt;
}

/// Reads `digits`, the end of the string, as the length of a prefix of `address`.
std::optional<std::uint8_t> read_length(const TomlNode& node, const IpAddress& address, std::string_view digits,
                                        int shortest, Report& report) {
  const bool is_ipv4 = address.family() == Family::ipv4;
  const Place place = place_within(node.place, node.text, node.text.size() - digits.size(), digits.size());
  const int longest = is_ipv4 ? 32 : 128, length = number_in(digits);
  if (length > longest) {
    report.error("address", place,
                 "prefix length " + std::string(digits) + " > " + std::to_string(longest) + " for an " +
                     (is_ipv4 ? "IPv4" : "IPv6") + " address");
  } else if (length < shortest) {
    const int meant = mask_length(digits);
    report.error("address", place,
                 "the prefix length must be " + std::to_string(shortest) + ".." + std::to_string(longest) + ", got " +
                     in_quotes(digits),
                 meant > 0 ? "write /" + std::to_string(meant) : "");
  } else {
    return static_cast<std::uint8_t>(length);
  }
  return std::nullopt;
}

/// True if the value is a string, as addresses and networks are; reports other types.
bool is_text(const TomlNode& node, Report& report) {
  const bool is_string = node.type == TomlType::string;
  if (!is_string) report.error("type", node.place, "an address must be a string, got " + describe_value(node));
  return is_string;
}

/// Reads "192.0.2.10/24". Without a length it is 0, with a warning if `shortest` is more.
std::optional<IpPrefix> read_prefix(const TomlNode& node, int shortest, Report& report) {
  if (!is_text(node, report)) return std::nullopt;
  const std::string_view text = node.text;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = read_text(node, text.substr(0, slash), report);
  if (!address) return std::nullopt;
  if (slash < text.size()) {
    const auto length = read_length(node, *address, text.substr(slash + 1), shortest, report);
    return length ? std::optional(IpPrefix{*address, *length}) : std::nullopt;
  }
  const bool is_ipv4 = address->family() == Family::ipv4;
  const Place place = place_within(node.place, text, 0, slash);
  if (shortest > 0) {
    report.warning("address", place,
                   in_quotes(text) + " has no prefix length; that of the interface's own subnet is used",
                   "write " + address->to_string() + (is_ipv4 ? "/24" : "/64") + " to be sure");
    return IpPrefix{*address, 0};
  }
  report.error("address", place, in_quotes(text) + " has no prefix length",
               "write " + address->to_string() + (is_ipv4 ? "/32" : "/128") + " for a single host");
  return std::nullopt;
}

}  // namespace

std::optional<IpAddress> read_host(const KeySpec& key, const TomlNode& node, Report& report) {
  if (!is_text(node, report)) return std::nullopt;
  const std::size_t slash = node.text.find('/');
  if (slash != std::string::npos) {
    report.error("address", node.place, in_quotes(key.name) + " takes addresses without a prefix length",
                 "write " + in_quotes(std::string_view(node.text).substr(0, slash)));
    return std::nullopt;
  }
  const auto address = read_text(node, node.text, report);
  if (!address) return std::nullopt;
  const std::string_view why = why_no_host({*address, static_cast<std::uint8_t>(address->octets().size() * 8)});
  if (why.empty()) return address;
  report.error("address", node.place, address->to_string() + " is " + std::string(why));
  return std::nullopt;
}

std::optional<IpPrefix> read_host_in_subnet(const TomlNode& node, Report& report) {
  const auto prefix = read_prefix(node, 1, report);
  const std::string_view why = prefix ? why_no_host(*prefix) : "";
  if (why.empty()) return prefix;
  report.error("address", place_within(node.place, node.text, 0, std::min(node.text.find('/'), node.text.size())),
               prefix->to_string() + " is " + std::string(why));
  return std::nullopt;
}

std::optional<IpPrefix> read_network(const TomlNode& node, Report& report) {
  const auto prefix = read_prefix(node, 0, report);
  if (!prefix || prefix->address == end_of(*prefix, false)) return prefix;
  report.error("address", node.place, prefix->to_string() + " is an address, not a network",
               "write " + IpPrefix{end_of(*prefix, false), prefix->length}.to_string());
  return std::nullopt;
}

}  // namespace vipd
