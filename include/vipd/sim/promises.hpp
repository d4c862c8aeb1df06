/// Promises: rules that hold in each scenario, whatever happens in it.
///
/// - Two nodes that hear each other hold an address together for an advert interval at most. A lost packet between the
///   two starts that time anew, since a node cannot obey an advert that it has not heard. Two nodes that both stop keep
///   the address until they hear a third node. A node whose vipd does not run cannot release.
/// - All members of a sync group are Active or none is, except during a planned stop.
/// - An Active instance lacks none of its addresses for longer than 50 ms.
/// - Two hooks of one instance or group never run at once.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "vipd/sim/world.hpp"

namespace vipd::sim {

class Promises {
 public:
  /// `intervals` has the addresses that the nodes hold in turn, each with the longest advert interval of its instances.
  Promises(World& world, std::vector<std::string> names, std::map<IpAddress, Duration> intervals, bool may_overlap,
           bool may_split);

  /// Examines the world; to be called after each event.
  void look();
  /// Notes that a packet between two nodes was lost on a LAN.
  void lost(std::size_t from, std::size_t to, const std::string& lan);
  /// Notes that a hook of a node begins, and how long it takes.
  void hook_called(std::size_t node, const Command& command, Duration takes);
  /// Notes that the programs of a node have ended with its vipd.
  void forget(std::size_t node);

  /// A sentence with the time for each broken promise; each kind once.
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  using Together = std::tuple<std::size_t, std::size_t, IpAddress>;

  void break_promise(const std::string& kind, const std::string& sentence);
  void look_between(std::size_t a, std::size_t b, const IpAddress& address, Duration interval);
  void look_at_groups(std::size_t node);
  void look_at_addresses(std::size_t node);
  bool holds(std::size_t node, const IpAddress& address, const std::string& lan) const;

  World& world_;
  std::vector<std::string> names_;
  std::map<IpAddress, Duration> intervals_;
  bool may_overlap_, may_split_;
  TimePoint start_;
  std::map<Together, TimePoint> together_;                          // since when two nodes have an address
  std::map<std::pair<std::size_t, IpAddress>, TimePoint> lacking_;  // since when an Active instance lacks it
  std::map<std::pair<std::size_t, std::string>, TimePoint> hooks_;  // until when a hook runs, by its subject
  std::map<std::string, bool> kinds_;                               // kinds of promises that are broken already
  std::vector<std::string> broken_;
};

}  // namespace vipd::sim
