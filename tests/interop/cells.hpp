/// Cell: one pair of ours and a foreign peer, and one thing that happens to it.
///
/// A cell has namespaces of its own and mostly waits, so run_cells() runs several at a time. The leader has the higher
/// priority and is Active when the scenario begins. What a cell asserts is what a pair of ours would have to do too:
/// one holder within the bound, and never both for longer than an interval once they hear each other.
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

/// What came of it. The shares begin when the scenario does: at the stop, the kill, the start, the healing.
struct Outcome {
  Shares shares;
  std::string failure;  ///< "" if there was none
};

/// All scenarios, with us as leader and as follower.
std::vector<Cell> cells_of(Foreign foreign, const Terms& terms);

/// Runs them and prints a line of a table for each; returns one line for each that failed.
std::vector<std::string> run_cells(const std::vector<Cell>& cells);

}  // namespace vipd::lab
