#include "vipd/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <type_traits>

#include "vipd/config/read_address.hpp"
#include "vipd/config/secret.hpp"

namespace vipd {

namespace {

constexpr std::string_view kWhitespace = " \t\r\n\f\v";

struct TimeUnit {
  std::string_view name;
  Duration length;
};

constexpr auto kTimeUnits = std::to_array<TimeUnit>({{"ms", std::chrono::milliseconds(1)},
                                                     {"s", std::chrono::seconds(1)},
                                                     {"m", std::chrono::minutes(1)},
                                                     {"h", std::chrono::hours(1)}});

std::optional<std::int64_t> to_integer(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// `number` ("1", "0.25") times `unit`, at most the longest duration; nullopt if it is no number.
std::optional<Duration> scaled(std::string_view number, Duration unit) {
  constexpr std::size_t kMaxDecimals = 6;  // hours times 10^6 still fit 64 bits
  const std::size_t point = std::min(number.find('.'), number.size());
  const auto whole = to_integer(number.substr(0, point));
  if (!whole) return point > 0 && point == number.size() ? std::optional(Duration::max()) : std::nullopt;
  if (*whole > Duration::max() / unit - 1) return Duration::max();
  if (point == number.size()) return *whole * unit;
  const std::string_view decimals = number.substr(point + 1);
  const auto fraction = decimals.size() <= kMaxDecimals ? to_integer(decimals) : std::nullopt;
  if (!fraction) return std::nullopt;
  std::int64_t divisor = 1;
  for (std::size_t i = 0; i < decimals.size(); ++i) divisor *= 10;
  return *whole * unit + *fraction * unit / divisor;
}

/// The offset at which shell syntax begins behind the name of a program; npos if there is none.
std::size_t shell_part(std::string_view command) {
  return command.find_first_of(std::string(kWhitespace) + ";|&<>$`\"'*?()[]{}!#~\\");
}

/// Reads one value. It is called with the slot of the key, by std::visit.
class ValueReader {
 public:
  ValueReader(const KeySpec& key, const TomlNode& node, Report& report) : key_(key), node_(node), report_(report) {}

  void operator()(bool* out) {
    if (node_.type == TomlType::boolean) *out = node_.boolean;
    if (node_.type != TomlType::boolean) refuse_type(boolean_hint());
  }
  void operator()(std::uint8_t* out) { read_integer(out); }
  void operator()(unsigned* out) { read_integer(out); }
  void operator()(Duration* out);
  void operator()(std::string* out);
  void operator()(IpPrefix* out);
  void operator()(std::optional<IpPrefix>* out) { *out = read_network(node_, report_); }
  void operator()(IpAddress* out) { *out = read_host(key_, node_, report_).value_or(IpAddress()); }
  void operator()(std::optional<IpAddress>* out) { *out = read_host(key_, node_, report_); }
  void operator()(OnFail* out);
  void operator()(std::vector<std::string>* out) {
    const bool is_names = key_.form == Form::check_names || key_.form == Form::instance_names;
    is_names ? read_names(out) : read_command(out);
  }
  template <typename Choice>
    requires std::is_enum_v<Choice>
  void operator()(Choice* out);
  template <typename Object>
  void operator()(std::vector<Object>*) {
    check_list();
  }

 private:
  void read_names(std::vector<std::string>* out);
  void read_command(std::vector<std::string>* out);
  template <typename Integer>
  void read_integer(Integer* out);
  std::optional<Duration> parse_duration();
  bool check_duration(Duration duration);
  void check_list();
  bool refuse_empty();
  bool check_program(const TomlNode& node, bool alone);

  void refuse(std::string kind, std::string message, std::string hint = "") {
    if (key_.secret) message = must_be(), hint.clear();  // the words may quote the value
    report_.error(std::move(kind), node_.place, std::move(message), std::move(hint));
  }
  void refuse_type(std::string hint = "") {
    refuse("type", must_be() + ", got " + describe_value(node_), std::move(hint));
  }
  std::string must_be() const { return in_quotes(key_.name) + " must be " + std::string(key_.values); }
  std::string boolean_hint() const;

  const KeySpec& key_;
  const TomlNode& node_;
  Report& report_;
};

std::string ValueReader::boolean_hint() const {
  const bool is_no = node_.text == "no" || node_.text == "off" || node_.text == "false" || node_.text == "0";
  const bool is_yes = node_.text == "yes" || node_.text == "on" || node_.text == "true" || node_.text == "1";
  if (node_.type == TomlType::integer) return node_.integer == 0 ? "write false" : "write true";
  if (is_no || is_yes) return is_no ? "write false" : "write true";
  return "";
}

template <typename Integer>
void ValueReader::read_integer(Integer* out) {
  if (node_.type != TomlType::integer) {
    const bool is_quoted_number = node_.type == TomlType::string && to_integer(node_.text);
    const std::string hint = is_quoted_number ? "write " + node_.text : "";
    return refuse_type(key_.hint.empty() ? hint : std::string(key_.hint));
  }
  const std::string_view why_not_zero = key_.range.zero_means;
  if (node_.integer == 0 && !why_not_zero.empty()) return refuse("range", must_be() + "; " + std::string(why_not_zero));
  if (node_.integer < key_.range.min || node_.integer > key_.range.max) {
    return refuse("range", must_be() + ", got " + std::to_string(node_.integer));
  }
  *out = static_cast<Integer>(node_.integer);
}

void ValueReader::operator()(Duration* out) {
  if (node_.type == TomlType::integer || node_.type == TomlType::floating) {
    const bool is_integer = node_.type == TomlType::integer;
    const std::string got = is_integer ? "the bare integer " + std::to_string(node_.integer) : "a bare fraction";
    const bool is_small = is_integer && node_.integer >= 0 && node_.integer < 1000;
    const std::string example = std::to_string(is_small ? node_.integer : 1);
    return refuse("duration", in_quotes(key_.name) + " needs a unit, got " + got,
                  "write \"" + example + "s\" or \"100ms\"");
  }
  if (node_.type != TomlType::string) return refuse_type("write a string such as \"1s\" or \"100ms\"");
  const auto duration = parse_duration();
  if (duration && check_duration(*duration)) *out = *duration;
}

std::optional<Duration> ValueReader::parse_duration() {
  const std::string_view text = node_.text;
  const std::size_t unit_begin = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view name = text.substr(unit_begin);
  const auto unit = std::ranges::find(kTimeUnits, name, &TimeUnit::name);
  if (unit_begin == 0) {
    refuse("duration", in_quotes(text) + " is not a duration", "write a number and a unit: \"1s\" or \"100ms\"");
  } else if (name.empty()) {
    refuse("duration", in_quotes(key_.name) + " needs a unit, got " + in_quotes(text), "write \"1s\" or \"100ms\"");
  } else if (unit == kTimeUnits.end()) {
    refuse("duration", "unknown time unit " + in_quotes(name), "units: ms, s, m, h");
  } else if (const auto duration = scaled(text.substr(0, unit_begin), unit->length)) {
    return duration;
  } else {
    refuse("duration", in_quotes(text) + " is not a duration", "write a number such as 1 or 0.25 before the unit");
  }
  return std::nullopt;
}

bool ValueReader::check_duration(Duration duration) {
  using std::chrono::milliseconds;
  const auto& [min, max, step, zero, meaning] = key_.range;
  if (zero && duration == Duration::zero()) return true;
  if (duration < milliseconds(min) || duration > milliseconds(max)) {
    refuse("range", must_be() + ", got " + in_quotes(node_.text));
    return false;
  }
  if (step == 1 || duration % milliseconds(step) == Duration::zero()) return true;
  const Duration below = duration - duration % milliseconds(step);
  refuse("duration", in_quotes(key_.name) + " must be a multiple of 10 ms (the wire unit is 1 cs)",
         "use " + in_quotes(format_duration(below)) + " or " + in_quotes(format_duration(below + milliseconds(step))));
  return false;
}

void ValueReader::operator()(std::string* out) {
  if (node_.type != TomlType::string) return refuse_type();
  const FormRule& rule = rule_of(key_.form);
  const auto fault = rule.examine(node_.text);
  if (!fault) *out = node_.text;
  if (!fault) return;
  refuse(std::string(rule.kind), fault->message.empty() ? must_be() + ", got " + in_quotes(node_.text) : fault->message,
         fault->hint);
}

template <typename Choice>
  requires std::is_enum_v<Choice>
void ValueReader::operator()(Choice* out) {
  constexpr auto all = choices(Choice());
  if (node_.type != TomlType::string) return refuse_type();
  std::array<std::string_view, all.size()> names;
  std::ranges::transform(all, names.begin(), [](Choice choice) { return to_string(choice); });
  const auto found = std::ranges::find(names, node_.text);
  if (found == names.end()) {
    return refuse("choice", must_be() + ", got " + in_quotes(node_.text), did_you_mean(nearest(node_.text, names)));
  }
  *out = all[static_cast<std::size_t>(found - names.begin())];
}

void ValueReader::operator()(OnFail* out) {
  constexpr std::int64_t kMost = 253;  // from 1 to 254
  if (node_.type == TomlType::integer) {
    if (node_.integer == 0 || node_.integer < -kMost || node_.integer > kMost)
      return refuse("range", must_be() + ", got " + std::to_string(node_.integer),
                    node_.integer == 0 ? "a check without effect is better left out" : "");
    *out = {OnFail::Effect::weight, static_cast<int>(node_.integer)};
  } else if (node_.type != TomlType::string) {
    refuse_type();
  } else if (node_.text != "yield" && node_.text != "fault") {
    refuse("choice", must_be() + ", got " + in_quotes(node_.text), to_integer(node_.text) ? "write " + node_.text : "");
  } else {
    *out = {node_.text == "yield" ? OnFail::Effect::yield : OnFail::Effect::fault, 0};
  }
}

/// Reads a list of names. A refused entry leaves an empty name in its place.
void ValueReader::read_names(std::vector<std::string>* out) {
  if (node_.type == TomlType::string) return refuse_type("write [" + in_quotes(node_.text) + "]");
  if (node_.type != TomlType::array) return refuse_type();
  if (refuse_empty()) return;
  for (const TomlNode& entry : node_.children) {
    const bool is_name = entry.type == TomlType::string && is_valid_name(entry.text);
    out->push_back(is_name ? entry.text : "");
    if (!is_name)
      report_.error(entry.type == TomlType::string ? "name" : "type", entry.place,
                    std::string(key_.form == Form::instance_names ? "an instance" : "a check") +
                        " is listed by its name, got " + describe_value(entry));
  }
}

void ValueReader::read_command(std::vector<std::string>* out) {
  if (key_.form == Form::command && node_.type == TomlType::string) {
    const bool is_text = !node_.text.empty() && node_.text.find('\0') == std::string::npos;
    if (!is_text) return refuse("script-security", "this is no command for a shell");
    *out = {"/bin/sh", "-c", node_.text};
    return;
  }
  if (node_.type == TomlType::string) {
    if (check_program(node_, true)) *out = {node_.text};
    return;
  }
  if (node_.type != TomlType::array) return refuse_type();
  if (node_.children.empty()) {
    return refuse("script-security", in_quotes(key_.name) + " is an empty list", "leave the key out to run nothing");
  }
  for (const TomlNode& argument : node_.children) {
    const bool is_text = argument.type == TomlType::string && argument.text.find('\0') == std::string::npos;
    if (!is_text) {
      report_.error("type", argument.place, "an argument must be a string, got " + describe_value(argument));
    } else if (&argument != &node_.children.front() || check_program(argument, false)) {
      out->push_back(argument.text);
    }
  }
}

/// True for the absolute path of a program; reports others. `alone` is true outside of a list: blanks may separate
/// arguments then.
bool ValueReader::check_program(const TomlNode& node, bool alone) {
  const std::string_view text = node.text;
  const std::size_t extra = alone ? shell_part(text) : text.find('\0');
  if (text.empty() || (text[0] != '/' && extra != 0)) {
    report_.error("script-security", node.place,
                  in_quotes(key_.name) + " must be an absolute path, got " + in_quotes(text),
                  "write it from / on: \"/etc/vipd/hooks/web\"");
  } else if (extra != std::string_view::npos || text.find('\0') != std::string_view::npos) {
    const std::string program = extra == 0 ? "/path/to/program" : printable(text.substr(0, extra));
    report_.error("script-security", node.place,
                  in_quotes(key_.name) + " is run without a shell; " +
                      in_quotes(text.substr(std::min(extra, text.size()))) + " would be part of the file name",
                  "use an array: [\"" + program + "\", \"arg\"]");
  } else if (text.ends_with('/')) {
    report_.error("script-security", node.place, in_quotes(text) + " is a directory, not a program");
  } else {
    return true;
  }
  return false;
}

/// Checks the list alone; parse_config() reads its entries, key by key.
void ValueReader::check_list() {
  if (node_.type == TomlType::string) return refuse_type("write [" + in_quotes(node_.text) + "]");
  if (node_.type != TomlType::array) return refuse_type();
  refuse_empty();
}

/// True for an empty list that must not be empty, which is reported.
bool ValueReader::refuse_empty() {
  const auto& [message, hint] = key_.empty_list;
  if (!node_.children.empty() || message.empty()) return false;
  refuse("missing-key", in_quotes(key_.name) + " " + message, hint);
  return true;
}

/// Reads the network of a route, or the address of a host with the length of its subnet.
void ValueReader::operator()(IpPrefix* out) {
  const bool is_network = key_.form == Form::network;
  if (is_network && node_.type == TomlType::string && node_.text == "default")
    *out = {};
  else
    *out = (is_network ? read_network(node_, report_) : read_host_in_subnet(node_, report_)).value_or(IpPrefix{});
}

/// True if a value, or an entry of its list, has a lookalike that it must not have; the first one is reported.
bool refuse_lookalike(const KeySpec& key, const TomlNode& node, Report& report) {
  const Lookalikes may_stand = rule_of(key.form).lookalikes;
  if (may_stand == Lookalikes::allowed) return false;
  if (node.type == TomlType::array && !key.entries.empty()) return false;  // each entry is examined by itself
  if (node.type == TomlType::array)
    return std::ranges::any_of(node.children, [&](const TomlNode& entry) {
      return entry.type == TomlType::string && refuse_lookalike(key, entry, report);
    });
  for (std::size_t i = 0; node.type == TomlType::string && i < node.text.size(); ++i) {
    const Lookalike* odd = lookalike_at(node.text, i);
    if (odd == nullptr || (odd->is_quote() && may_stand == Lookalikes::quotes)) continue;
    report.error("value", place_within(node.place, node.text, i, odd->character.size()),
                 describe(*odd) + " stands within the value of " + in_quotes(key.name),
                 "write " + in_quotes(without_lookalikes(node.text)));
    return true;
  }
  return false;
}

}  // namespace

void read_value(const KeySpec& key, const TomlNode& node, Slot slot, Report& report) {
  std::visit(
      [](auto out) {
        if constexpr (requires { out->push_back({}); }) out->clear();  // an override replaces the whole list
      },
      slot);
  if (!refuse_lookalike(key, node, report)) std::visit(ValueReader(key, node, report), slot);
}

std::string describe_value(const TomlNode& node) {
  if (is_secret_key(node.key)) return std::string(describe(node.type));
  if (node.type == TomlType::string) return "the string " + in_quotes(node.text);
  if (node.type == TomlType::integer) return "the integer " + std::to_string(node.integer);
  if (node.type == TomlType::boolean) return node.boolean ? "true" : "false";
  return std::string(describe(node.type));
}

}  // namespace vipd
