/// What the tests in virtual time have in common: the words that their bounds are written in.
#pragma once

#include "vipd/sim/world.hpp"

namespace vipd::sim {

inline constexpr Duration kInterval = seconds(1);     ///< of the instance that World::add_node() makes
inline constexpr Duration kSlack = milliseconds(50);  ///< what a bound allows beyond the theory
inline const IpAddress kVip = *IpAddress::parse("192.0.2.10");

/// Of the first instance, over all nodes.
inline std::uint64_t transitions(const World& world) {
  std::uint64_t sum = 0;
  for (const auto& node : world.nodes) sum += node->router().counters().transitions;
  return sum;
}

/// Of a variable in a program's environment.
inline std::string value_of(const Command& command, const std::string& variable) {
  for (const auto& entry : command.environment)
    if (entry.starts_with(variable + "=")) return entry.substr(variable.size() + 1);
  return "";
}

/// Two nodes, started together ten seconds ago.
inline std::pair<Node&, Node&> settled_pair(World& world, std::uint8_t first, std::uint8_t second,
                                            const std::function<void(InstanceConfig&)>& adjust = {}) {
  world.add_node(first, adjust);
  world.add_node(second, adjust);
  for (const auto& node : world.nodes) node->start();
  world.run_for(seconds(10));
  return {*world.nodes[0], *world.nodes[1]};
}

}  // namespace vipd::sim
