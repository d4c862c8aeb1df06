/// Form: the kind of a text in the configuration, such as the name of an interface, a path or a URL.
///
/// Each key with a text has a form, a column of the schema (config/schema.hpp). The form describes the text in words
/// and judges it. It also tells whether characters that look like quotes or blanks are allowed. A new form is one
/// enumerator here and one row in forms.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vipd {

/// `of_its_type` is the form of keys whose member's type tells everything.
enum class Form : std::uint8_t {
  of_its_type,
  any_text,
  name,
  interface,
  label,
  path,
  file,
  process,
  unit,
  host_and_port,
  url,
  password,
  hook,            ///< a program, or a list of it and its arguments
  command,         ///< a text for the shell, or a list of a program and its arguments
  check_names,     ///< a list of checks
  instance_names,  ///< a list of instances
  network,         ///< a network or "default", and not the address of a host
};

/// Why a text is refused. If the message is empty, a standard message tells the allowed values and the given one.
struct TextFault {
  std::string message = {}, hint = {};
};

/// Which lookalikes of quotes and blanks (config/text.hpp) a text may have.
enum class Lookalikes : std::uint8_t { refused, quotes, allowed };

/// The rule of a form.
struct FormRule {
  Form form = Form::of_its_type;
  std::string_view words;  ///< the description of the text, for messages and vipd.toml(5)
  std::string_view kind;   ///< the kind of the diagnostic that refuses a text
  std::optional<TextFault> (*examine)(std::string_view text) = nullptr;  ///< judges a text; null for lists
  Lookalikes lookalikes = Lookalikes::refused;
};

/// The rule of `form`.
const FormRule& rule_of(Form form);

/// True for a valid name of an instance or a node: 1..64 characters of A-Z a-z 0-9 _ . -
bool is_valid_name(std::string_view name);

}  // namespace vipd
