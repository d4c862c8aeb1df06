#include "vipd/probe/probe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "vipd/os/fd.hpp"

namespace vipd {
namespace {

Answer answer(std::span<const std::string> arguments) {
  const std::string& kind = arguments[0];
  const auto argument = [&](std::size_t index) { return index < arguments.size() ? arguments[index] : std::string(); };
  if (kind == "file") return probe_file(argument(1), argument(2));
  if (kind == "unit") return probe_unit(argument(1));
  if (kind == "tcp") return probe_tcp(argument(1));
  if (kind == "http") return probe_http(argument(1), argument(2), argument(3));
  return probe_ping(argument(1));
}

}  // namespace

int run_probe(std::span<const std::string> arguments) {
  if (arguments.empty()) return 2;
  const Answer said = answer(arguments);
  std::printf("%s\n", (said ? *said : said.error().message).c_str());
  std::fflush(stdout);
  return said ? 0 : 1;
}

Answer probe_file(const std::string& path, const std::string& content) {
  if (content.empty()) {
    struct stat status{};
    if (::stat(path.c_str(), &status) < 0) return system_failure("cannot find " + path, errno);
    return "";
  }
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_failure("cannot open " + path, errno);
  std::array<char, 256> buffer;  // a number is shorter
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) return system_failure("cannot read " + path, errno);
  const std::string text(buffer.data(), static_cast<std::size_t>(size));
  return text.substr(0, text.find('\n'));
}

}  // namespace vipd
