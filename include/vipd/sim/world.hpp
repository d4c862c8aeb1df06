/// World: the surroundings of nodes that run the daemon's production code in virtual time: kernels that hold addresses
/// and can refuse, a LAN that loses packets, programs that take their time, and a clock that the test owns. It fakes
/// the world, not the calls: what a node gets to see is what its kernel and its LAN would have told it. Everything
/// happens in one thread, in virtual time, by one seed.
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

/// The Wire of one node: what it sends reaches the World's LANs.
class SimWire final : public Wire {
 public:
  SimWire(World& world, std::size_t node) : world_(world), node_(node) {}
  Result<TimePoint> listen(int ifindex, Family, const std::bitset<256>& vrids, bool group) override;
  void leave(int ifindex, Family family) override { listening.erase({ifindex, family}); }
  Result<std::set<std::pair<int, Family>>> memberships() const override;
  /// The kernel drops a membership, and the socket goes on to believe in it.
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
    bool group = false;   ///< joined, as the node believes
    bool member = false;  ///< the kernel's truth: false once it has dropped the membership
  };
  std::map<std::pair<int, Family>, Socket> listening;
  WatchedAddresses watched;  ///< overhear()
  std::vector<std::pair<TimePoint, std::vector<std::uint8_t>>> announced;
  Duration joining_takes{};                       ///< listen()
  std::function<int()> fault = [] { return 0; };  ///< errno for what is sent and for listen()

 private:
  Result<void> send(int ifindex, const IpAddress& source, const IpAddress& destination,
                    std::span<const std::uint8_t> message);

  World& world_;
  std::size_t node_;
};

/// Programs that run for a random while; records who was called with what, and that never two ran at once.
class SimRunner final : public Runner {
 public:
  explicit SimRunner(World& world, std::size_t node = 0) : world_(world), node_(node) {}
  void run(const Command& command, Done done) override;

  std::vector<Command> started;
  /// Told of each start.
  std::function<void(const Command&)> on_start = [](const Command&) {};
  /// Told of each end, with the first variable of the environment.
  std::function<void(const std::string& subject)> on_end = [](const std::string&) {};
  int running = 0;
  int most_at_once = 0;
  /// How it ends.
  std::function<Outcome(const Command&)> outcome = [](const Command&) { return Outcome{}; };
  /// How long a program runs.
  std::function<Duration()> duration = [] { return Duration(milliseconds(5)); };
  /// In place of both, where it is set.
  std::function<Outcome(const Command&)> fate;

 private:
  World& world_;
  std::size_t node_;
  /// Answers that come after the runner is gone go nowhere.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

 public:
  ~SimRunner() override { *alive_ = false; }
};

/// An advert on its way, for tests that look at them.
struct SentAdvert {
  TimePoint time;
  std::size_t node;
  std::uint8_t priority;
};

inline constexpr const char* kClaimsFile = "claims";  ///< of a node, in its store

/// One simulated server: the production Supervisor on a SimKernel, a SimWire and a SimRunner.
class Node {
 public:
  Node(World& world, std::size_t index, Config config);

  /// `before`: what the configurations had that were in force before, if others than this one.
  void start(const std::vector<InstanceConfig>& before = {});
  /// SIGKILL: the process is gone; its addresses and its files stay.
  void kill();
  /// The plug: process and addresses are gone.
  void power_off();
  /// A reload, with this in the files.
  void apply(const Config& wanted);
  /// SIGTERM.
  void stop();
  /// SIGSTOP, and SIGCONT after `duration`: what arrives meanwhile waits.
  void sleep(Duration duration);
  bool asleep() const;
  bool alive() const { return supervisor != nullptr; }
  /// Was stopped, and is done with it.
  bool leaving() const { return leaving_; }
  bool has_left() const { return alive() && leaving_ && supervisor->stopped(); }
  bool active() const { return alive() && router().shown() == ShownState::active; }
  const VirtualRouter& router() const { return *supervisor->routers().front(); }

  std::size_t index;
  Config config;
  SimKernel kernel;
  SimWire wire;
  SimStore store;          ///< outlives the process
  bool disk_full = false;  ///< true while what the process has kept is lost with it
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
  bool hostile = false;              ///< nobody may take it
};

/// Appends what stands before a message of `size` octets when a raw socket delivers it (RFC 791).
void append_ipv4_header(std::vector<std::uint8_t>& packet, const IpAddress& source, const IpAddress& destination,
                        std::size_t size, std::uint8_t hop_limit = 255);

/// What goes wrong on the LANs, each for itself: chances of a packet to one receiver.
struct Noise {
  double duplicated = 0, late = 0, corrupted = 0, looped = 0;
  Duration late_by{};  ///< at most
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
  void at(Duration from_now, std::function<void()> what);
  /// The same for something that a node reads: not before it is awake.
  void at_node(std::size_t index, Duration from_now, const std::function<void()>& what);
  /// One of a node's programs does something, which changes nothing else in the world by itself.
  void at_program(std::size_t node, Duration from_now, std::function<void()> what);

