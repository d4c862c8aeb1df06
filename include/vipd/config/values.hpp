/// read_value: one TOML value into the member that its key fills.
///
/// The member's type decides what is acceptable, the key's range how much of it, its form which text of it
/// (config/schema.hpp). What is refused is reported at the character that is to blame.
#pragma once

#include <string>

#include "vipd/config/report.hpp"
#include "vipd/config/schema.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// Reads `node` as a value of `key` into the member `slot`, or reports why not. An address that is refused stays
/// unspecified. Of a list of tables only the list is looked at: its entries have keys of their own, for which the
/// caller calls this again. An entry of `instances` that is refused leaves an empty name in its place.
void read_value(const KeySpec& key, const TomlNode& node, Slot slot, Report& report);

/// "the string "no"", "the integer 5", "a table": what stands there, for messages.
std::string describe_value(const TomlNode& node);

}  // namespace vipd
