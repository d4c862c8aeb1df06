// A real service runs on both nodes and dies on the holder of the address: how long does a client get no answer through
// the address? The test runs with each peer, and with different priorities and preempt.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <mutex>
#include <thread>

#include "contender.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr Duration kCheckInterval = 100ms;
constexpr int kFall = 2;
constexpr Duration kPromised = kCheckInterval * kFall + 100ms;

/// nginx in the foreground, a single process, which answers with its name.
class Nginx {
 public:
  explicit Nginx(const Node& node) : node_(node) {
    must(node, "ip link set lo up");
    const auto directory = node.directory() / "nginx";
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "nginx.conf")
        << "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {}\nhttp { access_log off; "
        << "server { listen 80; location / { return 200 \"" << node.name() << "\\n\"; } } }\n";
    start();
  }
  void start() {
    const auto directory = node_.directory() / "nginx";
    process_ = std::make_unique<Process>(
        node_, std::vector<std::string>{"/usr/sbin/nginx", "-p", directory, "-c", directory / "nginx.conf"});
  }
  void kill() {
    process_->signal(SIGKILL);
    process_->wait_exit(5s);
  }

 private:
  const Node& node_;
  std::unique_ptr<Process> process_;
};

/// One request to 192.0.2.10, port 80; true if it was answered with status 200 within 20 ms.
bool fetch() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(80);
  ::inet_pton(AF_INET, "192.0.2.10", &to.sin_addr);
  ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  const auto wait = [&](short events) {
    pollfd poll{fd.get(), events, 0};
    return ::poll(&poll, 1, 20) == 1 && (poll.revents & (POLLERR | POLLHUP)) == 0;
  };
  constexpr std::string_view kRequest = "GET / HTTP/1.0\r\n\r\n";
  if (!wait(POLLOUT) || ::send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return false;
  std::array<char, 64> answer{};
  pollfd poll{fd.get(), POLLIN, 0};
  if (::poll(&poll, 1, 20) != 1) return false;
  return ::recv(fd.get(), answer.data(), answer.size(), 0) > 12 && std::string_view(answer.data() + 9, 3) == "200";
}

/// Fetches once a millisecond from a node, and measures the longest time without an answer.
class Client {
 public:
  explicit Client(const Node& node) : thread_([this, &node] { watch(node); }) {}
  ~Client() {
    stop_ = true;
    thread_.join();
  }
  Duration longest_gap() {
    const std::scoped_lock lock(mutex_);
    return longest_;
  }
  /// Begins a new measurement.
  void begin() {
    const std::scoped_lock lock(mutex_);
    longest_ = Duration::zero();
  }
  bool answered_within(Duration bound) {
    const std::scoped_lock lock(mutex_);
    return std::chrono::steady_clock::now() - last_ < bound;
  }

 private:
  void watch(const Node& node) {
    const Inside inside(node);
    while (!stop_) {
      const bool answered = fetch();
      const auto now = std::chrono::steady_clock::now();
      if (answered) {
        const std::scoped_lock lock(mutex_);
        longest_ = std::max<Duration>(longest_, now - last_);
        last_ = now;
      }
      std::this_thread::sleep_for(1ms);
    }
  }

  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  Duration longest_{};
  std::thread thread_;
};

std::string watched_web(int priority) {
  return web(Family::ipv4, priority, "preempt = false\nchecks = [\"web\"]\n") +
         "[check.web]\nhttp = \"http://127.0.0.1/\"\ninterval = \"100ms\"\ntimeout = \"100ms\"\nfall = " +
         std::to_string(kFall) + "\n";
}

bool is_fit_backup(const Node& node) { return node.instance().value("fit", false) && node.state() == "backup"; }

/// Kills the service on `a`, which has the address. `b` must take the address, and the client get answers in time.
void kill_and_measure(Pair& pair, Nginx& service_of_a, const std::string& what) {
  Client client(pair.client);
  REQUIRE(wait_until(5s, [&] { return client.answered_within(20ms); }));
  client.begin();
  service_of_a.kill();
  REQUIRE(wait_until(10s, [&] { return pair.b.has(pair.vip) && !pair.a.has(pair.vip); }));
  REQUIRE(wait_until(5s, [&] { return client.answered_within(20ms); }));
  measured("a service is killed, " + what + ": longest time without an answer", client.longest_gap());
  REQUIRE(client.longest_gap() > kCheckInterval);
  REQUIRE(client.longest_gap() <= kPromised + kSlack);
}

}  // namespace

TEST_CASE("service: it dies on the Active, and a fit vipd has the address whatever its priority, without preempting",
          "[interop]") {
  const int priority_b = GENERATE(253, 100);
  Pair pair(Family::ipv4);
  Nginx service_a(pair.a), service_b(pair.b);
  pair.a.start_vipd(watched_web(254));
  REQUIRE(pair.a.wait_state("active"));
  pair.b.start_vipd(watched_web(priority_b));
  REQUIRE(wait_until(5s, [&] { return is_fit_backup(pair.b); }));
  pair.await_adverts(pair.source_a, 2);
  kill_and_measure(pair, service_a, "priorities 254 and " + std::to_string(priority_b));

  service_b.kill();  // now both nodes are unfit
  REQUIRE(wait_until(5s, [&] { return !pair.b.instance().value("fit", true); }));
  const AddressMonitor monitor_a(pair.a), monitor_b(pair.b);
  pair.await_adverts(pair.source_b, 50);
  REQUIRE(pair.b.has(pair.vip));
  REQUIRE_FALSE(pair.a.has(pair.vip));
  REQUIRE(monitor_a.events().empty());
  REQUIRE(monitor_b.events().empty());

  service_a.start();
  REQUIRE(wait_until(10s, [&] { return pair.a.has(pair.vip) && !pair.b.has(pair.vip); }));
}

TEST_CASE("service: it dies on the Active, and keepalived has the address though it does not preempt", "[interop]") {
  Pair pair(Family::ipv4);
  Nginx service_a(pair.a), service_b(pair.b);
  pair.a.start_vipd(watched_web(254));
  REQUIRE(pair.a.wait_state("active"));
  const Terms terms{.preempt = false};
  Keepalived keepalived(pair.b, pair.a, terms, 100);
  keepalived.start();
  REQUIRE(wait_until(10s, [&] { return keepalived.listens(); }));
  pair.await_adverts(pair.source_a, 10);
  kill_and_measure(pair, service_a, "254 against keepalived's 100");
  REQUIRE(pair.a.instance().at("unfit").get<std::string>().starts_with("check web failed"));
}
