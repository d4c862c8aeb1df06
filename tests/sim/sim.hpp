/// The vocabulary that the tests in virtual time share for their bounds.
#pragma once

#include "vipd/sim/world.hpp"

namespace vipd::sim {

inline constexpr Duration kInterval = seconds(1);     ///< the advert interval of the instance of World::add_node()
inline constexpr Duration kSlack = milliseconds(50);  ///< the time that a bound allows beyond the theory
inline const IpAddress kVip = *IpAddress::parse("192.0.2.10");

/// The transitions of the first instance, summed over all nodes.
inline std::uint64_t transitions(const World& world) {
  std::uint64_t sum = 0;
  for (const auto& node : world.nodes) sum += node->router().counters().transitions;
  return sum;
}

/// The value of a variable in a program's environment.
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
