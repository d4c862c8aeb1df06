/// World: the surroundings of nodes that run the production code of the daemon in virtual time.
///
/// Its kernels hold addresses and can refuse, its LANs lose packets, its programs take time, and the test owns its
/// clock. It fakes the world, not the calls: a node sees what its kernel and its LAN would tell it. Everything happens
/// in one thread, in virtual time, by one seed.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "vipd/node/supervisor.hpp"
#include "vipd/sim/clients.hpp"
#include "vipd/sim/sim_kernel.hpp"
#include "vipd/sim/sim_store.hpp"

namespace vipd::sim {

/// The Wire of one node: its packets go to the LANs of the World.
class SimWire final : public Wire {
 public:
  SimWire(World& world, std::size_t node) : world_(world), node_(node) {}
  Result<TimePoint> listen(int ifindex, Family, const std::bitset<256>& vrids, bool group) override;
  void leave(int ifindex, Family family) override { listening.erase({ifindex, family}); }
  Result<std::set<std::pair<int, Family>>> memberships() const override;
  /// The kernel drops a membership of which the node does not learn.
  void drop_membership(int ifindex, Family family);
  void send(int ifindex, const IpAddress& source, const IpAddress& destination, std::span<const std::uint8_t> message,
            Sent sent) override {
    sent(send(ifindex, source, destination, message));
  }
  Result<void> announce(int ifindex, std::span<const std::uint8_t> frame) override;
  Result<void> overhear(const WatchedAddresses& addresses) override {
    watched = addresses;
    return {};
  }

  struct Socket {
    std::bitset<256> vrids;
    bool group = false;   ///< true if the node believes that it has joined
    bool member = false;  ///< true if the kernel has the membership
  };
  std::map<std::pair<int, Family>, Socket> listening;
  WatchedAddresses watched;  ///< the argument of the last overhear()
  std::vector<std::pair<TimePoint, std::vector<std::uint8_t>>> announced;
  Duration joining_takes{};                       ///< how long listen() takes
  std::function<int()> fault = [] { return 0; };  ///< the errno of send() and listen(); 0 = success

 private:
  Result<void> send(int ifindex, const IpAddress& source, const IpAddress& destination,
                    std::span<const std::uint8_t> message);

  World& world_;
  std::size_t node_;
};

/// The programs of one node. It records each command, and the most programs that ran at once.
class SimRunner final : public Runner {
 public:
  explicit SimRunner(World& world, std::size_t node = 0) : world_(world), node_(node) {}
  void run(const Command& command, Done done) override;

  std::vector<Command> started;
  /// Called at each start.
  std::function<void(const Command&)> on_start = [](const Command&) {};
  /// Called at each end, with the first variable of the environment.
  std::function<void(const std::string& subject)> on_end = [](const std::string&) {};
  int running = 0;
  int most_at_once = 0;
  /// How a program ends.
  std::function<Outcome(const Command&)> outcome = [](const Command&) { return Outcome{}; };
  /// How long a program runs.
  std::function<Duration()> duration = [] { return Duration(milliseconds(5)); };
  /// Decides outcome and duration in place of both functions, if it is set.
  std::function<Outcome(const Command&)> fate;

 private:
  World& world_;
  std::size_t node_;
  /// False once the runner is gone: later answers are dropped.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

 public:
  ~SimRunner() override { *alive_ = false; }
};

/// An advert that was sent, for tests.
struct SentAdvert {
  TimePoint time;
  std::size_t node;
  std::uint8_t priority;
};

inline constexpr const char* kClaimsFile = "claims";  ///< the name of the claims in the store of a node

/// One simulated server: the production Supervisor on a SimKernel, a SimWire and a SimRunner.
class Node {
 public:
  Node(World& world, std::size_t index, Config config);

  /// Starts vipd. `before` has the instances of other configurations that were in force before.
  void start(const std::vector<InstanceConfig>& before = {});
  /// SIGKILL: the process ends; its addresses and its files stay.
  void kill();
  /// The plug is pulled: process and addresses are gone.
  void power_off();
  /// A reload, with this configuration in the files.
  void apply(const Config& wanted);
  /// SIGTERM.
  void stop();
  /// SIGSTOP, and SIGCONT after `duration`: packets that arrive meanwhile wait.
  void sleep(Duration duration);
  bool asleep() const;
  bool alive() const { return supervisor != nullptr; }
  /// `leaving` is true from the stop on; `has_left` is true once the stop is complete.
  bool leaving() const { return leaving_; }
  bool has_left() const { return alive() && leaving_ && supervisor->stopped(); }
  bool active() const { return alive() && router().shown() == ShownState::active; }
  const VirtualRouter& router() const { return *supervisor->routers().front(); }

