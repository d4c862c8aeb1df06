/// Scenario: one cluster and all its faults, drawn from one seed.
///
/// A scenario consists of values. A seed gives the same scenario with any compiler, since the distributions of the
/// standard library, whose results differ, are not used. Faults are a list, so a failing scenario can be reduced to the
/// few that matter (shrink.hpp). The Cluster carries it out.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "vipd/sim/world.hpp"

namespace vipd::sim {

/// Random numbers by splitmix64.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  Duration between(Duration low, Duration high);
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

enum class FaultKind : std::uint8_t {
  crash,        ///< SIGKILL: the addresses stay
  power_loss,   ///< process and addresses are gone
  stop,         ///< a planned stop
  start,        ///< vipd starts if it does not run
  restart,      ///< a crash, and systemd starts it again
  reexec,       ///< another program takes over the process
  pause,        ///< the process does not run for a while
  cut,          ///< two nodes do not hear each other
  cut_one_way,  ///< one does not hear the other
  join,         ///< ends both kinds of cuts for a pair
  loss,         ///< packets are lost for a while; the next five last a while, too
  duplication,
  lateness,  ///< packets are overtaken by later ones
  corruption,
  loop,               ///< own packets come back
  foreign_speaker,    ///< another implementation takes part for a while, and hears no adverts
  attack,             ///< valid adverts from an attacker
  garbage,            ///< packets that every node must refuse
  link_down,          ///< the link is down for a while
  interface_gone,     ///< the interface vanishes and returns with another index
  source_gone,        ///< the source address of adverts vanishes for a while
  source_added,       ///< an address that sorts before the source is added
  address_deleted,    ///< others delete a virtual address
  address_added,      ///< others add a virtual address before vipd does
  kernel_refuses,     ///< the kernel refuses additions for a while; the next six last a while, too
  kernel_keeps,       ///< the kernel refuses removals
  kernel_misreports,  ///< the kernel reports errors for changes that it made
  kernel_slow,        ///< the kernel reports changes late
  send_errors,
  hook_trouble,   ///< hooks fail, hang or cannot be started
  check_trouble,  ///< checks fail, hang or cannot be started
  disk_full,
  clock_set,    ///< the clock is set by years
  reload,       ///< a reload of a valid configuration
  bad_reload,   ///< a reload of a refused configuration
  strangers,    ///< others add an address and a route on our interfaces; some vanish again
  isolated,     ///< no node reaches this node, whose link stays up
  forgotten,    ///< a node's neighbour table is flushed
  second_down,  ///< the link of an interface that only an address needs
  narrow_mtu,   ///< the MTU is less than IPv6 needs for a while
  swapped,      ///< the interface is replaced by one with the same index while the process is stopped
  enslaved,     ///< the interface is a port of a bridge or the like for a while
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::enslaved) + 1;

/// The name of a kind: "crash", "power_loss", …
std::string_view to_string(FaultKind kind);

/// A trait that only some clusters have: a part of the world, its faults, and a demand at the end (demands.cpp).
enum class Trait : std::uint8_t {
  strangers,         ///< others have addresses and routes where ours are
  partition,         ///< a partition beyond the links; the clients come back when it heals
  false_takeover,    ///< adverts are lost on the way to a Backup router, which takes over for a moment
  neighbours,        ///< unicast nodes need the MACs of their neighbours
  second_interface,  ///< an address or a route is on an interface of its own
  sending,           ///< errors of sending begin and end
  deaf,              ///< the kernel drops memberships of the group, or the interface becomes a port
  many,              ///< so many addresses that adding them takes time
  grouping,          ///< a sync group gets and loses members
  macvlan_parent,    ///< the interface is a macvlan itself, and so is the virtual MAC on it
  duplicates,        ///< IPv6 addresses have duplicate address detection
};
inline constexpr std::size_t kTraits = static_cast<std::size_t>(Trait::duplicates) + 1;
using Traits = std::bitset<kTraits>;

/// The name of a trait: "strangers", …
std::string_view to_string(Trait trait);

struct Fault {
  Duration at{};  ///< from the start of the cluster
  FaultKind kind = FaultKind::crash;
  std::uint8_t node = 0, other = 0, lan = 0;
  Duration length{};       ///< the length of a lasting fault
  std::uint64_t dice = 0;  ///< the seed of further choices
};

/// A fault as text: "12.3s crash of node 2".
std::string to_string(const Fault& fault);

struct Scenario {
  bool has(Trait trait) const { return traits[static_cast<std::size_t>(trait)]; }

  std::uint64_t seed = 0;
  Traits traits;
  std::vector<Config> configs;  ///< the configuration of each node
  std::vector<Fault> faults;    ///< the faults in the order of their times
  Duration length{};            ///< the time until the last fault is over
  Duration quiet{};             ///< the time without events at the end
};

/// The main settings of a node's configuration, in a line.
std::string summary(const Config& config);

/// Draws a scenario with some traits, or with exactly these.
Scenario draw_scenario(std::uint64_t seed, const Traits& traits = {});

/// `config` with a third member in its sync group.
Config with_third_member(const Config& config);

/// One of the valid configurations that a node may be told to take up in place of its own.
Config reloaded(const Config& config, std::uint64_t dice);

}  // namespace vipd::sim
