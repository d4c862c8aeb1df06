/// Reads the text of an address or of a network, and explains a refused one.
///
/// Each function reads the value `node` of `key`, or reports at the character at fault.
#pragma once

#include <optional>

#include "vipd/config/report.hpp"
#include "vipd/config/schema.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// The address of a host, without a prefix length.
std::optional<IpAddress> read_host(const KeySpec& key, const TomlNode& node, Report& report);

/// The address of a host with the length of its subnet: "192.0.2.10/24". If it has no length, the result has length 0,
/// and a warning is reported.
std::optional<IpPrefix> read_host_in_subnet(const TomlNode& node, Report& report);

/// A network with the length of its prefix: "192.0.2.0/24".
std::optional<IpPrefix> read_network(const TomlNode& node, Report& report);

}  // namespace vipd
