// The kernel refuses: no memory, no buffers, no descriptors, no permission, no device. Meanwhile vipd neither crashes
// nor spins, and tells why it does not advertise. Afterwards it recovers by itself.
//
// strace(1) makes calls of a running vipd fail.
#include <sys/resource.h>
#include <sys/socket.h>

#include <csignal>
#include <filesystem>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// Makes system calls of a vipd fail during its lifetime: "sendmsg:error=ENOBUFS".
class Failing {
 public:
  Failing(Node& node, const std::string& what)
      : strace_(node, {"strace", "-e", "trace=" + what.substr(0, what.find(':')), "-e", "inject=" + what, "-p",
                       std::to_string(node.vipd().pid())}) {
    REQUIRE(wait_until(10s, [&] { return strace_.errors().find("attached") != std::string::npos; }));
  }
  /// Ends strace(1) by SIGTERM, so that it detaches from vipd.
  ~Failing() {
    strace_.signal(SIGTERM);
    strace_.wait_exit(10s);
  }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;

  std::size_t count() const { return count_of(strace_.errors(), "(INJECTED)"); }

 private:
  Process strace_;
};

bool all_is_well(Pair& pair) {
  return pair.a.state() == "active" && pair.b.state() == "backup" && pair.a.has(pair.vip) && !pair.b.has(pair.vip);
}

/// True if the node advertises, or tells what prevents it. The question may have to wait.
bool speaks_or_says_why(Pair& pair, std::size_t adverts_before) {
  if (wait_until(2s, [&] { return pair.sniffer.adverts_from(pair.source_a).size() > adverts_before + 1; })) return true;
  const Json instance = pair.a.instance();
  return instance.contains("fault") &&
         (instance.at("fault").is_string() || instance.at("counters").at("send_errors").get<int>() > 0);
}

std::vector<std::string> kinds() {
  std::vector<std::string> some = {"sendmsg:error=ENOBUFS", "recvmmsg:error=ENOMEM", "epoll_ctl:error=ENOMEM"};
  for (const char* more :
       {"recvmsg:error=ENOBUFS", "sendto:error=ENOBUFS", "sendto,recvmsg:error=ENOMEM", "sendmsg:error=ENOMEM",
        "sendmsg:error=EPERM", "sendmsg:error=ENODEV", "recvmsg:error=ENOMEM", "sendto:error=EPERM",
        "sendto:error=ENOMEM", "socket:error=EMFILE", "accept4:error=EMFILE", "openat:error=EMFILE",
        "openat:error=ENOMEM", "write,fsync:error=ENOSPC", "setsockopt:error=ENOMEM",
        "sendmsg,sendto,recvmsg,recvmmsg:error=ENOMEM"})
    if (is_long()) some.emplace_back(more);
  return some;
}

/// The processor time of a process so far.
Duration processor_time(const Process& process) {
  std::ifstream file("/proc/" + std::to_string(process.pid()) + "/stat");
  std::string word;
  for (int i = 0; i < 13; ++i) file >> word;
  long user = 0, system = 0;
  file >> user >> system;
  return std::chrono::milliseconds(1000 * (user + system) / sysconf(_SC_CLK_TCK));
}

long descriptors_of(const Process& process) {
  return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(process.pid()) + "/fd"),
                       std::filesystem::directory_iterator());
}

}  // namespace

TEST_CASE("lab: system calls that fail for a while crash nobody, and all is well afterwards", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  Attacker attacker(pair.client, pair.family);
  PacketParts losing = testing::ipv4_parts();
  losing.source = testing::ip(pair.client.source(pair.family));
  losing.priority = 1;
  for (const std::string& kind : kinds()) {
    INFO(kind);
    std::size_t failures = 0;
    {
      const Failing failing(pair.a, kind);
      const std::size_t adverts = pair.sniffer.adverts_from(pair.source_a).size();
      attacker.send(losing);                                                // an advert to receive,
      run(pair.a, {"ip", "addr", "del", pair.vip + "/24", "dev", "eth0"});  // an address to repair,
      pair.a.vipd().signal(SIGHUP);                                         // and a file to read
      const bool speaks = speaks_or_says_why(pair, adverts);
      INFO(pair.a.vipd().errors());
      CHECK(speaks);
      CHECK(pair.a.vipd().running());
      failures = failing.count();
    }
    const auto end = std::chrono::steady_clock::now();
    const bool well = wait_until(40s, [&] { return all_is_well(pair); });
    measured("well after " + std::to_string(failures) + " times " + kind, std::chrono::steady_clock::now() - end);
    REQUIRE(pair.a.vipd().running());
    REQUIRE(well);
  }
  REQUIRE(count_of(pair.a.vipd().errors(), "\n") < 30 * kinds().size());
}

