/// CheckKind: the kinds of checks, in one table.
///
/// A row has the keys of the schema that belong to the kind, and the command that vipd-runner gets for it. The reader,
/// the schema, the messages and plan() use this table. A new kind is one row in check_kinds.cpp, one alternative of
/// CheckConfig::kind, and its code in checker/.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vipd/config/schema.hpp"

namespace vipd {

/// One kind of check.
struct CheckKind {
  std::vector<Key<CheckConfig>> keys;  ///< the key that names the kind, then the keys of this kind alone
  /// Makes the program and its arguments of a check of this kind; empty if vipd answers the check itself.
  std::vector<std::string> (*program)(const CheckConfig& check) = nullptr;
  bool delivers_weight = false;  ///< true if the answer may be a number

  std::string_view name() const { return keys.front().name; }
};

/// All kinds, in the order of the alternatives of CheckConfig::kind.
std::span<const CheckKind> check_kinds();

/// The kind of `check`.
const CheckKind& kind_of(const CheckConfig& check);

}  // namespace vipd
