/// read_value: reads a TOML value into the member that its key fills.
///
/// The type of the member, the range and the form of the key decide which values are accepted (config/schema.hpp). A
/// refused value is reported at the character at fault.
#pragma once

#include <string>

#include "vipd/config/report.hpp"
#include "vipd/config/schema.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// Reads `node` as a value of `key` into the member `slot`, or reports why that fails. A refused address stays
/// unspecified. A refused entry of `instances` leaves an empty name in its place. For a list of tables only the list
/// itself is examined: its entries have keys of their own, for which the caller calls this function again.
void read_value(const KeySpec& key, const TomlNode& node, Slot slot, Report& report);

/// A value in words, for messages: "the string "no"", "the integer 5", "a table".
std::string describe_value(const TomlNode& node);

}  // namespace vipd