TEST_CASE("lab: a stop ends although the kernel refuses to remove the address, and leaves it to the last will",
          "[lab][F4]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(web(Family::ipv4, 254));
  REQUIRE(a.wait_state("active"));
  {
    const Failing failing(a, "sendto:error=EPERM");
    const auto begin = std::chrono::steady_clock::now();
    a.vipd().signal(SIGTERM);
    REQUIRE(a.vipd().wait_exit(20s) == 1);
    measured("a stop of which the kernel refuses the removal", std::chrono::steady_clock::now() - begin);
  }
  CAPTURE(a.vipd().errors());
  CHECK(count_of(a.vipd().errors(), "the kernel does not remove 192.0.2.10/24 on eth0") == 1);
  CHECK(a.has("192.0.2.10"));
  auto last_will = a.vipd_command();
  last_will.emplace_back("--last-will");
  REQUIRE(run(a, last_will).status == 0);
  CHECK_FALSE(a.has("192.0.2.10"));
}

TEST_CASE("lab: without descriptors clients wait, and nobody else does", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const auto allowed = static_cast<rlim_t>(descriptors_of(pair.a.vipd())) + 4;
  const rlimit limit{allowed, allowed};
  REQUIRE(prlimit(pair.a.vipd().pid(), RLIMIT_NOFILE, &limit, nullptr) == 0);
  std::vector<Fd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect_to(pair.a));
  REQUIRE(wait_until(5s, [&] { return count_of(pair.a.vipd().errors(), "have to wait: Too many open files") == 1; }));
  const Duration before = processor_time(pair.a.vipd());
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size();
  pair.await_adverts(pair.source_a, 15);
  const Duration used = processor_time(pair.a.vipd()) - before;
  measured("processor time in a second and a half without descriptors", used);
  REQUIRE(used < 500ms);
  REQUIRE(longest_gap(pair.sniffer.adverts_from(pair.source_a), from) < kInterval + kSlack);
  clients.clear();
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(count_of(pair.a.vipd().errors(), "have to wait") == 1);
}

// The peer took over after 0.3 s, and again for the second file.
TEST_CASE("lab: a disk whose fsync takes 2 s delays no advert", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int transitions = pair.b.instance().at("transitions");
  Process strace(pair.a, {"strace", "-f", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=2000000", "-p",
                          std::to_string(pair.a.vipd().pid())});
  REQUIRE(wait_until(10s, [&] { return strace.errors().find("attached") != std::string::npos; }));
  write_config(pair.a, web(pair.family, 254) + "# another text\n");  // the same configuration, to be kept
  const WallTime since = std::chrono::system_clock::now();
  const std::size_t before = pair.sniffer.adverts_from(pair.source_a).size();
  const Json answer = Json::parse(vipctl(pair.a, {"reload", "--json"}).output);
  CHECK(answer.at("valid") == true);
  measured("`vipctl reload` while fsync takes 2 s", std::chrono::system_clock::now() - since);
  CHECK(std::chrono::system_clock::now() - since < 1s);
  const auto begun = [&] { return count_of(strace.errors(), "(DELAYED)"); };
  REQUIRE(wait_until(10s, [&] { return begun() > 0; }));
  pair.a.vipd().signal(SIGHUP);  // with nothing to keep
  REQUIRE(wait_until(10s, [&] { return pair.sniffer.adverts_from(pair.source_a).size() > before + 25; }));
  Duration worst{};
  std::vector<Json> adverts;
  for (const Json& advert : pair.sniffer.adverts_from(pair.source_a))
    if (time_of(advert) >= since) adverts.push_back(advert);
  worst = longest_gap(adverts);
  measured("longest gap between adverts at 100 ms meanwhile", worst);
  CHECK(adverts.size() > 20);
  CHECK(worst < kInterval + kSlack);
  CHECK(pair.b.instance().at("transitions") == transitions);
  strace.signal(SIGTERM);
  strace.wait_exit(10s);
}
