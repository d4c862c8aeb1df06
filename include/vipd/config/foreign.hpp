/// Words of keepalived.conf: who comes from there should not have to search.
///
/// One list of its keywords with what they are called here. Used for hints on unknown keys, nothing else: no file is
/// accepted because of it.
#pragma once

#include <string>
#include <string_view>

namespace vipd {

/// One word of keepalived's.
struct ForeignWord {
  std::string_view word;
  std::string_view key;     ///< our key for it, as in the schema; empty if there is none
  std::string_view advice;  ///< the hint if there is more to say than the key's name
  bool opens_block = false;
};

/// What is known about `word`, or null.
const ForeignWord* find_foreign(std::string_view word);

/// The hint for it: `keepalived calls it advert_int; here it is "advert_interval"`.
std::string foreign_hint(const ForeignWord& word);

/// Is `word` one that opens a block there: vrrp_instance, global_defs, ...?
bool is_foreign_block(std::string_view word);

}  // namespace vipd