  /// To the nodes on the LAN that are in the group, or to the one that has the address.
  void transmit(std::size_t from, const std::string& lan, const IpAddress& source, const IpAddress& destination,
                std::span<const std::uint8_t> message);
  /// Both directions between two nodes, on all LANs.
  void connect(std::size_t a, std::size_t b, bool connected);
  /// The same on one LAN, by the name of the interfaces.
  void connect(std::size_t a, std::size_t b, bool connected, const std::string& lan);
  /// Only what the first sends to the second.
  void connect_one_way(std::size_t from, std::size_t to, bool connected, std::size_t lan);
  bool hears(std::size_t from, std::size_t to, std::size_t lan) const {
    return (cut_[lan][from] >> to & 1) == 0 && now >= forwards_from[lan][from] && now >= forwards_from[lan][to];
  }
  /// What a node announces on an interface reaches the client and the switch.
  void announced(std::size_t from, int ifindex, std::span<const std::uint8_t> frame);
  /// The LAN of an interface: "eth0", or "vrrp4.51.eth0" on it.
  static std::size_t lan_below(std::string_view interface) {
    return lan_of(interface.substr(interface.rfind('.') + 1));
  }
  /// What any host announces on a LAN reaches the nodes that have such addresses themselves.
  void announce_to(std::size_t node, std::size_t lan, std::span<const std::uint8_t> frame, Duration later = {});
  /// Whether the client's packets for the address come to a node, going where client and switch believe.
  bool client_reaches(std::size_t lan, const IpAddress& address, std::size_t node) const;
  /// Whether the switch connects client and node.
  bool client_sees(std::size_t lan, std::size_t node) const;
  /// Another node on the LAN has the address, and the two can ask and answer each other.
  bool is_elsewhere(const IpAddress& address, std::size_t lan, std::size_t node) const;
  /// A node forgets who its neighbours are.
  void flush_neighbours(std::size_t node);
  bool connected(std::size_t a, std::size_t b, const std::string& lan = "eth0") const;

  /// Puts a packet on the way to one node.
  void send(Packet packet, std::size_t to, Duration delay);
  /// The supervisor of a node was told something: its deadline may be another.
  void touch(Node& node);

  std::size_t holders() const;
  /// 0 or more, less than 1.
  double chance() { return static_cast<double>(random() >> 11U) * 0x1p-53; }
  bool happens(double probability) { return probability > 0 && chance() < probability; }
  /// What this compiler's library draws is what any other's would.
  Duration between(Duration low, Duration high);

  TimePoint now{seconds(1000)};
  std::mt19937_64 random;
  double loss = 0;  ///< of each packet to each receiver
  Noise noise;
  std::array<Client, kLans.size()> clients;  ///< one on each LAN
  bool resolves = false;                     ///< who speaks by unicast has to know its neighbour's MAC
  Duration delay_low = microseconds(50), delay_high = microseconds(500);
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<SentAdvert> adverts;
  bool keeps_records = true;  ///< adverts, announcements and commands
  /// Told of each advert when it is sent, with the LAN and the message.
  std::function<void(const SentAdvert&, std::size_t, std::span<const std::uint8_t>)> on_advert;
  /// Told of each announcement.
  std::function<void(std::size_t node, std::span<const std::uint8_t> frame)> on_announced;
  /// Told of each process before it does anything.
  std::function<void(Node&)> on_start;
  /// Sees each step of each router of the nodes that start from now on.
  StepObserver on_step;
  /// Told of each process that has left, while it is still there.
  std::function<void(Node&)> on_leave;
  /// Told of a node that has removed what is not its own: an address or route of others is gone.
  std::function<void(std::size_t)> on_harm;
  /// Called around the delivery of a hostile packet to a node; the second time it is over.
  std::function<void(Node&, const Packet&, bool)> on_hostile;
  std::function<void()> after_each = [] {};
  std::uint64_t changes = 0;  ///< of kernels, and whatever is not a packet, a deadline or the end of a program
  std::uint32_t touched = 0;  ///< a bit for each node that may have done something; whoever looks clears it
  unsigned leaving = 0;       ///< nodes that are
  std::uint64_t digest = 0;   ///< of all that note() was told, and when
  void note(std::uint64_t what);
  /// Called when a packet from the first node did not reach the second on a LAN.
  std::function<void(std::size_t, std::size_t, const std::string&)> on_lost = [](auto, auto, const auto&) {};
  /// From when on the switch forwards what comes from a node's port and goes there, by LAN.
  std::array<std::array<TimePoint, kMostNodes>, kLanCount> forwards_from{};

 private:
  /// A packet for a node, or something else that happens.
  struct Planned {
    TimePoint time;
    std::uint64_t order;
    std::uint32_t index;  // of the packet or the task
    std::uint32_t node;   // kTask: a task; with kOfProgram: a task of a program of the node
    bool operator<(const Planned& other) const { return std::tie(other.time, other.order) < std::tie(time, order); }
  };
  struct Pooled {
    Packet packet;
    unsigned receivers = 0;  // still to come
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

  std::vector<Planned> planned_;  // a heap
  std::uint64_t order_ = 0;
  std::deque<Pooled> packets_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::uint32_t> free_packets_, free_tasks_;
  std::map<std::tuple<std::size_t, std::size_t, IpAddress>, Neighbour> neighbours_;  // by node, LAN and address
  std::array<std::array<std::uint32_t, kMostNodes>, kLanCount> cut_{};  // by sender, a bit for each receiver
  std::array<TimePoint, kMostNodes> due_{};                             // the supervisors' deadlines, see touch()
};

/// An instance as the tests use it.
InstanceConfig web_instance(std::uint8_t priority);

/// A seed from VIPD_SEED, or a fixed one so that a plain run is repeatable.
std::uint64_t seed_from_environment(std::uint64_t otherwise);

}  // namespace vipd::sim
