/// Campaign: many clusters, one after the other, on all cores.
///
/// Each core has a process of its own, since production code may have static buffers, and a cluster that trips an
/// assertion must not take the others along. Seeds are dealt out in turn, so what is found does not depend on how many
/// there are. Callers: the program vipd-simulate.
#pragma once

#include <cstdint>

#include "coverage.hpp"

namespace vipd::sim {

struct CampaignLimits {
  std::uint64_t seed = 1;  ///< of the first cluster; the next one has the next
  unsigned seconds = 60;   ///< of real time; 0 = no limit
  std::uint64_t clusters = ~0ULL;
  unsigned jobs = 1;
  Traits traits;                 ///< of each cluster; none: some of all
  bool until_violation = false;  ///< ends with the first one
};

/// Runs them and adds up what they saw; prints each violation when it is found.
Coverage run_campaign(const CampaignLimits& limits);

/// Runs one seed and tells all that happens; returns whether it held.
bool replay(std::uint64_t seed, const Traits& traits);

/// Runs one seed, and if it fails leaves out what it fails without, and tells the rest.
bool shrink_seed(std::uint64_t seed, const Traits& traits);

}  // namespace vipd::sim