  std::size_t index;
  Config config;
  SimKernel kernel;
  SimWire wire;
  SimStore store;          ///< outlives the process
  bool disk_full = false;  ///< true while the disk is full: writes are lost with the process
  std::string journal;     ///< the name of the HookJournal in the store; empty: none is kept
  std::unique_ptr<ClaimStore> claims;
  std::unique_ptr<SimRunner> runner;
  std::unique_ptr<Supervisor> supervisor;
  bool powered = true;
  TimePoint asleep_until{};

 private:
  World& world_;
  bool leaving_ = false;
};

/// A message on its way to some nodes.
struct Packet {
  std::size_t lan = 0;
  Family family = Family::ipv4;
  IpAddress source, destination;
  std::vector<std::uint8_t> octets;  ///< as a raw socket delivers it
  int hop_limit = 255;               ///< IPv6
  bool hostile = false;              ///< true if every node must refuse it
};

/// Appends the IPv4 header that a raw socket delivers before a message of `size` octets (RFC 791).
void append_ipv4_header(std::vector<std::uint8_t>& packet, const IpAddress& source, const IpAddress& destination,
                        std::size_t size, std::uint8_t hop_limit = 255);

/// Chances that a packet to one receiver is duplicated, late, corrupted or looped.
struct Noise {
  double duplicated = 0, late = 0, corrupted = 0, looped = 0;
  Duration late_by{};  ///< the longest delay of a late packet
};

class World {
 public:
  static constexpr std::size_t kMostNodes = 32, kLanCount = kLans.size();

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
  /// Plans an event.
  void at(Duration from_now, std::function<void()> what);
  /// Plans an event that a node reads: it happens once the node is awake.
  void at_node(std::size_t index, Duration from_now, const std::function<void()>& what);
  /// Plans an event of a node's program. By itself it changes nothing else in the world.
  void at_program(std::size_t node, Duration from_now, std::function<void()> what);

  /// Sends to the members of the group on the LAN, or to the node that has the address.
  void transmit(std::size_t from, const std::string& lan, const IpAddress& source, const IpAddress& destination,
                std::span<const std::uint8_t> message);
  /// Connects or cuts two nodes in both directions, on all LANs.
  void connect(std::size_t a, std::size_t b, bool connected);
  /// Connects or cuts two nodes on one LAN, named after its interfaces.
  void connect(std::size_t a, std::size_t b, bool connected, const std::string& lan);
  /// Connects or cuts the direction from the first node to the second.
  void connect_one_way(std::size_t from, std::size_t to, bool connected, std::size_t lan);
  bool hears(std::size_t from, std::size_t to, std::size_t lan) const {
    return (cut_[lan][from] >> to & 1) == 0 && now >= forwards_from[lan][from] && now >= forwards_from[lan][to];
  }
  /// Delivers an announcement of a node to the client and the switch.
  void announced(std::size_t from, int ifindex, std::span<const std::uint8_t> frame);
  /// The LAN of an interface such as "eth0", or of "vrrp4.51.eth0" on it.
  static std::size_t lan_below(std::string_view interface) {
    return lan_of(interface.substr(interface.rfind('.') + 1));
  }
  /// Delivers an announcement of any host to a node that watches such addresses.
  void announce_to(std::size_t node, std::size_t lan, std::span<const std::uint8_t> frame, Duration later = {});
  /// True if the client's packets to the address reach the node, by the beliefs of client and switch.
  bool client_reaches(std::size_t lan, const IpAddress& address, std::size_t node) const;
  /// True if the switch connects client and node.
  bool client_sees(std::size_t lan, std::size_t node) const;
  /// True if another node on the LAN has the address, and the two nodes hear each other.
  bool is_elsewhere(const IpAddress& address, std::size_t lan, std::size_t node) const;
  /// Deletes the neighbour entries of a node.
  void flush_neighbours(std::size_t node);
  bool connected(std::size_t a, std::size_t b, const std::string& lan = "eth0") const;

  /// Puts a packet on the way to one node.
  void send(Packet packet, std::size_t to, Duration delay);
  /// Notes that the supervisor of a node was told something, so its deadline may have changed.
  void touch(Node& node);

