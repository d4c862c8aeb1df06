/// Secrets in a configuration: what no message and no source line may show.
///
/// Diagnostics end up in journals, tickets and chats. Whether a value is secret is told by its key: those that the
/// schema marks, whatever is named like a password (also a key that does not exist, such as keepalived's auth_pass),
/// and everything in [key.NAME]. A file that is wrong cannot be parsed for that, so the text is masked line by line,
/// and rather too much of it than too little.
#pragma once

#include <string>
#include <string_view>

namespace vipd {

/// Is the value of a key with this name (one part of a dotted one) a secret?
bool is_secret_key(std::string_view name);

/// `text` with "***" for each secret value up to the end of its line. The number of lines stays, and all columns up to
/// the value.
std::string hide_secrets(std::string_view text);

}  // namespace vipd
