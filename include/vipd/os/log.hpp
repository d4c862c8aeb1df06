/// The log: spdlog on standard error, which systemd hands to the journal.
///
/// Writing never waits. When whoever reads the other end is stuck, lines are dropped and counted, and the count is said
/// when the pipe moves again: a full pipe must not cost an address. Under systemd each line opens with its level as
/// sd-daemon(3) wants it ("<4>"); on a terminal or in a file with the time.
#pragma once

namespace vipd {

/// Installs the sink as spdlog's default logger. Call once, before anything is logged.
void start_log();

}  // namespace vipd
