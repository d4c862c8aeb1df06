// A world for the daemon's production code: kernels that hold addresses and can refuse, a LAN that loses packets,
// programs that take their time, and a clock that the test owns. It fakes the world, not the calls: what a node gets to
// see is what its kernel and its LAN would have told it. Everything happens in one thread, in virtual time, by one
// seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "vipd/daemon/supervisor.hpp"

namespace vipd::test {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class World;

/// The interfaces of a node. `real` is the kernel's truth; the view follows a little later, as netlink does.
class FakeKernel final : public Kernel {
 public:
  explicit FakeKernel(World& world, std::size_t node) : world_(world), node_(node) {}
  const NetworkView& view() const override { return view_; }
  std::vector<int> add(std::span<const KernelObject> objects) override;
  std::vector<int> remove(std::span<const KernelObject> objects) override;
  bool forwards_ipv6(const std::string&) const override { return false; }
  int add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) override;
  int set_link(int ifindex, bool up, const std::string& alias) override;
  int remove_link(int ifindex) override;
  std::optional<int> setting(const std::string& name) const override;
  int set_setting(const std::string& name, int value) override;
  Result<void> refuse_packets(std::span<const IpAddress> addresses) override;
  Result<void> accept_packets(std::span<const IpAddress> addresses) override;

  /// An interface's truth; null while it does not exist.
  Interface* real(const std::string& name = "eth0");
  bool has(const IpAddress& address) const;
  /// Call after changing `real`: the view follows, and the node is told.
  void changed();
  /// The node reads everything anew, as at its start.
  void catch_up();

  std::map<int, Interface> real_;
  std::map<std::string, int> settings;  ///< below /proc/sys/net; what is not in it does not exist
  std::set<IpAddress> refused;          ///< packets to these are not taken in
  bool can_refuse = true;               ///< the machine has nf_tables
  std::set<std::string> read_only;      ///< settings that cannot be written
  std::set<RouteObject> real_routes_;   ///< ours, as the kernel tells of them
  std::set<RuleObject> real_rules_;
  std::set<RouteObject> foreign_routes_;                                                   ///< in the way, not shown
  std::function<int(const KernelObject&)> refuse = [](const KernelObject&) { return 0; };  ///< errno for an add

 private:
  int add_one(const KernelObject& object);
  int remove_one(const KernelObject& object);
  void link_changed(int ifindex);

  World& world_;
  std::size_t node_;
  NetworkView view_;
};

class FakeWire final : public Wire {
 public:
  FakeWire(World& world, std::size_t node) : world_(world), node_(node) {}
  Result<void> listen(int ifindex, Family, const std::bitset<256>& vrids, bool group) override;
  void leave(int ifindex, Family) override { listening.erase(ifindex); }
  Result<void> send(int ifindex, const IpAddress& source, const IpAddress& destination,
                    std::span<const std::uint8_t> message) override;
  Result<void> announce(int ifindex, std::span<const std::uint8_t> frame) override;

  struct Socket {
    std::bitset<256> vrids;
    bool group = false;
  };
  std::map<int, Socket> listening;  ///< by interface
  std::vector<std::pair<TimePoint, std::vector<std::uint8_t>>> announced;

 private:
  World& world_;
  std::size_t node_;
};

/// Programs that run for a random while; records who was called with what, and that never two ran at once.
class FakeRunner final : public Runner {
 public:
  explicit FakeRunner(World& world) : world_(world) {}
  void run(const Command& command, Done done) override;

  std::vector<Command> started;
  int running = 0;
  int most_at_once = 0;
  /// How it ends.
  std::function<Outcome(const Command&)> outcome = [](const Command&) { return Outcome{}; };
  /// How long a program runs.
  std::function<Duration()> duration = [] { return Duration(milliseconds(5)); };

 private:
  World& world_;
  /// Answers that come after the runner is gone go nowhere.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

 public:
  ~FakeRunner() override { *alive_ = false; }
};

