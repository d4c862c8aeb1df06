// Objects of others on the interfaces of vipd's addresses. Other addresses of the subnet, the routes over them and the
// connections to them stay, in whatever way vipd removes its own addresses.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "pair.hpp"
#include "vipd/os/rtnl_kernel.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

const std::string kVip = "203.0.113.10", kSecondVip = "203.0.113.11", kOwn = "203.0.113.5";

/// VRRP on eth0, the addresses on another interface.
std::string on(const std::string& interface, const std::vector<std::string>& addresses, int priority = 100) {
  std::string list;
  for (const auto& address : addresses)
    list += R"({address = ")" + address + R"(/24", interface = ")" + interface + R"("}, )";
  return "[instance.web]\ninterface = \"eth0\"\nvrid = 51\nadvert_interval = \"100ms\"\npriority = " +
         std::to_string(priority) + "\naddresses = [" + list + "]\n";
}

/// A connection over TCP from one node to an address of another one, on which each octet that is sent comes back.
class Connection {
 public:
  Connection(const Node& client, const Node& server, const std::string& address) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(7777);
    inet_pton(AF_INET, address.c_str(), &where.sin_addr);
    const auto* name = reinterpret_cast<const sockaddr*>(&where);
    {
      const Inside inside(server);
      listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      REQUIRE(::bind(listener_.get(), name, sizeof where) == 0);
      REQUIRE(::listen(listener_.get(), 1) == 0);
    }
    const Inside inside(client);
    client_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval bound{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(client_.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    REQUIRE(::connect(client_.get(), name, sizeof where) == 0);
    server_ = Fd(::accept(listener_.get(), nullptr, nullptr));
    ::setsockopt(server_.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  }
  bool goes_on() const {
    char octet = 'x';
    return ::write(client_.get(), &octet, 1) == 1 && ::read(server_.get(), &octet, 1) == 1 &&
           ::write(server_.get(), &octet, 1) == 1 && ::read(client_.get(), &octet, 1) == 1;
  }

 private:
  Fd listener_, client_, server_;
};

/// The machine's IPv4 addresses, routes, rules and promote_secondaries, but for what carries vipd's tag.
std::string others(const Node& node) {
  std::string held;
  for (const auto& each : addresses(node))
    if (each.protocol != 112) held += each.prefix + "\n";
  const std::string promotes = must(node, "grep -r . /proc/sys/net/ipv4/conf --include=promote_secondaries");
  return held + must(node, "ip -4 route show dev eth1") + must(node, "ip -4 rule") + promotes;
}

/// A node whose address on eth1 is older than the addresses that the operator added to its subnet.
struct Shared {
  explicit Shared(const std::vector<std::string>& vips = {kVip})
      : a(lab.add_node("a", 1)), client(lab.add_node("client", 100)) {
    for (const Node* node : {&a, &client}) {
      lab.wire(*node, "eth1");
      must(*node, "ip addr flush dev eth1");
      must(*node, "ip link set eth1 up");
    }
    must(client, "ip addr add 203.0.113.100/24 dev eth1");
    a.start_vipd(on("eth1", vips));
    REQUIRE(a.wait_state("active"));
    REQUIRE(a.has(vips.back()));
    must(a, "ip addr add " + kOwn + "/24 dev eth1");
    must(a, "ip route add 198.51.100.0/24 via 203.0.113.1 dev eth1");
    must(a, "ip route add 198.51.101.0/24 via 203.0.113.1 dev eth1 src " + kOwn);
    must(a, "ip route add 198.51.102.0/24 dev eth1");
    connection = std::make_unique<Connection>(client, a, kOwn);
    REQUIRE(connection->goes_on());
  }
  /// The objects of others, without the route to the subnet: its source changes with the primary address.
  std::string others_now() const {
    std::string all = others(a);
    const auto at = all.find("203.0.113.0/24 proto kernel");
    REQUIRE(at != std::string::npos);
    return all.erase(at, all.find('\n', at) - at);
  }
  Lab lab;
  Node &a, &client;
  std::unique_ptr<Connection> connection;
};

Finished last_will(Node& node) {
  node.vipd().signal(SIGKILL);
  node.vipd().wait_exit(5s);
  auto command = node.vipd_command();
  command.emplace_back("--last-will");
  return run(node, command);
}

void load_anew(Node& node, const std::string& config) {
  std::ofstream(node.directory() / "vipd.toml", std::ios::trunc) << config;
  node.vipd().signal(SIGHUP);
}

}  // namespace

TEST_CASE("lab: whatever removes a virtual address leaves other addresses of its subnet alone", "[lab][F1]") {
  Shared shared;
  Node& a = shared.a;
  const std::string before = shared.others_now();
  const std::string way = GENERATE("stop", "fault", "preemption", "reload", "last will", "start after a crash");
  CAPTURE(way);
  if (way == "stop") {
    a.vipd().signal(SIGTERM);
    REQUIRE(a.vipd().wait_exit(5s) == 0);
  } else if (way == "fault") {
    shared.lab.set_port(a, false);
    REQUIRE(a.wait_state("initialize"));
  } else if (way == "preemption") {
    Node& b = shared.lab.add_node("b", 2);
    shared.lab.wire(b, "eth1");
    must(b, "ip link set eth1 up");
    b.start_vipd(on("eth1", {kVip}, 200));
    REQUIRE(a.wait_state("backup"));
  } else if (way == "reload") {
    load_anew(a, on("eth1", {"203.0.113.12"}));
    REQUIRE(wait_until(5s, [&] { return a.has("203.0.113.12"); }));
  } else if (way == "last will") {
    REQUIRE(last_will(a).status == 0);
  } else {
    a.vipd().signal(SIGKILL);
    a.vipd().wait_exit(5s);
    a.start_vipd(on("eth1", {"203.0.113.12"}));
    REQUIRE(wait_until(5s, [&] { return a.has("203.0.113.12"); }));
  }
  REQUIRE(wait_until(5s, [&] { return !a.has(kVip); }));
  CHECK(a.has(kOwn));
  CHECK(shared.connection->goes_on());
  CHECK(shared.others_now() == before);
}

TEST_CASE("lab: of two virtual addresses of one subnet, a reload that removes the first leaves the second",
          "[lab][F1]") {
  Shared shared({kVip, kSecondVip});
  const Connection to_second(shared.client, shared.a, kSecondVip);
  const std::string before = shared.others_now();
  const AddressMonitor monitor(shared.a);
  load_anew(shared.a, on("eth1", {kSecondVip}));
  REQUIRE(wait_until(5s, [&] { return !shared.a.has(kVip); }));
  CHECK(to_second.goes_on());
  CHECK(shared.connection->goes_on());
  for (const auto& event : monitor.events()) {
    CAPTURE(event.prefix);
    CHECK((event.added || event.prefix.starts_with(kVip)));
  }
  shared.a.vipd().signal(SIGTERM);
  REQUIRE(shared.a.vipd().wait_exit(5s) == 0);
  CHECK(shared.connection->goes_on());
  CHECK(shared.others_now() == before);
}

namespace {

/// RtnlKernel in a namespace of its own, with two interfaces.
struct Machine {
  Machine() {
    for (const char* name : {"eth1", "eth2"}) {
      const std::string end = std::string(name) + "-end";
      must(netns, "ip link add " + std::string(name) + " type veth peer name " + end);
      must(netns, "ip link set up dev " + end);
      must(netns, "ip link set up dev " + std::string(name));
    }
    open();
  }
  void open() {
    const Inside inside(netns);
    kernel = std::move(*RtnlKernel::open_once());
  }
  int index(const std::string& interface) const { return kernel->view().find(interface)->index; }
  AddressObject address(const std::string& text, std::uint8_t length, const std::string& interface = "eth1") const {
    return {.prefix = {IpAddress::parse(text).value(), length}, .interface = interface, .ifindex = index(interface)};
  }
  void add(const std::vector<KernelObject>& objects) const {
    const Inside inside(netns);  // RtnlKernel reads /proc/sys
    for (const int error : kernel->add(objects)) REQUIRE(error == 0);
  }
  void remove(const std::vector<KernelObject>& objects) const {
    const Inside inside(netns);
    for (const int error : kernel->remove(objects)) CHECK(error == 0);
  }
  std::string held() const {
    std::string all;
    for (const auto& each : addresses(netns))
      if (each.prefix.find(':') == std::string::npos) all += each.prefix + " ";
    return all;
  }
  Netns netns;
  std::unique_ptr<RtnlKernel> kernel;
};

}  // namespace

TEST_CASE("lab: addresses on several interfaces are removed in one go, in whatever order, and nobody else's",
          "[lab][F1]") {
  Machine machine;
  std::vector<KernelObject> ours;
  for (const std::string interface : {"eth1", "eth2"}) {
    const std::string net = interface == "eth1" ? "192.0.2." : "198.51.100.";
    std::vector<KernelObject> here;
    for (int i = 10; i < 110; ++i) here.emplace_back(machine.address(net + std::to_string(i), 24, interface));
    machine.add(here);
    must(machine.netns, "ip addr add " + net + "5/24 dev " + interface);
    must(machine.netns, "ip route add 203.0.113." + net.substr(0, 3) + "/32 via " + net + "1");
    ours.insert(ours.end(), here.begin(), here.end());
  }
  machine.open();
  if (GENERATE(false, true)) std::ranges::reverse(ours);
  machine.remove(ours);
  CHECK(machine.held() == "192.0.2.5/24 198.51.100.5/24 ");
  const std::string routes = must(machine.netns, "ip -4 route");
  CHECK(routes.find("203.0.113.192 via 192.0.2.1") != std::string::npos);
  CHECK(routes.find("203.0.113.198 via 198.51.100.1") != std::string::npos);
  for (const char* name : {"all", "default", "eth1", "eth2"})
    CHECK(must(machine.netns, "cat /proc/sys/net/ipv4/conf/" + std::string(name) + "/promote_secondaries") == "0\n");
}

TEST_CASE("lab: an address that became primary a moment ago takes nothing along", "[lab][F1]") {
  Machine machine;
  const AddressObject first = machine.address("192.0.2.10", 24), second = machine.address("192.0.2.11", 24);
  machine.add({first, second});
  must(machine.netns, "ip addr add 192.0.2.5/24 dev eth1");
  machine.open();
  machine.remove({first});
  machine.remove({second});  // the view has not been told that this one is primary now
  CHECK(machine.held() == "192.0.2.5/24 ");
}

TEST_CASE("lab: a removal changes no promote_secondaries that is on", "[lab][F1]") {
  Machine machine;
  const std::string where = GENERATE("all", "eth1");
  machine.netns.write_sysctl("ipv4/conf/" + where + "/promote_secondaries", "1");
  machine.add({machine.address("192.0.2.10", 24)});
  must(machine.netns, "ip addr add 192.0.2.5/24 dev eth1");
  machine.remove({machine.address("192.0.2.10", 24)});
  CHECK(machine.held() == "192.0.2.5/24 ");
  CHECK(must(machine.netns, "cat /proc/sys/net/ipv4/conf/" + where + "/promote_secondaries") == "1\n");
}

TEST_CASE("lab: a route or rule of others that equals ours stays", "[lab][F1]") {
  Machine machine;
  must(machine.netns, "ip addr add 192.0.2.5/24 dev eth1");
  must(machine.netns, "ip -6 addr add 2001:db8::5/64 dev eth1 nodad");
  must(machine.netns, "ip route add 198.51.100.0/24 via 192.0.2.1");
  must(machine.netns, "ip -6 route add 2001:db8:1::/48 via 2001:db8::1");
  must(machine.netns, "ip rule add from 192.0.2.10 lookup 10 priority 100");
  machine.open();
  const auto ip = [](const char* text) { return IpAddress::parse(text).value(); };
  const int eth1 = machine.index("eth1");
  machine.remove(
      {RouteObject{.to = {ip("198.51.100.0"), 24}, .interface = "eth1", .ifindex = eth1, .via = ip("192.0.2.1")},
       RouteObject{.to = {ip("2001:db8:1::"), 48}, .interface = "eth1", .ifindex = eth1, .via = ip("2001:db8::1")},
       RuleObject{.from = IpPrefix{ip("192.0.2.10"), 32}, .table = 10, .priority = 100}});
  CHECK(must(machine.netns, "ip -4 route").find("198.51.100.0/24 via 192.0.2.1") != std::string::npos);
  CHECK(must(machine.netns, "ip -6 route").find("2001:db8:1::/48 via 2001:db8::1") != std::string::npos);
  CHECK(must(machine.netns, "ip rule").find("from 192.0.2.10 lookup 10") != std::string::npos);
}

TEST_CASE("lab: what the kernel does not list is gone, whatever it answers to the removal", "[lab][F4]") {
  Machine machine;
  const AddressObject ipv6{machine.address("2001:db8::10", 64)}, ipv4{machine.address("192.0.2.10", 24)};
  const RouteObject route{
      .to = {IpAddress::parse("2001:db8:1::").value(), 48}, .interface = "eth1", .ifindex = machine.index("eth1")};
  machine.add({ipv4, ipv6, route});
  must(machine.netns, "ip link set eth1 mtu 1200");  // ends IPv6 there: ENXIO
  machine.remove({ipv6, route});
  CHECK(machine.held() == "192.0.2.10/24 ");
  must(machine.netns, "ip link del eth1");
  machine.remove({ipv6, ipv4, route});
  // An address with another length is a different one and stays, unless it has our tag.
  const AddressObject other = machine.address("198.51.100.10", 24, "eth2"),
                      longer = machine.address("198.51.100.10", 32, "eth2");
  machine.add({longer});
  const Inside inside(machine.netns);
  CHECK(machine.kernel->remove(std::vector<KernelObject>{other}) != std::vector<int>{0});
  CHECK(machine.held() == "198.51.100.10/32 ");
}
