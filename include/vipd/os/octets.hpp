/// Octets of a file, read and written to the end.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "vipd/os/fd.hpp"

namespace vipd {

/// Writes all of it, beginning at the descriptor's place. False: errno says why not.
inline bool write_all(const Fd& fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t size = ::write(fd.get(), octets.data(), octets.size());
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) octets.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

/// Appends what is left to be read to `into`, which gets at most `limit` octets and one. False: errno says why not.
inline bool read_all(const Fd& fd, std::string& into, std::size_t limit) {
  std::array<char, 65536> buffer;
  while (into.size() <= limit) {
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size == 0) return true;
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) into.append(buffer.data(), static_cast<std::size_t>(size));
  }
  errno = EFBIG;
  return false;
}

}  // namespace vipd
