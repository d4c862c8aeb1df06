/// Timeline: the events of a World, written for an operator, one line for each event.
///
/// It examines the nodes after each event and writes the changes: states of instances and sync groups with their
/// reasons, addresses that a kernel gets or loses, the priority in the adverts, hooks. It measures how long no node, or
/// several nodes, have an address. A node whose vipd has crashed still has its addresses, since its kernel answers for
/// them; a node without a link or power has none.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "vipd/sim/world.hpp"

namespace vipd::sim {

class Timeline {
 public:
  /// `names` are those of the nodes, by index. `addresses` are those that the nodes hold in turn.
  Timeline(World& world, std::vector<std::string> names, std::vector<IpAddress> addresses);

  /// Writes what the scenario does.
  void say(const std::string& words);
  /// Examines all nodes, and writes the changes since the last call.
  void look();
  /// Writes the state of all nodes.
  void show();
  /// Notes that the vipd of a node is another process now, whose transitions begin anew.
  void forget(std::size_t node);
  /// Writes that a stopped vipd has ended.
  void left(std::size_t node);
  void hook_called(std::size_t node, const Command& command);
  void advert_sent(const SentAdvert& advert, std::size_t lan, std::span<const std::uint8_t> message);
  /// Writes an announcement. Several announcements of one address within a second are one line.
  void announced(std::size_t node, std::span<const std::uint8_t> frame);
  /// Writes the last lines: the state of all nodes, and each address that not exactly one node has.
  void end();
  std::string text() const;

  /// The longest time for which no node had an address that a node had had before.
  Duration longest_gap() const { return longest_gap_; }

 private:
  struct Line {
    TimePoint time;
    std::string who;  ///< the name of a node, or "--"
    std::string what;
  };
  struct Holding {
    std::uint32_t nodes = 0;  ///< a bit for each node that has the address
    TimePoint since{};
    bool began = false;  ///< true once a node has had the address
  };
  struct Burst {
    std::size_t line = 0;  ///< index of the line that tells of it
    unsigned count = 0;
    TimePoint last{};
  };

  void write(const std::string& who, std::string what);
  void write(std::size_t node, std::string what) { write(names_[node], std::move(what)); }
  void look_at_addresses();
  void tell_addresses(const std::vector<std::uint32_t>& before);
  std::string told_of(const Holding& holding, Duration length) const;
  void look_at_states(std::size_t node);
  std::uint32_t holders_of(const IpAddress& address) const;
  std::string held_by(std::size_t node) const;
  std::string settings_of(std::size_t node) const;
  void show(std::size_t node);
  std::string names_of(std::uint32_t nodes) const;
  std::string instance_of(std::size_t node, std::size_t lan, std::uint8_t vrid) const;

  World& world_;
  std::vector<std::string> names_;
  std::vector<IpAddress> addresses_;
  std::size_t width_ = 2;  ///< the length of the longest name
  TimePoint start_;
  std::vector<Line> lines_;
  std::vector<Holding> holdings_;    ///< the holders of each address, by its index
  std::vector<std::uint64_t> seen_;  ///< the last transition that was written, by node
  std::map<std::tuple<std::size_t, std::size_t, std::uint8_t>, std::uint8_t> said_;  ///< priority by node, LAN, VRID
  std::map<std::pair<std::size_t, IpAddress>, Burst> bursts_;
  Duration longest_gap_{};
};

/// A measured duration as text: "3.012 s", "0.4 ms".
std::string format_measured(Duration duration);

}  // namespace vipd::sim
