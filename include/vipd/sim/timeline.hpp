/// Timeline: what happens in a World, written down for an operator, one line for each happening.
///
/// It looks at the nodes after each event and tells what has changed: the state of an instance or a sync group with the
/// reason, addresses that a kernel has or has no more, the priority in the adverts, the hooks that are called. It
/// measures for how long an address is with nobody, or with several nodes. A node whose vipd has crashed still has its
/// addresses, since its kernel answers for them; a node without a link or power has none.
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
  /// `names` of the nodes, by index. `addresses` are those that the nodes hold in turns.
  Timeline(World& world, std::vector<std::string> names, std::vector<IpAddress> addresses);

  /// Writes down what the scenario does.
  void say(const std::string& words);
  /// Looks at all nodes, and writes down what has changed since the last time.
  void look();
  /// Writes down the state of all nodes.
  void show();
  /// The vipd of a node is another process now, which has told nothing yet.
  void forget(std::size_t node);
  /// A vipd that was stopped ends now.
  void left(std::size_t node);
  void hook_called(std::size_t node, const Command& command);
  void advert_sent(const SentAdvert& advert, std::size_t lan, std::span<const std::uint8_t> message);
  /// Several announcements of one address within a second are one line.
  void announced(std::size_t node, std::span<const std::uint8_t> frame);
  /// The last lines: the state of all nodes, and the addresses that are not with one node.
  void end();
  std::string text() const;

  /// The longest time for which an address was with nobody after it was with somebody for the first time.
  Duration longest_gap() const { return longest_gap_; }

 private:
  struct Line {
    TimePoint time;
    std::string who;  ///< a node's name, or "--"
    std::string what;
  };
  struct Holding {
    std::uint32_t nodes = 0;  ///< a bit for each node that has the address
    TimePoint since{};
    bool began = false;  ///< true once a node has had it
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
  std::size_t width_ = 2;  ///< of the longest name
  TimePoint start_;
  std::vector<Line> lines_;
  std::vector<Holding> holdings_;    ///< by address
  std::vector<std::uint64_t> seen_;  ///< by node: the last transition that was written down
  std::map<std::tuple<std::size_t, std::size_t, std::uint8_t>, std::uint8_t> said_;  ///< priority by node, LAN, VRID
  std::map<std::pair<std::size_t, IpAddress>, Burst> bursts_;
  Duration longest_gap_{};
};

/// "3.012 s", "0.4 ms".
std::string format_measured(Duration duration);

}  // namespace vipd::sim
