/// The schema: each key of vipd.toml, once.
///
/// A row names a key, the member that it fills, and what is special about it. What a value may be follows from the
/// member's type, and in words from the key's range or form; messages and vipd.toml(5) say the same words. The default
/// is the member's initial value, which a test compares with the text here. parse_config() reads files by this table,
/// plan() compares configurations by it, and suggestions are made from it. A new key is one row in schema.cpp, one
/// member in config/config.hpp, one entry in the man page. Not good yet: conditions across keys are code
/// (config/checks.cpp) and not part of the table.
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

/// The types that the member of a key can have.
template <typename... Types>
struct MemberTypes {
  using Slot = std::variant<Types*...>;
  using Value = std::variant<const Types*...>;
};

/// Those of all keys.
using KeyTypes =
    MemberTypes<bool, std::uint8_t, unsigned, Duration, std::string, IpPrefix, std::optional<IpPrefix>, IpAddress,
                std::optional<IpAddress>, ChecksumPolicy, Scope, PreferredLifetime, RouteType, AnnounceForm,
                HookFailure, CheckState, OnFail, std::vector<std::string>, std::vector<VirtualAddress>,
                std::vector<UnicastPeer>, std::vector<VirtualRoute>, std::vector<RuleObject>>;

/// The member that a key fills.
using Slot = KeyTypes::Slot;
/// The member of a key, to look at.
using Value = KeyTypes::Value;

/// The values of an enumeration that may be written.
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

/// Limits of a number; of a duration in milliseconds. The defaults bound nothing, as for a text.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t step = 1;
  bool zero = false;                 ///< zero is allowed beside min..max
  std::string_view zero_means = {};  ///< what zero stands for; where it is refused, why

  /// Zero is allowed, too; `meaning`: "never".
  constexpr Range or_zero(std::string_view meaning = {}) const { return {min, max, step, true, meaning}; }
  /// Zero is refused, and this is why.
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

/// The columns that only some keys have.
struct KeyOptions {
  std::string_view initial = {};  ///< the default as TOML; empty = none
  Range range = {};
  Form form = Form::of_its_type;
  std::string_view words = {};  ///< what may stand there, where type, range and form do not say it all
  bool required = false;
  bool secret = false;         ///< its value is never shown, see config/secret.hpp
  std::string_view hint = {};  ///< the remedy for a value of a wrong type
  TextFault empty_list = {};   ///< what is said of an empty list, behind the key's name; empty: it may be empty
};

/// One key of the schema: what is known of it without its member.
struct KeySpec : KeyOptions {
  /// "node", "instance" (a key of each [instance.NAME]), "sync_group", "check", or what the entries of a list are:
  /// "address", "peer", "route", "rule".
  std::string_view table;
  std::string_view name;     ///< within the table, dotted: "hooks.any"
  std::string_view summary;  ///< one line
  std::string values;        ///< what may stand there, as in messages and in vipd.toml(5)
  std::string_view entries;  ///< of a list of tables: the table that each of them is
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

/// Is it a list whose entries are tables of the schema?
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

/// Is `name` a table of further keys, such as "hooks"?
bool is_group(std::string_view table, std::string_view name);

/// A key that design has a place for but that this version cannot do.
bool is_unsupported(std::string_view table, std::string_view name);

/// The key of `table` that `word` may be a misspelling of, or nothing. `word` and the result are full names
/// ("hooks.any").
std::string_view nearest_key(std::string_view table, std::string_view word);

/// The one of `words` that `word` may be a misspelling of, or nothing.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

/// The hint that goes with what is near: `did you mean "hooks"?`, or nothing.
std::string did_you_mean(std::string_view near);

}  // namespace vipd
