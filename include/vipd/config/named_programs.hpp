/// The programs that a configuration names, each with its place: of hooks and of checks.
///
/// Root runs them, so the files behind them are judged as part of the configuration (load/programs.hpp). Here they are
/// only collected.
#pragma once

#include <vector>

#include "vipd/config/parse.hpp"
#include "vipd/config/placed.hpp"

namespace vipd {

/// Appends what a check has run.
void collect_program(const PlacedCheck& check, std::vector<NamedProgram>& into);
/// Appends the hooks of an instance.
void collect_programs(const PlacedInstance& instance, std::vector<NamedProgram>& into);
/// Appends the hooks of a sync group.
void collect_programs(const PlacedGroup& group, std::vector<NamedProgram>& into);

}  // namespace vipd
