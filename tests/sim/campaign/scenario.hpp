/// Scenario: one cluster and all that befalls it, drawn from one seed.
///
/// Values only: the same seed is the same scenario with any compiler, since nothing is drawn by the library's
/// distributions, whose results no standard says. Faults are a list, so that a failing scenario can be cut down to the
/// few that matter (shrink.hpp). Who carries it out is the Cluster.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "vipd/sim/world.hpp"

namespace vipd::sim {

/// What is drawn, by splitmix64.
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
  stop,         ///< planned
  start,        ///< if it does not run
  restart,      ///< a crash, and systemd starts it again
  reexec,       ///< another program goes on
  pause,        ///< the process does not run for a while
  cut,          ///< two nodes do not hear each other
  cut_one_way,  ///< one does not hear the other
  join,         ///< ends both of these for a pair
  loss,         ///< of packets, for a while; so are the next five
  duplication,
  lateness,  ///< beyond later ones
  corruption,
  loop,               ///< own packets come back
  foreign_speaker,    ///< another implementation takes part for a while, and hears nobody
  attack,             ///< valid adverts from whoever likes
  garbage,            ///< packets that nobody may take
  link_down,          ///< for a while
  interface_gone,     ///< and back with another index
  source_gone,        ///< the address that adverts leave from, for a while
  source_added,       ///< one that sorts before it
  address_deleted,    ///< a virtual one, by somebody
  address_added,      ///< a virtual one, by somebody, before we do
  kernel_refuses,     ///< additions, for a while; so are the next six
  kernel_keeps,       ///< what it is to remove
  kernel_misreports,  ///< what it has done
  kernel_slow,        ///< to tell
  send_errors,
  hook_trouble,   ///< hooks fail, hang or cannot be started
  check_trouble,  ///< likewise
  disk_full,
  clock_set,    ///< by years
  reload,       ///< of a valid configuration
  bad_reload,   ///< of one that is refused
  strangers,    ///< somebody adds an address and a route on our interfaces; some go again
  isolated,     ///< a node is behind a switch of its own: nobody reaches it, the link stays
  forgotten,    ///< a node's neighbour table is flushed
  second_down,  ///< the link of an interface that only an address needs
  narrow_mtu,   ///< less than IPv6 needs, for a while
  swapped,      ///< the interface goes and comes back with the same index, while the process does not run
  enslaved,     ///< the interface is a port of a bridge or the like for a while
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::enslaved) + 1;

/// "crash", "power_loss", …
std::string_view to_string(FaultKind kind);

/// What only some clusters have: a part of the world, what befalls it, and a demand at the end (demands.cpp).
enum class Trait : std::uint8_t {
  strangers,         ///< others have addresses and routes where ours are
  partition,         ///< beyond the links, so that nobody sees it; the clients come back when it heals
  false_takeover,    ///< adverts are lost on the way to a Backup router, which takes over for a moment
  neighbours,        ///< who speaks by unicast has to find its neighbours
  second_interface,  ///< an address or a route is on an interface of its own
  sending,           ///< errors begin, and end
  deaf,              ///< the kernel drops memberships of the group, or gives to others what comes in
  many,              ///< so many addresses that each takes its time
  grouping,          ///< a sync group gets and loses members
  macvlan_parent,    ///< the interface is a macvlan itself, and so is the virtual MAC on it
  duplicates,        ///< IPv6 addresses are looked for before they are used
};
inline constexpr std::size_t kTraits = static_cast<std::size_t>(Trait::duplicates) + 1;
using Traits = std::bitset<kTraits>;

/// "strangers", …
std::string_view to_string(Trait trait);

struct Fault {
  Duration at{};  ///< from the start of the cluster
  FaultKind kind = FaultKind::crash;
  std::uint8_t node = 0, other = 0, lan = 0;
  Duration length{};       ///< of what lasts
  std::uint64_t dice = 0;  ///< for what else there is to choose
};

/// "12.3s crash of node 2"
std::string to_string(const Fault& fault);

struct Scenario {
  bool has(Trait trait) const { return traits[static_cast<std::size_t>(trait)]; }

  std::uint64_t seed = 0;
  Traits traits;
  std::vector<Config> configs;  ///< of each node
  std::vector<Fault> faults;    ///< in order of time
  Duration length{};            ///< until the last one is over
  Duration quiet{};             ///< how long nothing happens at the end
};

/// What matters of a node's configuration, in a line.
std::string summary(const Config& config);

/// With some traits, or with exactly these.
Scenario draw_scenario(std::uint64_t seed, const Traits& traits = {});

/// With a third member in its sync group.
Config with_third_member(const Config& config);

/// One of the valid configurations that a node may be told to take up in place of its own.
Config reloaded(const Config& config, std::uint64_t dice);

}  // namespace vipd::sim
