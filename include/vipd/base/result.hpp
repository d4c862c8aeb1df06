/// Result<T>: a failure that may happen is a value.
///
/// vipd keeps two kinds of error apart. A failure that may happen (a refused system call, a bad file, a hostile client)
/// is a Result. The caller handles it or passes it on with context. A failure that may not happen (a bug) is an
/// assertion, see base/assert.hpp. The function that handles a Result logs it, once; a function that passes it on does
/// not.
#pragma once

#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace vipd {

/// Why an operation failed: a sentence for a human, and the errno behind it (0 = none).
struct Error {
  std::string message;
  int code = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;

/// Makes an error without an errno.
inline std::unexpected<Error> failure(std::string message) { return std::unexpected(Error{std::move(message), 0}); }

/// Makes an error of a system call: "what: strerror(code)".
inline std::unexpected<Error> system_failure(const std::string& what, int code) {
  return std::unexpected(Error{what + ": " + std::strerror(code), code});
}

}  // namespace vipd
