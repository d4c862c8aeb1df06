/// The command that vipd-runner gets for a check.
///
/// The CheckSet sends the command and the runner allows it, both by this one function. The command of a built-in kind
/// begins with a word that is no path ("probe:http"), so it cannot be mistaken for a user's program.
#pragma once

#include <string>
#include <vector>

#include "vipd/config/config.hpp"

namespace vipd {

/// The prefix of the first word of a built-in kind that a process of vipd-check answers.
inline constexpr std::string_view kProbe = "probe:";
/// The first word of the built-in kind that vipd-runner answers without a process.
inline constexpr std::string_view kCountProcesses = "count-processes";

/// The user's command, or a built-in kind and its arguments; empty for an interface, which vipd answers itself.
std::vector<std::string> program_of(const CheckConfig& check);

/// True if the command is that of a built-in kind.
bool is_built_in(const std::vector<std::string>& arguments);

}  // namespace vipd
