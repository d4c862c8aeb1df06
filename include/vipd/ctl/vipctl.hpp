/// vipctl: asks the daemon, shows the answer, and ends with a status that a script can use.
///
/// Most verbs are one request and one way to show the answer. With --json the document is printed as it came; otherwise
/// render.hpp makes text of it. A failure goes to the error stream as one sentence with the remedy, and its kind
/// becomes the exit status.
#pragma once

#include <chrono>
#include <iosfwd>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"
#include "vipd/ctl/command_line.hpp"

namespace vipd {

/// Exit statuses of vipctl, a promise to scripts (see vipctl(1)).
enum class ExitStatus : int { ok = 0, refused = 1, usage = 2, no_daemon = 3, timeout = 4, permission = 5 };

/// The exit status for the errno of an Error; `refused` if there is no errno.
ExitStatus exit_status(const Error& error);

/// The output streams, and the time to wait for an answer.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;
  Duration patience = std::chrono::seconds(5);
};

/// Carries out `invocation`. With `follow` it returns only when the daemon ends the conversation.
ExitStatus run_vipctl(const Invocation& invocation, const Console& console);

}  // namespace vipd
