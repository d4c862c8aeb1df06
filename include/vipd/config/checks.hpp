/// Checks across keys: what is wrong although each value alone is right.
///
/// Numbers and addresses that collide, an IPv6 instance without its link-local address, an owner that would not
/// preempt. Each check passes over what was refused before.
#pragma once

#include <set>
#include <span>
#include <string>

#include "vipd/config/config.hpp"
#include "vipd/config/placed.hpp"
#include "vipd/config/report.hpp"

namespace vipd {

/// Reports what is wrong between the keys of one instance and between instances.
void check_instances(std::span<const PlacedInstance> instances, Report& report);

/// Reports an instance that a group lists twice or that is in two groups, and a group of one. Once, whatever the node.
void check_members(std::span<const PlacedGroup> groups, Report& report);

/// Warns of the priorities in a group that do not count, as they are on one node.
void check_group_priorities(std::span<const PlacedGroup> groups, std::span<const PlacedInstance> instances,
                            Report& report);

/// A default route has the family of what else its entry names, or that of the instance.
void choose_family_of_routes(PlacedInstance& instance);

/// Decides which addresses the adverts list: those of the first one's family that want it, as many as fit. Warns of the
/// rest.
void choose_advertised(PlacedInstance& instance, Report& report);

/// Reports a check that asks for nothing or for two things, and what belongs to another kind. `whole`: all of it could
/// be read.
void check_kind(const PlacedCheck& check, bool whole, Report& report);

/// Reports what the instances, as they are on one node, list as checks and cannot have. `hidden`: some tables could not
/// be read, so that a check may exist that is not among `checks`.
void check_health(std::span<const PlacedInstance> instances, std::span<const PlacedCheck> checks, bool hidden,
                  Report& report);

/// Warns of checks that no instance lists on any node, `used` being those that one does, and of a timeout that is
/// longer than the interval.
void check_usefulness(std::span<const PlacedCheck> checks, const std::set<std::string>& used, Report& report);

}  // namespace vipd
