// Interference of others with a server: interfaces are renamed, moved away or flap, addresses are removed again and
// again, notifications are lost or forged.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <csignal>
#include <cstring>
#include <sstream>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

bool waits_for_interface(const Node& node) {
  return wait_until(5s, [&] {
    const Json fault = node.instance().value("fault", Json());
    return fault.is_string() && fault.get<std::string>().find("missing") != std::string::npos;
  });
}

int transitions_of(const Node& node) { return node.instance().at("transitions"); }

/// A forged notification that an address or an interface is gone, as only the kernel sends it.
struct Forged {
  nlmsghdr head{};
  union {
    ifaddrmsg address;
    ifinfomsg link;
  };
  rtattr local_head{};
  std::array<std::uint8_t, 4> local{};
};

Forged address_gone(unsigned ifindex) {
  Forged message{};
  message.head = {
      .nlmsg_len = sizeof message, .nlmsg_type = RTM_DELADDR, .nlmsg_flags = 0, .nlmsg_seq = 0, .nlmsg_pid = 0};
  message.address = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_flags = 0, .ifa_scope = 0, .ifa_index = ifindex};
  message.local_head = {.rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL};
  message.local = {192, 0, 2, 10};
  return message;
}

Forged link_gone(unsigned ifindex) {
  Forged message{};
  message.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg)),
                  .nlmsg_type = RTM_DELLINK,
                  .nlmsg_flags = 0,
                  .nlmsg_seq = 0,
                  .nlmsg_pid = 0};
  message.link.ifi_index = static_cast<int>(ifindex);
  return message;
}

/// Sends to each open NETLINK_ROUTE socket of the node; returns how many took it.
int send_to_all(const Node& node, const Forged& message) {
  const Inside inside(node);
  const Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  std::ifstream sockets("/proc/thread-self/net/netlink");
  int taken = 0;
  std::string line;
  std::getline(sockets, line);  // the names of the columns
  while (std::getline(sockets, line)) {
    std::istringstream words(line);
    std::string socket;
    unsigned protocol = 0, port = 0;
    words >> socket >> protocol >> port;
    if (protocol != NETLINK_ROUTE || port == 0) continue;
    sockaddr_nl to{};
    to.nl_family = AF_NETLINK;
    to.nl_pid = port;
    if (::sendto(fd.get(), &message, message.head.nlmsg_len, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) > 0)
      ++taken;
  }
  return taken;
}

}  // namespace

TEST_CASE("lab: an address that is removed again and again is back each time, and no advert is late", "[lab]") {
  Pair pair(each_family());
  pair.start();
  const int before_a = transitions_of(pair.a), before_b = transitions_of(pair.b);
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size();
  const std::string remove = "ip addr del " + pair.vip + (pair.family == Family::ipv4 ? "/24" : "/64") + " dev eth0";
  Duration longest{};
  for (int i = 0; i < rounds(10, 60); ++i) {
    const auto gone = std::chrono::steady_clock::now();
    must(pair.a, remove);
    REQUIRE(wait_until(1s, [&] { return pair.a.has(pair.vip); }));
    longest = std::max<Duration>(longest, std::chrono::steady_clock::now() - gone);
    if (is_long()) pair.await_adverts(pair.source_a, 10);  // once a second
  }
  measured("longest time to the repair, with the command that removes", longest);
  pair.await_adverts(pair.source_a, 5);
  REQUIRE(longest_gap(pair.sniffer.adverts_from(pair.source_a), from) < kInterval + kSlack);
  REQUIRE(transitions_of(pair.a) == before_a);
  REQUIRE(transitions_of(pair.b) == before_b);
}

TEST_CASE("lab: an interface that flaps ends with one holder, the right one", "[lab]") {
  Pair pair(each_family());
  pair.start();
  for (int i = 0; i < rounds(20, 200); ++i) {
    pair.lab.set_port(pair.a, false);
    if (i % 5 == 4) REQUIRE(pair.b.wait_state("active"));  // in other rounds it is back before a peer notices
    pair.lab.set_port(pair.a, true);
    if (i % 5 == 2) REQUIRE(pair.a.wait_state("active"));
  }
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE_FALSE(pair.b.has(pair.vip));
}

TEST_CASE("lab: an interface that gets another name is missing until it has its own again", "[lab][C32+]") {
  Pair pair(each_family());
  pair.start();
  must(pair.a, "ip link set eth0 down");
  must(pair.a, "ip link set eth0 name lan0");
  must(pair.a, "ip link set lan0 up");
  REQUIRE(waits_for_interface(pair.a));
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE_FALSE(pair.a.has(pair.vip));
  must(pair.a, "ip link set lan0 down");
  must(pair.a, "ip link set lan0 name eth0");
  must(pair.a, "ip link set eth0 up");
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE_FALSE(pair.b.has(pair.vip));
}

TEST_CASE("lab: an interface that is moved to another namespace is missing, and what it had stays with nobody",
          "[lab][C32+]") {
  Pair pair(each_family());
  pair.start();
  const Netns elsewhere;
  must(pair.a, "ip link set eth0 netns " + elsewhere.path());
  REQUIRE(waits_for_interface(pair.a));
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(run(elsewhere, {"ip", "-o", "addr"}).output.find(pair.vip) == std::string::npos);
}

TEST_CASE("lab: after notifications were lost everything is read anew, and what went is put back", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  // Active at once, and patient enough for the slowest machine.
  std::string config = web(Family::ipv4, 255);
  config.replace(config.find("100ms"), 5, "10s");
  a.start_vipd(config);
  REQUIRE(a.wait_state("active"));
  const int before = transitions_of(a);
  a.vipd().signal(SIGSTOP);
  const std::filesystem::path batch = a.directory() / "batch";
  {
    std::ofstream commands(batch);
    for (int i = 0; i < 20'000; ++i) commands << "addr add 10.0.0.1/32 dev lo\naddr del 10.0.0.1/32 dev lo\n";
    commands << "addr del 192.0.2.10/24 dev eth0\n";
  }
  must(a, "ip -batch " + batch.string());
  a.vipd().signal(SIGCONT);
  REQUIRE(wait_until(10s, [&] { return a.has("192.0.2.10"); }));
  REQUIRE(a.vipd().errors().find("netlink notifications were lost") != std::string::npos);
  REQUIRE(a.wait_state("active"));
  REQUIRE(transitions_of(a) == before);
}

TEST_CASE("lab: what only seems to come from the kernel is not believed", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int before = transitions_of(pair.a);
  unsigned ifindex = 0;
  {
    const Inside inside(pair.a);
    ifindex = if_nametoindex("eth0");
  }
  REQUIRE(send_to_all(pair.a, address_gone(ifindex)) > 0);
  REQUIRE(send_to_all(pair.a, link_gone(ifindex)) > 0);
  pair.await_adverts(pair.source_a, 3);
  REQUIRE(transitions_of(pair.a) == before);
  REQUIRE(pair.a.instance().at("addresses").at(0).at("present") == true);
  REQUIRE(pair.a.vipd().errors().find("vanished") == std::string::npos);
}
