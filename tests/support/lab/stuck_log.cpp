#include "support/lab/stuck_log.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace vipd::lab {
namespace {

void require(bool is_done) {
  if (!is_done) throw std::runtime_error("cannot make a log that nobody reads");
}

}  // namespace

StuckLog::StuckLog(bool is_journal) : is_journal_(is_journal) {
  int ends[2];
  require((is_journal ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : ::pipe(ends)) == 0);
  ours_ = Fd(ends[0]);
  theirs_ = Fd(ends[1]);
  require(::fcntl(ours_.get(), F_SETFD, FD_CLOEXEC) == 0);
  require(::fcntl(theirs_.get(), F_SETFL, O_NONBLOCK | O_WRONLY) == 0);
  const std::string text(1000, '.');
  while (::write(theirs_.get(), text.data(), text.size()) > 0) {
  }
  while (::write(theirs_.get(), ".", 1) > 0) {
  }
  require(::fcntl(theirs_.get(), F_SETFL, O_WRONLY) == 0);
}

std::vector<std::string> StuckLog::words() const {
  std::vector<std::string> words = {"bash", "-c", R"(exec "$@" 1>&"$0" 2>&1)", std::to_string(theirs_.get())};
  if (is_journal_) words.insert(words.end(), {"env", "JOURNAL_STREAM=1:1"});
  return words;
}

std::string StuckLog::read() const {
  std::string all;
  std::array<char, 65536> chunk;
  require(::fcntl(ours_.get(), F_SETFL, O_NONBLOCK) == 0);
  for (ssize_t size = 0; (size = ::read(ours_.get(), chunk.data(), chunk.size())) > 0;)
    all.append(chunk.data(), static_cast<std::size_t>(size));
  return all;
}

}  // namespace vipd::lab
