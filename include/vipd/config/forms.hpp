/// Form: what a text in the configuration is, such as an interface's name, a path or a URL.
///
/// Each key of text has a form as a column of the schema (config/schema.hpp). A form says in words what the text may
/// be, judges a text, and says whether characters that look like quotes or blanks may stand in it. A new form is one
/// enumerator here and one row in forms.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vipd {

/// `of_its_type`: the type of the key's member says it all.
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
  command,         ///< a text for the shell, or a list as of a hook
  check_names,     ///< a list
  instance_names,  ///< a list
  network,         ///< of a prefix: a network or "default", and not the address of a host
};

/// Why a text is refused. Without a message it is said what the key takes, and what it got.
struct TextFault {
  std::string message = {}, hint = {};
};

/// May a character stand in a text that looks like a quote or a blank of TOML and is none (config/text.hpp)?
enum class Lookalikes : std::uint8_t { refused, quotes, allowed };

/// All that is known of a form.
struct FormRule {
  Form form = Form::of_its_type;
  std::string_view words;  ///< what the text may be, as in messages and in vipd.toml(5)
  std::string_view kind;   ///< of the diagnostic that refuses a text
  std::optional<TextFault> (*examine)(std::string_view text) = nullptr;  ///< null: this is no form of a single text
  Lookalikes lookalikes = Lookalikes::refused;
};

/// The rule of `form`.
const FormRule& rule_of(Form form);

/// Checks the name of an instance or a node: 1..64 characters of A-Z a-z 0-9 _ . -
bool is_valid_name(std::string_view name);

}  // namespace vipd
