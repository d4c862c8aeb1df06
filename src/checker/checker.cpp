#include "vipd/checker/checker.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "vipd/checker/rights.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {
namespace {

using Arguments = std::span<const std::string>;

/// A kind of check: its name and the number of its arguments.
struct Kind {
  std::string_view name;
  std::size_t arguments;
  Answer (*ask)(Arguments arguments);
};

template <typename Ask>
Answer as_nobody(Ask ask) {
  if (const auto given_up = give_up_root(); !given_up) return std::unexpected(given_up.error());
  return ask();
}

/// All kinds. Only `file` stays root: it reads files that only root may read, and at most 256 octets of them.
constexpr auto kKinds = std::to_array<Kind>({
    {"file", 2, [](Arguments words) { return check_file(words[0], words[1]); }},
    {"unit", 1, [](Arguments words) { return check_unit(words[0], give_up_root); }},
    {"tcp", 1, [](Arguments words) { return as_nobody([&] { return check_tcp(words[0]); }); }},
    {"http", 3, [](Arguments words) { return as_nobody([&] { return check_http(words[0], words[1], words[2]); }); }},
    {"ping", 1, [](Arguments words) { return check_ping(words[0], give_up_root); }},
});

int refuse_usage() {
  std::fputs(
      "usage: vipd-check file PATH content|'' | unit NAME | tcp HOST:PORT | http URL STATUS TEXT | ping ADDRESS\n",
      stderr);
  return 2;
}

}  // namespace

int run_check(std::span<const std::string> arguments) {
  const auto kind = std::ranges::find(kKinds, arguments.empty() ? "" : arguments[0], &Kind::name);
  if (kind == kKinds.end() || arguments.size() - 1 != kind->arguments) return refuse_usage();
  const Answer said = kind->ask(arguments.subspan(1));
  std::printf("%s\n", (said ? *said : said.error().message).c_str());
  std::fflush(stdout);
  return said ? 0 : 1;
}

Answer check_file(const std::string& path, const std::string& content) {
  if (content.empty()) {
    struct stat status{};
    if (::stat(path.c_str(), &status) < 0) return system_failure("cannot find " + path, errno);
    return "";
  }
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_failure("cannot open " + path, errno);
  std::array<char, 256> buffer;  // longer than any number
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) return system_failure("cannot read " + path, errno);
  const std::string text(buffer.data(), static_cast<std::size_t>(size));
  return text.substr(0, text.find('\n'));
}

}  // namespace vipd
