/// The verbs of vipctl. Each is one function, and one row of the table in command_line.cpp.
///
/// A verb writes its result to the console. Its error is a sentence; the errno beside it becomes the exit status, see
/// exit_status().
#pragma once

#include "vipd/base/result.hpp"
#include "vipd/ctl/vipctl.hpp"

namespace vipd {

/// Shows the state of each instance and why.
Result<void> show_status(const Invocation& invocation, const Console& console);
/// Shows the events. With `follow` it returns only when the daemon ends the conversation.
Result<void> show_events(const Invocation& invocation, const Console& console);
/// Shows the versions. It succeeds without a daemon, too.
Result<void> show_version(const Invocation& invocation, const Console& console);

/// Shows the changes that a reload would make.
Result<void> show_diff(const Invocation& invocation, const Console& console);
/// Puts the configuration files in force; with `trial` until the time is over or a confirmation comes.
Result<void> reload(const Invocation& invocation, const Console& console);
/// Ends a trial: the configuration stays in force.
Result<void> confirm(const Invocation& invocation, const Console& console);
/// Replaces the running program with the installed one, which keeps the configuration in force. If the installed
/// program does not accept that configuration, it hands the process back to the old program.
Result<void> reexec(const Invocation& invocation, const Console& console);

/// Lists, shows or restores previous configurations.
Result<void> show_config(const Invocation& invocation, const Console& console);

}  // namespace vipd
