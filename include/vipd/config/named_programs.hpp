/// The programs of hooks and checks that a configuration names, each with its place.
///
/// Root runs the programs, so their files are judged as a part of the configuration (load/programs.hpp). These
/// functions only collect them.
#pragma once

#include <vector>

#include "vipd/config/parse.hpp"
#include "vipd/config/placed.hpp"

namespace vipd {

/// Appends the program that a check runs.
void collect_program(const PlacedCheck& check, std::vector<NamedProgram>& into);
/// Appends the hooks of an instance.
void collect_programs(const PlacedInstance& instance, std::vector<NamedProgram>& into);
/// Appends the hooks of a sync group.
void collect_programs(const PlacedGroup& group, std::vector<NamedProgram>& into);

}  // namespace vipd
