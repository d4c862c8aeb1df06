#include "vipd/os/state_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace vipd {
namespace {

constexpr off_t kLargest = 32 << 20;  // a configuration has at most 8 MiB, as JSON at most four times that

}  // namespace

std::string read_state_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > kLargest) return "";
  std::string text;
  std::array<char, 65536> buffer;
  ssize_t size = 0;
  while (text.size() <= static_cast<std::size_t>(kLargest) &&
         (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return size < 0 ? "" : text;
}

Fd create_state_file(const std::string& path, int flags) {
  ::unlink(path.c_str());
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
}

}  // namespace vipd
