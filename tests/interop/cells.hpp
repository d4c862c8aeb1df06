/// Cell: a pair of vipd and a foreign peer, and one event that happens to it.
///
/// A cell has namespaces of its own and mostly waits, so run_cells() runs several at a time. The leader has the higher
/// priority and is Active when the scenario begins. A cell asserts what a pair of vipds must do, too: one holder within
/// the bound, and two holders for an interval at most once they hear each other.
#pragma once

#include <string>
#include <vector>

#include "contender.hpp"

namespace vipd::lab {

enum class Foreign { keepalived, frr };

enum class Scenario { stop, kill, comes_back, partition, no_preempt };

struct Cell {
  Foreign foreign = Foreign::keepalived;
  Terms terms;
  bool we_lead = true;
  Scenario scenario = Scenario::stop;
};

/// The result of a cell. The shares begin with the event: at the stop, the kill, the start, the healing.
struct Outcome {
  Shares shares;
  std::string failure;  ///< the failure; "" if there was none
};

/// All scenarios, with vipd as leader and as follower.
std::vector<Cell> cells_of(Foreign foreign, const Terms& terms);

/// Runs the cells and prints a row of a table for each; returns a line for each failed cell.
std::vector<std::string> run_cells(const std::vector<Cell>& cells);

}  // namespace vipd::lab
