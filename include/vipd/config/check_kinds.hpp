/// CheckKind: what a check can ask for. One table of all kinds.
///
/// A row has the keys of the schema that belong to the kind, and what vipd-runner is asked to run for it. The reader,
/// the schema, the messages and plan() go by this table. A new kind is one row in check_kinds.cpp, one alternative of
/// CheckConfig::kind, and its answer in checker/.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vipd/config/schema.hpp"

namespace vipd {

/// One kind.
struct CheckKind {
  std::vector<Key<CheckConfig>> keys;  ///< the key that names the kind, then those that are of use with it alone
  /// The program and its arguments; nothing where vipd answers itself. The check is of this kind.
  std::vector<std::string> (*program)(const CheckConfig& check) = nullptr;
  bool delivers_weight = false;  ///< its answer may be a number

  std::string_view name() const { return keys.front().name; }
};

/// All kinds, in the order of the alternatives of CheckConfig::kind.
std::span<const CheckKind> check_kinds();

/// The kind of `check`.
const CheckKind& kind_of(const CheckConfig& check);

}  // namespace vipd
