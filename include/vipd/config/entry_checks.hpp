/// Checks of the entries that an instance holds: options of addresses, routes and rules.
///
/// An entry may have a key without effect, for example a label on an IPv6 address. If two entries have the same route
/// or rule, the one would remove it while the other needs it.
#pragma once

#include <span>

#include "vipd/config/placed.hpp"
#include "vipd/config/report.hpp"

namespace vipd {

/// Reports the faults within each entry of the instance.
void check_entries(const PlacedInstance& instance, Report& report);
/// Reports a route or a rule that is listed twice, in one instance or in two.
void check_routing_between(std::span<const PlacedInstance> instances, Report& report);

}  // namespace vipd
