/// Checks across keys: what is wrong although each value alone is right.
///
/// Numbers and addresses that collide, an IPv6 instance without its link-local address, an owner that would not
/// preempt. Caller: parse_config(), after all values have been read. Each check passes over what was refused before.
#pragma once

#include <span>

#include "vipd/config/config.hpp"
#include "vipd/config/report.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// An instance, a sync group or a check, and where it is written. Entry n of a list there is entry n here.
template <typename Owner>
struct Placed {
  Owner config;
  const TomlNode* table = nullptr;
};

using PlacedInstance = Placed<InstanceConfig>;
using PlacedGroup = Placed<SyncGroupConfig>;
using PlacedCheck = Placed<CheckConfig>;

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

}  // namespace vipd
