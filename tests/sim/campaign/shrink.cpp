#include "shrink.hpp"

#include <algorithm>

namespace vipd::sim {
namespace {

/// `scenario` without `count` faults from `from` on.
Scenario without(const Scenario& scenario, std::size_t from, std::size_t count) {
  Scenario shorter = scenario;
  const auto begin = shorter.faults.begin() + static_cast<std::ptrdiff_t>(from);
  shorter.faults.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(count, shorter.faults.size() - from)));
  return shorter;
}

}  // namespace

Scenario shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails) {
  for (std::size_t size = std::max<std::size_t>(1, scenario.faults.size() / 2); size > 0;) {
    bool shrunk = false;
    for (std::size_t from = 0; from < scenario.faults.size();) {
      Scenario shorter = without(scenario, from, size);
      if (fails(shorter)) {
        scenario = std::move(shorter);
        shrunk = true;
      } else {
        from += size;
      }
    }
    if (size > 1)
      size /= 2;
    else if (!shrunk)
      break;
  }
  return scenario;
}

}  // namespace vipd::sim
