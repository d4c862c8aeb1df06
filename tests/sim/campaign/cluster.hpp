/// Cluster: carries a Scenario out, on production code in a fake world.
///
/// It starts the nodes, causes every fault at its time, and ends all faults at the end of the scenario. Then it waits
/// for the time that the configuration allows for settling. Then come the exact demands, one clean fault after the
/// other: the plug of the holder is pulled, the node comes back, an hour passes, it is stopped, and all others are
/// stopped. The Checker examines each event.
#pragma once

#include <map>
#include <string>

#include "checker.hpp"
#include "coverage.hpp"
#include "scenario.hpp"

namespace vipd::sim {

inline constexpr Duration kPatience = seconds(30);        ///< the wait after a failed claim, virtual_router.cpp
inline constexpr Duration kLongestHook = seconds(7);      ///< the timeout of a hook, and the time to kill it
inline constexpr Duration kLongestQuestion = seconds(2);  ///< before_active_timeout with its slack

struct Ending {
  std::string violation;  ///< the violation; empty if there is none
  std::uint64_t digest = 0;
  Duration lasted{};
};

class Cluster {
 public:
  /// With `tells`, prints all events.
  Cluster(const Scenario& scenario, Coverage& coverage, bool tells);
  Ending run();

 private:
  enum class Trouble : std::uint8_t { none, fails, hangs, cannot_start, lost };
  struct Place {
    Trouble hooks = Trouble::none, checks = Trouble::none;
    std::map<std::size_t, Interface> gone;  // removed interfaces, by LAN
    Config wanted;                          // the configuration in its file
    std::vector<Config> in_force;           // the configuration in force, and earlier ones whose objects may be left
  };

  void live();
  void add_nodes();
  void prepare(Node& node);
  Outcome fate_of(Place& place, const Command& command);
  void start(Node& node);
  void kill(Node& node);
  void put_in_force(Node& node, const Config& config);
  void put_right();
  void put_interfaces_right(Node& node);
  Duration settling() const;
  Duration moving() const;
  Duration takeover(const Node& without) const;
  void pull_the_plug();
  void be_quiet();

  // demands.cpp
  void meet_demands();
  void partition();
  void false_takeover();
  void come_back_late();
  void lose_second_interface();
  void recover_sending();
  void become_deaf();
  void change_group();
  void move_many();
  void without_move(Duration duration, const std::string& what);
  void without_hole(Duration duration, const std::string& what);
  Duration back(const Node& node) const;
  Node* best_but(const Node& node);
  void run_until(const std::function<bool()>& reached, Duration bound, const std::string& otherwise);
  void isolate(const Node& node, bool isolated);
  bool all_clients_reach(const Node& node) const;

  void stop_all();
  Node* holder();
  void tell(const std::string& what);
  void tell_transitions();

  // faults.cpp
  void carry_out(const Fault& fault);
  bool fault_of_process(const Fault& fault, Node& node);
  bool fault_of_lan(const Fault& fault, Node& node);
  bool fault_of_machine(const Fault& fault, Node& node);
  bool fault_of_program(const Fault& fault, Node& node);
  void noise(const Fault& fault);
  void for_a_while(const Fault& fault, double& chance, double value);
  void foreign_speaker(const Fault& fault);
  void attack(const Fault& fault, const Node& node);
  void garbage(const Fault& fault, const Node& node);
  void link_down(const Fault& fault, Node& node);
  void interface_gone(const Fault& fault, Node& node);
  void interface_back(Node& node, std::size_t lan);
  void move_source(const Fault& fault, Node& node);
  void delete_address(const Fault& fault, Node& node);
  void add_address(const Fault& fault, Node& node);
  void strangers(const Fault& fault, Node& node);
  void narrow_mtu(const Fault& fault, Node& node);
  void enslave(const Fault& fault, Node& node);
  void swap_interface(Node& node, std::size_t lan);
  void disturb_kernel(const Fault& fault, Node& node);
  void disturb_wire(const Fault& fault, Node& node);
  void set_clock(const Fault& fault, const Node& node) const;
  void reload(const Fault& fault, Node& node);
  void apply(Node& node, const Config& config);
  void send_to_all(std::size_t lan, const InstanceConfig& instance, const Packet& packet);
  const InstanceConfig& instance_on(const Node& node, std::size_t lan) const;

  const Scenario& scenario_;
  Coverage& coverage_;
  bool tells_;
  World world_;
  Checker checker_;
  std::vector<Place> places_;
  std::map<std::size_t, std::uint64_t> told_;  // the last printed transition of each node
};

Ending run_scenario(const Scenario& scenario, Coverage& coverage, bool tells = false);

}  // namespace vipd::sim
