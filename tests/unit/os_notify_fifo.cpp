#include "vipd/os/notify_fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

namespace {

Fd open_to_read(const std::string& path) { return Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)); }

/// All octets that wait in the pipe.
std::string drain(const Fd& fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t size = 0; (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

mode_t mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode;
}

}  // namespace

TEST_CASE("NotifyFifo: makes the pipe for the group, and lines wait in it for a reader") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/fifo";
  NotifyFifo fifo(path);
  CHECK(S_ISFIFO(mode_of(path)));
  CHECK((mode_of(path) & 07777) == 0640);
  fifo.write("one\n");
  fifo.write("two\n");
  CHECK(drain(open_to_read(path)) == "one\ntwo\n");
  CHECK(fifo.dropped() == 0);
}

TEST_CASE("NotifyFifo: a pipe that nobody reads drops whole lines and is never waited for") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/fifo";
  NotifyFifo fifo(path);
  const std::string line = std::string(99, 'x') + "\n";
  for (int i = 0; i < 10'000; ++i) fifo.write(line);  // a pipe has 64 KiB
  CHECK(fifo.dropped() > 9'000);
  const Fd reader = open_to_read(path);
  const std::string text = drain(reader);
  CHECK(text.size() % line.size() == 0);
  CHECK(text.size() / line.size() + fifo.dropped() == 10'000);
  fifo.write("again\n");
  CHECK(drain(reader) == "again\n");
}

TEST_CASE("NotifyFifo: one that was removed and made anew is found; one that is there keeps its mode") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/fifo";
  NotifyFifo fifo(path);
  REQUIRE(::unlink(path.c_str()) == 0);
  fifo.write("lost with the reader's pipe no more\n");
  CHECK(drain(open_to_read(path)) == "lost with the reader's pipe no more\n");
  REQUIRE(::unlink(path.c_str()) == 0);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  fifo.write("here\n");
  CHECK(drain(open_to_read(path)) == "here\n");
  CHECK((mode_of(path) & 07777) == 0600);
}

TEST_CASE("NotifyFifo: what is no pipe is left as it is, and costs the lines alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file", link = directory.path() + "/link";
  std::ofstream(path) << "precious";
  REQUIRE(::symlink("/dev/null", link.c_str()) == 0);
  for (const std::string& wrong : {path, link, directory.path() + "/missing/fifo"}) {
    NotifyFifo fifo(wrong);
    fifo.write("line\n");
    CHECK(fifo.dropped() == 1);
  }
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  CHECK(text == "precious");
}
