/// Secrets in a configuration: no message and no source line may show them.
///
/// Diagnostics end up in journals, tickets and chats. The key tells whether a value is secret. Secret keys are those
/// that the schema marks, names like that of a password (even an unknown key, such as keepalived's auth_pass), and all
/// keys of [key.NAME]. A faulty file cannot be parsed, so the text is masked line by line, rather too much than too
/// little.
#pragma once

#include <string>
#include <string_view>

namespace vipd {

/// True if the value of a key with this name (one part of a dotted key) is a secret.
bool is_secret_key(std::string_view name);

/// `text` with "***" in place of each secret value up to the end of its line. The number of lines and the columns
/// before the value stay the same.
std::string hide_secrets(std::string_view text);

}  // namespace vipd