/// An advert on its way, for tests that look at them.
struct SentAdvert {
  TimePoint time;
  std::size_t node;
  std::uint8_t priority;
};

class Node {
 public:
  Node(World& world, std::size_t index, Config config);

  void start();
  /// SIGKILL: the process is gone, its addresses stay.
  void kill();
  /// The plug: process and addresses are gone.
  void power_off();
  /// SIGTERM.
  void stop();
  /// SIGSTOP, and SIGCONT after `duration`: what arrives meanwhile waits.
  void sleep(Duration duration);
  bool asleep() const;
  bool alive() const { return supervisor != nullptr; }
  /// Was stopped, and is done with it.
  bool has_left() const { return alive() && leaving_ && supervisor->stopped(); }
  bool active() const { return alive() && router().shown() == ShownState::active; }
  const VirtualRouter& router() const { return *supervisor->routers().front(); }

  std::size_t index;
  Config config;
  FakeKernel kernel;
  FakeWire wire;
  ClaimStore claims;  ///< outlives the process, as its file does
  std::unique_ptr<FakeRunner> runner;
  std::unique_ptr<Supervisor> supervisor;
  TimePoint asleep_until{};

 private:
  World& world_;
  bool leaving_ = false;
};

class World {
 public:
  /// VIPD_LOG=1 in the environment shows what the nodes log.
  explicit World(std::uint64_t seed);

  /// Adds a node with one instance "web" (VRID 51) and its own address 192.0.2.(index + 1) or fe80::(index + 1) on
  /// eth0.
  Node& add_node(std::uint8_t priority, const std::function<void(InstanceConfig&)>& adjust = {});
  /// Adds a node with each interface that an instance names: eth0, eth1 (198.51.100.x) or eth2 (203.0.113.x), each on a
  /// LAN of its own.
  Node& add_node(const Config& config);

  /// Lets virtual time pass; `after_each` is called after every event.
  void run_for(Duration duration);
  void at(Duration from_now, std::function<void()> what);
  /// The same for something that a node reads: not before it is awake.
  void at_node(std::size_t index, Duration from_now, const std::function<void()>& what);

  /// To the nodes on the LAN that are in the group, or to the one that has the address.
  void transmit(std::size_t from, const std::string& lan, const IpAddress& source, const IpAddress& destination,
                std::span<const std::uint8_t> message);
  /// Both directions between two nodes, on all LANs.
  void connect(std::size_t a, std::size_t b, bool connected);
  /// The same on one LAN, by the name of the interfaces.
  void connect(std::size_t a, std::size_t b, bool connected, const std::string& lan);
  bool connected(std::size_t a, std::size_t b, const std::string& lan = "eth0") const {
    return !cut_.contains({lan, std::min(a, b), std::max(a, b)});
  }

  std::size_t holders() const;
  double chance() { return std::uniform_real_distribution<>(0, 1)(random); }
  Duration between(Duration low, Duration high);

  TimePoint now{seconds(1000)};
  std::mt19937_64 random;
  double loss = 0;  ///< of each packet to each receiver
  Duration delay_low = microseconds(50), delay_high = microseconds(500);
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<SentAdvert> adverts;
  std::function<void()> after_each = [] {};
  /// Called when a packet from the first node did not reach the second on a LAN.
  std::function<void(std::size_t, std::size_t, const std::string&)> on_lost = [](auto, auto, const auto&) {};

 private:
  struct Planned {
    TimePoint time;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Planned& other) const { return std::tie(other.time, other.order) < std::tie(time, order); }
  };
  TimePoint next_deadline() const;

  std::priority_queue<Planned> planned_;
  std::uint64_t order_ = 0;
  std::set<std::tuple<std::string, std::size_t, std::size_t>> cut_;
};

/// An instance as the tests use it.
InstanceConfig web_instance(std::uint8_t priority);

/// A seed from VIPD_SEED, or a fixed one so that a plain run is repeatable.
std::uint64_t seed_from_environment(std::uint64_t otherwise);

}  // namespace vipd::test