  std::size_t holders() const;
  /// A random number in [0, 1).
  double chance() { return static_cast<double>(random() >> 11U) * 0x1p-53; }
  bool happens(double probability) { return probability > 0 && chance() < probability; }
  /// A random duration. It does not depend on the compiler's library.
  Duration between(Duration low, Duration high);

  TimePoint now{seconds(1000)};
  std::mt19937_64 random;
  double loss = 0;  ///< the chance that a packet does not reach a receiver
  Noise noise;
  std::array<Client, kLans.size()> clients;  ///< the clients, one on each LAN
  bool resolves = false;                     ///< true if unicast needs the MAC of the neighbour
  Duration delay_low = microseconds(50), delay_high = microseconds(500);
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<SentAdvert> adverts;
  bool keeps_records = true;  ///< true while adverts, announcements and commands are recorded
  /// Called when an advert is sent, with the LAN and the message.
  std::function<void(const SentAdvert&, std::size_t, std::span<const std::uint8_t>)> on_advert;
  /// Called at each announcement.
  std::function<void(std::size_t node, std::span<const std::uint8_t> frame)> on_announced;
  /// Called for each new process before it does anything.
  std::function<void(Node&)> on_start;
  /// Sees each step of each router of the nodes that start from now on.
  StepObserver on_step;
  /// Called for each process that has left, before it is destroyed.
  std::function<void(Node&)> on_leave;
  /// Called when a node has removed an address or a route of others.
  std::function<void(std::size_t)> on_harm;
  /// Called before and after the delivery of a hostile packet to a node; true means after.
  std::function<void(Node&, const Packet&, bool)> on_hostile;
  std::function<void()> after_each = [] {};
  std::uint64_t changes = 0;  ///< events but packets, deadlines and ends of programs
  std::uint32_t touched = 0;  ///< a bit for each node that may have done something; the reader clears it
  unsigned leaving = 0;       ///< how many nodes are leaving
  std::uint64_t digest = 0;   ///< the digest of all arguments of note(), with their times
  void note(std::uint64_t what);
  /// Called when a packet from the first node did not reach the second on a LAN.
  std::function<void(std::size_t, std::size_t, const std::string&)> on_lost = [](auto, auto, const auto&) {};
  /// When the switch begins to forward packets of a node's port, by LAN.
  std::array<std::array<TimePoint, kMostNodes>, kLanCount> forwards_from{};

 private:
  /// A packet for a node, or another event.
  struct Planned {
    TimePoint time;
    std::uint64_t order;
    std::uint32_t index;  // the index of the packet or the task
    std::uint32_t node;   // the receiver; kTask for a task; with kOfProgram, the node of a program
    bool operator<(const Planned& other) const { return std::tie(other.time, other.order) < std::tie(time, order); }
  };
  struct Pooled {
    Packet packet;
    unsigned receivers = 0;  // how many receivers have not got it yet
  };
  static constexpr std::uint32_t kTask = ~0U, kOfProgram = 1U << 31U;

  std::uint32_t pooled_task(std::function<void()> what);
  void plan(TimePoint time, std::uint32_t index, std::uint32_t node);
  void carry_out(const Planned& planned);
  void carry_out_task(const Planned& planned);
  void bury_those_who_left();
  std::uint32_t pooled_packet();
  void spread(std::uint32_t index, std::size_t from);
  bool leaves(const Packet& packet, std::size_t from);
  void post(std::uint32_t index, std::size_t to, Duration delay);
  void damage(Packet& packet);
  void send_hostile(Packet packet, std::size_t to);
  void deliver(const Packet& packet, Node& receiver);
  void fire_deadlines();
  TimePoint next_deadline();

  std::vector<Planned> planned_;  // a heap of the coming events
  std::uint64_t order_ = 0;
  std::deque<Pooled> packets_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::uint32_t> free_packets_, free_tasks_;
  std::map<std::tuple<std::size_t, std::size_t, IpAddress>, Neighbour> neighbours_;  // by node, LAN and address
  std::array<std::array<std::uint32_t, kMostNodes>, kLanCount> cut_{};  // by sender, a bit for each receiver
  std::array<TimePoint, kMostNodes> due_{};                             // the deadlines of the supervisors, see touch()
};

/// The instance "web" of the tests.
InstanceConfig web_instance(std::uint8_t priority);

/// The seed in VIPD_SEED; otherwise a fixed one, so a plain run is repeatable.
std::uint64_t seed_from_environment(std::uint64_t otherwise);

}  // namespace vipd::sim
