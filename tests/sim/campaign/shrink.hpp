/// Shrinking: the few faults of a failing scenario without which it does not fail.
#pragma once

#include <functional>

#include "scenario.hpp"

namespace vipd::sim {

/// Leaves out faults for as long as `fails` says that the rest still fails (delta debugging, Zeller 2002: halves,
/// quarters, … then one by one).
Scenario shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails);

}  // namespace vipd::sim
