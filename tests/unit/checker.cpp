// The built-in kinds of checks on the loopback of this machine; tests/lab/checks.cpp has the network.
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/checker/checker.hpp"
#include "vipd/config/check_program.hpp"
#include "vipd/os/fd.hpp"

using namespace vipd;

namespace {

/// A listening socket on the loopback, which answers a number of connections with a text.
class Server {
 public:
  Server(int connections, const std::string& answer) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_.get(), 5) == 0);
    socklen_t size = sizeof address;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, connections, answer] {
      for (int i = 0; i < connections; ++i) {
        const Fd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char request[1024];
        (void)!::read(client.get(), request, sizeof request);
        (void)!::write(client.get(), answer.data(), answer.size());
      }
    });
  }
  ~Server() { thread_.join(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  Fd fd_;
  int port_ = 0;
  std::thread thread_;
};

/// The status of a check in a child process: a check drops root's rights, which this program still needs.
int status_of_process(const std::vector<std::string>& words) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run_check(words));
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

std::string said(const Answer& answer) { return answer ? "ok " + *answer : answer.error().message; }

/// A port without a listener.
std::string closed_port() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

std::string response(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

}  // namespace

TEST_CASE("checker: tcp takes a connection or says why not") {
  const std::string closed = closed_port();
  CHECK(said(check_tcp(closed)) == "cannot connect to " + closed + ": Connection refused");
  const Server server(1, "");
  CHECK(said(check_tcp(server.address())) == "ok ");
  CHECK(said(check_tcp("[not an address]:80")).starts_with("cannot find not an address: "));
}

TEST_CASE("checker: http judges the status and the body") {
  const auto ask = [](const std::string& answer, const std::string& status, const std::string& text) {
    const Server server(1, answer);
    return said(check_http("http://" + server.address() + "/health", status, text));
  };
  CHECK(ask(response("200 OK", "all is well"), "0", "") == "ok ");
  CHECK(ask(response("204 No Content", ""), "0", "") == "ok ");
  CHECK(ask(response("302 Found", ""), "0", "") == "ok ");
  CHECK(ask(response("503 Service Unavailable", "draining"), "0", "") == "status 503");
  CHECK(ask(response("503 Service Unavailable", "draining"), "503", "") == "ok ");
  CHECK(ask(response("200 OK", "all is well"), "204", "") == "status 200");
  CHECK(ask(response("200 OK", "all is well"), "0", "is well") == "ok ");
  CHECK(ask(response("200 OK", "all is lost"), "0", "is well") == "the body does not contain the text");
  CHECK(ask(response("200 OK", std::string(3'000'000, 'x') + "is well"), "0", "is well") ==
        "the body does not contain the text");
  CHECK(ask("this is not HTTP\r\n\r\n", "0", "") != "ok ");
  // The words are libcurl's and differ between its versions.
  CHECK(said(check_http("http://" + closed_port() + "/", "0", "")) == ::curl_easy_strerror(CURLE_COULDNT_CONNECT));
}

TEST_CASE("checker: a file is there, or holds a number") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/number";
  CHECK(said(check_file(path, "")) == "cannot find " + path + ": No such file or directory");
  CHECK(said(check_file(path, "content")) == "cannot open " + path + ": No such file or directory");
  std::ofstream(path) << "-20\nand more\n";
  CHECK(said(check_file(path, "")) == "ok ");
  CHECK(said(check_file(path, "content")) == "ok -20");
}

TEST_CASE("checker: what is no question is a usage error") {
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{}, Words{"nonsense"}, Words{"nonsense", "127.0.0.1"}, Words{""}, Words{"Ping", "::1"}, Words{"ping"},
        Words{"ping", "127.0.0.1", "::1"}, Words{"http", "http://127.0.0.1/"}, Words{"--help"},
        Words{"process", "sh", "1"}, Words{"file", "/"}})
    CHECK(run_check(words) == 2);
  CHECK(run_check(Words{"file", "/", ""}) == 0);
}

TEST_CASE("checker: each built-in kind that the configuration asks for is a question") {
  const std::string nowhere = "/no/such/thing";
  const std::vector<decltype(CheckConfig::kind)> kinds = {FileCheck{nowhere}, UnitCheck{nowhere}, TcpCheck{nowhere},
                                                          HttpCheck{.url = "nothing://", .contains = ""},
                                                          PingCheck{IpAddress::parse("127.0.0.1")}};
  for (const auto& kind : kinds) {
    std::vector<std::string> words = program_of({.name = "a", .kind = kind, .rules = {}});
    words[0].erase(0, kProbe.size());
    INFO(words[0]);
    CHECK(status_of_process(words) != 2);
  }
}

TEST_CASE("checker: ping of this machine") {
  if (::geteuid() != 0) return;  // a raw socket needs root
  CHECK(said(check_ping("127.0.0.1")) == "ok ");
  CHECK(said(check_ping("::1")) == "ok ");
  CHECK(said(check_ping("nobody")) == "nobody is not an address");
}
