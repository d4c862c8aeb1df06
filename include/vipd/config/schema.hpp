/// The schema: each key of vipd.toml, once.
///
/// A row names a key, the member that it fills, and its special properties. The member's type decides which values are
/// allowed. The words for them follow from the key's range or form; messages and vipd.toml(5) use the same words. The
/// default is the member's initial value, which a test compares with the text here. parse_config(), plan() and the
/// suggestions all use this table. A new key is one row in schema.cpp, one member in config/config.hpp, and one entry
/// in the man page. Not good yet: conditions across keys are code (config/checks.cpp) and not part of the table.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/config/forms.hpp"

namespace vipd {

/// Variants of pointers to the types that the member of a key can have.
template <typename... Types>
struct MemberTypes {
  using Slot = std::variant<Types*...>;
  using Value = std::variant<const Types*...>;
};

/// The types of the members of all keys.
using KeyTypes =
    MemberTypes<bool, std::uint8_t, unsigned, Duration, std::string, IpPrefix, std::optional<IpPrefix>, IpAddress,
                std::optional<IpAddress>, ChecksumPolicy, Scope, PreferredLifetime, RouteType, AnnounceForm,
                HookFailure, CheckState, OnFail, std::vector<std::string>, std::vector<VirtualAddress>,
                std::vector<UnicastPeer>, std::vector<VirtualRoute>, std::vector<RuleObject>>;

/// The member that a key fills.
using Slot = KeyTypes::Slot;
/// The member of a key, for reading only.
using Value = KeyTypes::Value;

/// The values of an enumeration that a file may have.
constexpr auto choices(ChecksumPolicy) {
  return std::array{ChecksumPolicy::automatic, ChecksumPolicy::rfc9568, ChecksumPolicy::pseudo_header};
}
constexpr auto choices(Scope) { return std::array{Scope::global, Scope::site, Scope::link, Scope::host}; }
constexpr auto choices(PreferredLifetime) { return std::array{PreferredLifetime::forever, PreferredLifetime::zero}; }
constexpr auto choices(RouteType) {
  return std::array{RouteType::unicast, RouteType::blackhole, RouteType::unreachable, RouteType::prohibit};
}
constexpr auto choices(AnnounceForm) {
  return std::array{AnnounceForm::request, AnnounceForm::reply, AnnounceForm::both};
}
constexpr auto choices(HookFailure) { return std::array{HookFailure::go_on, HookFailure::resign}; }
constexpr auto choices(CheckState) { return std::array{CheckState::fail, CheckState::pass}; }

/// The limits of a number, or of a duration in milliseconds. The defaults mean no limits.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t step = 1;
  bool zero = false;                 ///< true if zero is allowed beside min..max
  std::string_view zero_means = {};  ///< the meaning of zero; if zero is refused, the reason

  /// Allows zero, too; `meaning` is a word such as "never".
  constexpr Range or_zero(std::string_view meaning = {}) const { return {min, max, step, true, meaning}; }
  /// Refuses zero, with this reason.
  constexpr Range not_zero(std::string_view why) const { return {min, max, step, false, why}; }
  constexpr Range in_steps_of(std::chrono::milliseconds length) const {
    return {min, max, length.count(), zero, zero_means};
  }
};

/// A number from `min` to `max`.
constexpr Range between(std::int64_t min, std::int64_t max) { return {.min = min, .max = max}; }
/// A duration from `min` to `max`.
constexpr Range between(std::chrono::milliseconds min, std::chrono::milliseconds max) {
  return {.min = min.count(), .max = max.count()};
}

/// Properties that only some keys have.
struct KeyOptions {
  std::string_view initial = {};  ///< the default as TOML; empty = none
  Range range = {};
  Form form = Form::of_its_type;
  std::string_view words = {};  ///< the words for the values, if type, range and form are not enough
  bool required = false;
  bool secret = false;         ///< true if the value is never shown, see config/secret.hpp
  std::string_view hint = {};  ///< the remedy for a value of a wrong type
  TextFault empty_list = {};   ///< the fault of an empty list; without words, a list may be empty
};

/// One key of the schema, without its member.
struct KeySpec : KeyOptions {
  /// The table of the key: "node", "instance" (for each [instance.NAME]), "sync_group", "check", or the table of a list
  /// entry: "address", "peer", "route", "rule".
  std::string_view table;
  std::string_view name;     ///< the dotted name within the table: "hooks.any"
  std::string_view summary;  ///< a description in one line
  std::string values;        ///< the words for its values, as in messages and in vipd.toml(5)
  std::string_view entries;  ///< the table of each entry in a list of tables; empty for other keys
};

/// A key, and its member in its owner, such as an InstanceConfig.
template <typename Owner>
struct Key : KeySpec {
  Slot (*slot)(Owner& owner) = nullptr;
  Value (*value)(const Owner& owner) = nullptr;
};

/// The table whose keys fill an Owner; empty for other types.
template <typename Owner>
constexpr std::string_view table_of() {
  if constexpr (std::is_same_v<Owner, Config>) return "node";
  if constexpr (std::is_same_v<Owner, InstanceConfig>) return "instance";
  if constexpr (std::is_same_v<Owner, SyncGroupConfig>) return "sync_group";
  if constexpr (std::is_same_v<Owner, CheckConfig>) return "check";
  if constexpr (std::is_same_v<Owner, VirtualAddress>) return "address";
  if constexpr (std::is_same_v<Owner, UnicastPeer>) return "peer";
  if constexpr (std::is_same_v<Owner, VirtualRoute>) return "route";
  if constexpr (std::is_same_v<Owner, RuleObject>) return "rule";
  return {};
}

/// True for a list whose entries are tables of the schema.
template <typename Type>
inline constexpr bool kIsList = false;
template <typename Entry>
inline constexpr bool kIsList<std::vector<Entry>> = !table_of<Entry>().empty();

/// The keys that fill an Owner, in the order of vipd.toml(5).
template <typename Owner>
std::span<const Key<Owner>> keys_of();

/// The key `name` of an Owner, or null.
template <typename Owner>
const Key<Owner>* find_key(std::string_view name) {
  const auto keys = keys_of<Owner>();
  const auto found = std::ranges::find(keys, name, &KeySpec::name);
  return found == keys.end() ? nullptr : &*found;
}

/// All keys, in the order of vipd.toml(5).
std::span<const KeySpec> schema();

/// The key `name` of `table`, or null.
const KeySpec* find_key(std::string_view table, std::string_view name);

/// True if `name` is a table of further keys, such as "hooks".
bool is_group(std::string_view table, std::string_view name);

/// True for a key that is planned but that this version does not support.
bool is_unsupported(std::string_view table, std::string_view name);

/// The key of `table` that `word` may be a misspelling of, or nothing. `word` and the result are full names
/// ("hooks.any").
std::string_view nearest_key(std::string_view table, std::string_view word);

/// The element of `words` that `word` may be a misspelling of, or nothing.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

/// The hint for a similar word: `did you mean "hooks"?`, or nothing.
std::string did_you_mean(std::string_view near);

}  // namespace vipd
