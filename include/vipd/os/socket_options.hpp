/// Options of sockets: setsockopt(2) with an Error that names the option.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>
#include <string>

#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

/// Sets one option. `what` is its name, for the Error.
template <typename Value>
Result<void> set_option(const Fd& fd, int level, int name, const Value& value, const char* what) {
  if (::setsockopt(fd.get(), level, name, &value, sizeof value) < 0)
    return system_failure(std::string("cannot set socket option ") + what, errno);
  return {};
}

/// The first failure among `results`, or success.
inline Result<void> all_of(std::initializer_list<Result<void>> results) {
  for (const auto& result : results)
    if (!result) return result;
  return {};
}

}  // namespace vipd
