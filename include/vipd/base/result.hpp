/// Result<T>: what may happen is a value.
///
/// Two kinds of error are kept apart and never mixed: what may happen (a refused system call, a bad file, a rude
/// client) is a Result that the caller handles or passes on with context; what may not happen (a bug) is an
/// assertion, see base/assert.hpp. Whoever handles a Result logs it, once; whoever passes it on does not.
#pragma once

#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace vipd {

/// Why something could not be done: a sentence for a human, and the errno behind it (0 where there is none).
struct Error {
  std::string message;
  int code = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;

/// An error without an errno behind it.
inline std::unexpected<Error> failure(std::string message) { return std::unexpected(Error{std::move(message), 0}); }

/// An error from a system call: "what: strerror(code)".
inline std::unexpected<Error> system_failure(const std::string& what, int code) {
  return std::unexpected(Error{what + ": " + std::strerror(code), code});
}

}  // namespace vipd
