/// Functions that make the rows of the schema, for the source files with rows.
///
/// A row is typed by the member that it fills: key<InstanceConfig, &InstanceConfig::vrid>("vrid", ...). A path of
/// several members leads into nested members. AsKind<ProcessCheck> leads into one alternative of a check's kind.
#pragma once

#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "vipd/config/schema.hpp"
#include "vipd/config/text.hpp"

namespace vipd::rows {

/// The words for a range of durations: "0s (never) or 1s..24h", "10ms..40.95s in steps of 10ms".
std::string words_for_duration(const Range& range);

/// The words for a range of numbers: "1..255", or "2 or 3" for two numbers.
std::string words_for_number(const Range& range);

/// The words for a choice: "\"request\", \"reply\" or \"both\"".
template <typename Choice, std::size_t size>
std::string words_for_choice(const std::array<Choice, size>& choices) {
  std::string words;
  for (const Choice& choice : choices) {
    if (!words.empty()) words += &choice == &choices.back() ? " or " : ", ";
    words += in_quotes(to_string(choice));
  }
  return words;
}

/// The words for the values of a key whose member is of this type.
template <typename Type>
std::string words_for(const KeyOptions& options) {
  using Optional = std::optional<IpAddress>;
  if (!options.words.empty()) return std::string(options.words);
  if (options.form != Form::of_its_type) return std::string(rule_of(options.form).words);
  if constexpr (std::is_same_v<Type, bool>) return "true or false";
  if constexpr (std::is_same_v<Type, Duration>) return words_for_duration(options.range);
  if constexpr (std::is_unsigned_v<Type> && !std::is_same_v<Type, bool>) return words_for_number(options.range);
  if constexpr (std::is_enum_v<Type>) return words_for_choice(choices(Type()));
  if constexpr (std::is_same_v<Type, IpAddress> || std::is_same_v<Type, Optional>) return "an address";
  if constexpr (std::is_same_v<Type, IpPrefix>) return "\"ADDRESS/PREFIX-LENGTH\"";
  return "\"NETWORK/PREFIX-LENGTH\"";
}

/// A step of a path into one alternative of a check's kind.
template <typename Kind>
struct AsKind {};

/// One step of a path.
template <typename Object, typename Member, typename Owner>
auto& step(Object& object, Member Owner::* member) {
  return object.*member;
}

/// Steps into the kind to fill it: the check becomes a check of this kind.
template <typename Kind>
Kind& step(CheckConfig& check, AsKind<Kind>) {
  Kind* kind = std::get_if<Kind>(&check.kind);
  return kind != nullptr ? *kind : check.kind.emplace<Kind>();
}

/// Steps into the kind to read it; a check of another kind has an empty one.
template <typename Kind>
const Kind& step(const CheckConfig& check, AsKind<Kind>) {
  static const Kind nothing;
  const Kind* kind = std::get_if<Kind>(&check.kind);
  return kind != nullptr ? *kind : nothing;
}

/// The member of `object` that a path leads to.
template <auto First, auto... Rest>
auto& member(auto& object) {
  auto& here = step(object, First);
  if constexpr (sizeof...(Rest) == 0)
    return here;
  else
    return member<Rest...>(here);
}

/// The table of the schema that each entry of a list of tables is; empty for other types.
template <typename Type>
std::string_view entries_of() {
  if constexpr (kIsList<Type>)
    return table_of<typename Type::value_type>();
  else
    return {};
}

/// Makes a row: the key `name` of an Owner fills the member at the end of `path`.
template <typename Owner, auto... path>
Key<Owner> key(std::string_view name, std::string_view summary, const KeyOptions& options = {}) {
  using Type = std::remove_reference_t<decltype(member<path...>(std::declval<Owner&>()))>;
  const KeySpec spec{options, table_of<Owner>(), name, summary, words_for<Type>(options), entries_of<Type>()};
  return {spec, [](Owner& owner) -> Slot { return &member<path...>(owner); },
          [](const Owner& owner) -> Value { return &member<path...>(owner); }};
}

/// The rows of one Owner.
template <typename Owner>
using Keys = std::vector<Key<Owner>>;

/// The rows of all parts, one part after the other.
template <typename Owner>
Keys<Owner> joined(std::initializer_list<Keys<Owner>> parts) {
  Keys<Owner> all;
  for (const Keys<Owner>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace vipd::rows
