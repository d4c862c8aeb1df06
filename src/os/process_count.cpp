#include "vipd/os/process_count.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <memory>
#include <string_view>

#include "vipd/os/fd.hpp"

namespace vipd {
namespace {

constexpr std::size_t kLongestComm = 15;  // TASK_COMM_LEN without its end

/// The first octets of a file of a process; empty if it has ended by now.
std::string beginning_of(int proc, const std::string& path) {
  const Fd fd(::openat(proc, path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> buffer;
  const ssize_t size = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : "";
}

bool runs_executable(int proc, const std::string& pid, std::string_view path) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlinkat(proc, (pid + "/exe").c_str(), buffer.data(), buffer.size());
  const std::string_view target(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return target == path || target == std::string(path) + " (deleted)";  // replaced by an upgrade, and running
}

bool is_called(int proc, const std::string& pid, std::string_view name) {
  const std::string stat = beginning_of(proc, pid + "/stat");  // "1234 (comm) S ..."; comm may hold ")"
  const std::size_t begin = stat.find('('), end = stat.rfind(") ");
  if (begin == std::string::npos || end == std::string::npos || stat[end + 2] == 'Z') return false;
  const std::string_view comm = std::string_view(stat).substr(begin + 1, end - begin - 1);
  if (comm == name) return true;
  const std::string first = beginning_of(proc, pid + "/cmdline").c_str();
  return comm == name.substr(0, kLongestComm) ? first.ends_with(name) : first.substr(first.rfind('/') + 1) == name;
}

}  // namespace

unsigned count_processes(const std::string& program) {
  struct Close {
    void operator()(DIR* open) const { ::closedir(open); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir("/proc"));
  if (!directory) return 0;
  const int proc = ::dirfd(directory.get());
  unsigned count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string pid = entry->d_name;
    if (!std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const bool found = program.starts_with('/') ? runs_executable(proc, pid, program) : is_called(proc, pid, program);
    if (found) ++count;
  }
  return count;
}

}  // namespace vipd
