/// Checks across keys: faults of a configuration whose values are each right alone.
///
/// Numbers and addresses that collide, an IPv6 instance without its link-local address, an owner that would not
/// preempt. Each check skips values that were refused before.
#pragma once

#include <set>
#include <span>
#include <string>

#include "vipd/config/config.hpp"
#include "vipd/config/placed.hpp"
#include "vipd/config/report.hpp"

namespace vipd {

/// Reports conflicts between the keys of one instance, and between instances.
void check_instances(std::span<const PlacedInstance> instances, Report& report);

/// Reports an instance that a group lists twice or that is in two groups, and a group of one instance. This does not
/// depend on the node.
void check_members(std::span<const PlacedGroup> groups, Report& report);

/// Warns of priorities in a group that do not count. The instances are those of one node, with its overrides.
void check_group_priorities(std::span<const PlacedGroup> groups, std::span<const PlacedInstance> instances,
                            Report& report);

/// Gives each default route the family of the other values of its entry, or else that of the instance.
void choose_family_of_routes(PlacedInstance& instance);

/// Decides which addresses the adverts list: those of the first address's family with `advertise`, as many as fit.
/// Warns of the others.
void choose_advertised(PlacedInstance& instance, Report& report);

/// Reports a check of no kind or of two kinds, and keys that belong to another kind. `whole` is true if all of the
/// check could be read.
void check_kind(const PlacedCheck& check, bool whole, Report& report);

/// Reports checks that an instance of one node lists and cannot have. `hidden` is true if some tables could not be
/// read: then a check may exist that is not among `checks`.
void check_health(std::span<const PlacedInstance> instances, std::span<const PlacedCheck> checks, bool hidden,
                  Report& report);

/// Warns of each check that is not in `used`, the checks that an instance lists on some node. Warns of a timeout that
/// is longer than the interval.
void check_usefulness(std::span<const PlacedCheck> checks, const std::set<std::string>& used, Report& report);

}  // namespace vipd
