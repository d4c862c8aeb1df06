#include "vipd/ctl/control_client.hpp"

#include <fcntl.h>

#include <vector>

#include "ctl_fake_daemon.hpp"
#include "vipd/base/control.hpp"

using namespace vipd;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

constexpr Duration kPatience = 10s;  // reached only in a failure

Result<std::string> converse(const std::string& socket, std::optional<Duration> patience) {
  auto client = ControlClient::connect(socket, kPatience);
  REQUIRE(client);
  REQUIRE(client->send("hello"));
  return client->receive_line(patience);
}

std::string message_of(const Result<std::string>& result) { return result ? "no error" : result.error().message; }

}  // namespace

TEST_CASE("control client: a line goes there and a line comes back") {
  FakeDaemon daemon("answer\n");
  const auto line = converse(daemon.socket(), kPatience);
  REQUIRE(line);
  CHECK(*line == "answer");
  CHECK(daemon.request() == "hello\n");
}

TEST_CASE("control client: lines come in pieces and in heaps") {
  FakeDaemon daemon([](int client) {
    for (const char octet : std::string("one\ntw")) say(client, std::string(1, octet));
    say(client, "o\nthree\n\nfive");
  });
  auto client = ControlClient::connect(daemon.socket(), kPatience);
  REQUIRE(client);
  REQUIRE(client->send("hello"));
  for (const char* expected : {"one", "two", "three", ""}) CHECK(client->receive_line(kPatience) == expected);
  CHECK(message_of(client->receive_line(kPatience)) == "the daemon closed the connection in the middle of an answer");
}

TEST_CASE("control client: a long answer arrives whole") {
  const std::string text(3'000'000, 'x');
  FakeDaemon daemon(text + "\n");
  const auto line = converse(daemon.socket(), kPatience);
  REQUIRE(line);
  CHECK(*line == text);
}

TEST_CASE("control client: the longest answer that the daemon gives arrives, and one octet more is refused") {
  for (const std::size_t size : {kLongestAnswer, kLongestAnswer + 1}) {
    FakeDaemon daemon(std::string(size, 'x') + "\n");
    const auto line = converse(daemon.socket(), kPatience);
    CHECK((line ? line->size() : 0) == (size == kLongestAnswer ? size : 0));
  }
}

TEST_CASE("control client: an answer without an end is refused at 32 MiB") {
  FakeDaemon daemon([](int client) {
    const std::string chunk(1 << 20, 'x');
    while (say(client, chunk)) continue;
  });
  CHECK(message_of(converse(daemon.socket(), kPatience)) == "the daemon's answer is broken: it is longer than 32 MiB");
}

TEST_CASE("control client: a daemon that hangs up at once is no answer") {
  FakeDaemon daemon("");
  CHECK(message_of(converse(daemon.socket(), kPatience)) == "the daemon closed the connection without an answer");
}

TEST_CASE("control client: what a daemon said before it hung up is still read, and SIGPIPE kills nobody") {
  TemporaryDirectory directory;
  const int listener = listen_at(directory.socket(), 5);
  auto client = ControlClient::connect(directory.socket(), kPatience);
  REQUIRE(client);
  const int accepted = accept(listener, nullptr, nullptr);
  REQUIRE(say(accepted, "too many clients\n"));
  close(accepted);
  close(listener);
  REQUIRE(client->send("hello"));
  CHECK(client->receive_line(kPatience) == "too many clients");
  CHECK(message_of(client->receive_line(kPatience)) == "the daemon closed the connection; it was stopped or restarted");
}

TEST_CASE("control client: a silent daemon is a timeout") {
  FakeDaemon daemon(await_hangup);
  const auto start = std::chrono::steady_clock::now();
  const auto line = converse(daemon.socket(), 50ms);
  CHECK(std::chrono::steady_clock::now() - start >= 50ms);
  REQUIRE_FALSE(line);
  CHECK(line.error().code == ETIMEDOUT);
  CHECK(line.error().message.find(daemon.socket()) != std::string::npos);
}

TEST_CASE("control client: the patience is for the whole line, not for each octet of it") {
  FakeDaemon daemon([](int client) {
    pollfd entry{.fd = client, .events = POLLRDHUP, .revents = 0};
    while (poll(&entry, 1, 5) == 0) say(client, "x");
  });
  const auto line = converse(daemon.socket(), 100ms);
  REQUIRE_FALSE(line);
  CHECK(line.error().code == ETIMEDOUT);
}

TEST_CASE("control client: without a bound it waits for the daemon") {
  FakeDaemon daemon([](int client) {
    pollfd entry{.fd = client, .events = POLLRDHUP, .revents = 0};
    poll(&entry, 1, 60);  // a pause that the client must survive
    say(client, "late\n");
  });
  CHECK(converse(daemon.socket(), std::nullopt) == "late");
}

TEST_CASE("control client: no socket, and a socket that nobody serves, are no daemon") {
  TemporaryDirectory directory;
  const auto absent = ControlClient::connect(directory.socket(), kPatience);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ENOENT);
  CHECK(absent.error().message ==
        "no daemon: " + directory.socket() + " does not exist; start it: systemctl start vipd");

  close(listen_at(directory.socket(), 5));
  const auto dead = ControlClient::connect(directory.socket(), kPatience);
  REQUIRE_FALSE(dead);
  CHECK(dead.error().code == ECONNREFUSED);
  CHECK(dead.error().message.find("no process listens; start it: systemctl start vipd") != std::string::npos);
}

TEST_CASE("control client: a path that no socket can have is refused") {
  const auto client = ControlClient::connect("/tmp/" + std::string(200, 'x'), kPatience);
  REQUIRE_FALSE(client);
  CHECK(client.error().code == ENAMETOOLONG);
}

TEST_CASE("control client: a daemon that accepts nobody is a timeout") {
  TemporaryDirectory directory;
  const int listener = listen_at(directory.socket(), 0);
  std::vector<ControlClient> waiting;
  for (;;) {  // until the queue is full
    auto client = ControlClient::connect(directory.socket(), 50ms);
    if (!client) {
      CHECK(client.error().code == ETIMEDOUT);
      break;
    }
    waiting.push_back(std::move(*client));
    REQUIRE(waiting.size() < 100);
  }
  close(listener);
}
