/// The verbs of vipctl. Each is one function, and one row of the table in command_line.cpp.
///
/// A verb writes what it found on the console. Its error is a sentence; the errno beside it becomes the exit status,
/// see exit_status().
#pragma once

#include "vipd/base/result.hpp"
#include "vipd/ctl/vipctl.hpp"

namespace vipd {

/// What the daemon does and why.
Result<void> show_status(const Invocation& invocation, const Console& console);
/// With `follow` it returns only when the daemon ends the conversation.
Result<void> show_events(const Invocation& invocation, const Console& console);
/// A daemon that does not run is an answer, too.
Result<void> show_version(const Invocation& invocation, const Console& console);

/// What a reload would change.
Result<void> show_diff(const Invocation& invocation, const Console& console);
/// Puts the files in force, with `trial` for a while.
Result<void> reload(const Invocation& invocation, const Console& console);
/// Ends a trial: the configuration stays in force.
Result<void> confirm(const Invocation& invocation, const Console& console);
/// The program on the disk takes over from the running one, with the configuration in force. A program that does not
/// accept that configuration gives the process back.
Result<void> reexec(const Invocation& invocation, const Console& console);

/// Lists, shows or restores configurations that were in force.
Result<void> show_config(const Invocation& invocation, const Console& console);

}  // namespace vipd
