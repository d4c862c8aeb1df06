/// What vipd-runner is asked to run for a check.
///
/// The CheckSet asks for it and the runner allows it, both by this one function. A built-in kind begins with a word
/// that is no path ("probe:http"), so it cannot be taken for a user's program.
#pragma once

#include <string>
#include <vector>

#include "vipd/config/config.hpp"

namespace vipd {

/// Begins the first word of a built-in kind that is answered by a process of vipd-check.
inline constexpr std::string_view kProbe = "probe:";
/// The first word of the built-in kind that vipd-runner answers without a process.
inline constexpr std::string_view kCountProcesses = "count-processes";

/// The user's command, or a built-in kind and its arguments; empty for an interface, which vipd answers itself.
std::vector<std::string> program_of(const CheckConfig& check);

/// Is it one of the two above?
bool is_built_in(const std::vector<std::string>& arguments);

}  // namespace vipd
