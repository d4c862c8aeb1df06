/// VIPD_ASSERT: a condition that only a bug can break. It stays on in release builds.
///
/// No assertion can be reached from the network, from a file or from the control socket: their input is checked and
/// answered with a Result. If an assertion fires, the process ends and systemd starts it again.
#pragma once

namespace vipd {

/// Prints the broken expectation with its place to standard error, then aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace vipd

#define VIPD_ASSERT(expression) \
  (static_cast<bool>(expression) ? void(0) : ::vipd::assertion_failed(#expression, __FILE__, __LINE__))
