/// Words of keepalived.conf, for users who come from keepalived.
///
/// The list maps keywords of keepalived to our keys. It serves hints on unknown keys only: no file is accepted because
/// of it.
#pragma once

#include <string>
#include <string_view>

namespace vipd {

/// One word of keepalived.conf.
struct ForeignWord {
  std::string_view word;
  std::string_view key;      ///< our key, as in the schema; empty if there is none
  std::string_view advice;   ///< the hint, if the name of the key alone does not help
  bool opens_block = false;  ///< true if the word opens a block: vrrp_instance, global_defs, ...
};

/// The entry of `word`, or null.
const ForeignWord* find_foreign(std::string_view word);

/// The hint for a word: `keepalived calls it advert_int; here it is "advert_interval"`.
std::string foreign_hint(const ForeignWord& word);

/// True if `word` opens a block in keepalived.conf: vrrp_instance, global_defs, ...
bool is_foreign_block(std::string_view word);

}  // namespace vipd
