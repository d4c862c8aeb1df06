#include "vipd/config/forms.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "vipd/config/text.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd {

namespace {

using Judgement = std::optional<TextFault>;

constexpr std::size_t kLongestInterfaceName = 15;  ///< IFNAMSIZ without the final NUL, linux/if.h

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/// Refuses the names of interfaces that Linux refuses (dev_valid_name()), and the "@PARENT" that ip(8) appends.
Judgement examine_interface(std::string_view name) {
  if (name.empty()) return TextFault{"interface name is empty"};
  if (name[0] == '@')
    return TextFault{in_quotes(name) + " is not an interface name", "write what ip(8) shows in front of the @"};
  if (const std::string_view own = name.substr(0, name.find('@')); own != name)
    return TextFault{in_quotes(name) + " is what ip(8) shows for the interface " + in_quotes(own) +
                         "; behind the @ it names another one",
                     "write " + in_quotes(own)};
  if (name.size() > kLongestInterfaceName)
    return TextFault{
        "interface name is " + std::to_string(name.size()) + " bytes; Linux allows at most 15",
        "a longer one can only be an alternative name: write the interface's own name (`ip link` shows it)"};
  if (name == "." || name == "..") return TextFault{in_quotes(name) + " is not an interface name"};
  const auto bad = std::ranges::find_if(
      name, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '/' || c == ':' || c == 0x7f; });
  if (bad != name.end()) return TextFault{"an interface name cannot contain " + in_quotes({bad, bad + 1})};
  return std::nullopt;
}

bool is_label(std::string_view text) {
  const auto is_odd = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  return !text.empty() && text.size() <= kLongestInterfaceName && std::ranges::none_of(text, is_odd);
}

bool is_path(std::string_view text) { return text.starts_with('/') && !text.ends_with('/') && !has_nul(text); }

/// True for a password. It has no NUL, which looks like the zeros that fill the field of an advert.
bool is_password(std::string_view text) { return !text.empty() && text.size() <= kAuthDataSize && !has_nul(text); }

bool is_any_text(std::string_view text) { return !text.empty() && !has_nul(text); }

bool is_one_line(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](unsigned char c) { return c < ' '; });
}

bool is_file(std::string_view text) { return is_one_line(text) && text[0] == '/'; }

bool is_unit(std::string_view text) { return is_one_line(text) && text.find_first_of("/ ") == std::string_view::npos; }

bool is_port(std::string_view digits) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && digits.size() <= 5 && port >= 1 &&
         port <= 65535;
}

bool is_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (!is_one_line(text) || colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  return (in_brackets || host.find(':') == std::string_view::npos) && is_port(text.substr(colon + 1));
}

/// True for "NAME" or "/PATH", with or without arguments.
bool is_process(std::string_view text) {
  const std::string_view first = text.substr(0, text.find(' '));
  const bool trimmed = !text.starts_with(' ') && !text.ends_with(' ');
  return is_one_line(text) && trimmed && !text.ends_with('/') &&
         (first[0] == '/' || first.find('/') == std::string_view::npos);
}

bool is_url(std::string_view text) {
  return is_one_line(text) && text.find(' ') == std::string_view::npos &&
         (text.starts_with("http://") || text.starts_with("https://"));
}

/// Refuses texts that are not of the form, with the words of the form.
template <bool (*is_good)(std::string_view text)>
Judgement examine(std::string_view text) {
  return is_good(text) ? std::nullopt : Judgement(TextFault{});
}

Judgement examine_process(std::string_view text) {
  if (is_process(text)) return std::nullopt;
  const std::string_view name = text.substr(text.rfind('/') + 1);
  if (name.empty()) return TextFault{};
  return TextFault{"", "write its absolute path, or its name alone: " + in_quotes(name)};
}

Judgement examine_url(std::string_view text) {
  if (is_url(text)) return std::nullopt;
  return TextFault{"", "write it from http:// or https:// on"};
}

/// The rules in the order of the enumerators.
constexpr auto kRules = std::to_array<FormRule>({
    {Form::of_its_type, "", ""},
    {Form::any_text, "a text", "value", examine<is_any_text>, Lookalikes::allowed},
    {Form::name, "1 to 64 characters of A-Z a-z 0-9 _ . -", "name", examine<is_valid_name>},
    {Form::interface, "the name of a network interface, 1 to 15 bytes", "interface", examine_interface},
    {Form::label, "1 to 15 bytes that begin with the name of the interface", "name", examine<is_label>},
    {Form::path, "an absolute path", "path", examine<is_path>, Lookalikes::allowed},
    {Form::file, "an absolute path", "value", examine<is_file>, Lookalikes::allowed},
    {Form::process, "the name of a program, or its absolute path; arguments may follow", "value", examine_process,
     Lookalikes::allowed},
    {Form::unit, "the name of a unit of systemd", "value", examine<is_unit>},
    {Form::host_and_port, "\"HOST:PORT\" or \"[ADDRESS]:PORT\"", "value", examine<is_host_and_port>},
    {Form::url, "a URL with http or https", "value", examine_url, Lookalikes::quotes},
    {Form::password, "1 to 8 octets", "auth", examine<is_password>, Lookalikes::allowed},
    {Form::hook, "a program or its argument list", "", nullptr, Lookalikes::allowed},
    {Form::command, "an argument list, or a string for the shell", "", nullptr, Lookalikes::allowed},
    {Form::check_names, "a list of names of checks", ""},
    {Form::instance_names, "a list of names of instances", ""},
    {Form::network, "\"NETWORK/PREFIX-LENGTH\" or \"default\"", ""},
});

}  // namespace

const FormRule& rule_of(Form form) { return kRules[static_cast<std::size_t>(form)]; }

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_name_character);
}

}  // namespace vipd
