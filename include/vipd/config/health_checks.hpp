/// The same as checks.hpp for [check.NAME]: what is wrong with one although each value alone is right, and with the
/// instances that list it. Caller: parse_config().
#pragma once

#include <set>
#include <span>
#include <string>

#include "vipd/config/checks.hpp"

namespace vipd {

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
