/// Campaign: many clusters, one after the other, on all cores.
///
/// Each core has a process of its own. Production code may have static buffers, and a cluster that trips an assertion
/// must not end the others. Seeds are dealt out in turn, so the result does not depend on the number of processes.
#pragma once

#include <cstdint>

#include "coverage.hpp"

namespace vipd::sim {

struct CampaignLimits {
  std::uint64_t seed = 1;  ///< the seed of the first cluster; the next cluster has the next seed
  unsigned seconds = 60;   ///< the real time that it may take; 0 = no limit
  std::uint64_t clusters = ~0ULL;
  unsigned jobs = 1;
  Traits traits;                 ///< the traits of each cluster; if empty, each draws its own
  bool until_violation = false;  ///< true if the first violation ends the campaign
};

/// Runs the clusters and adds up their coverage; prints each violation when it is found.
Coverage run_campaign(const CampaignLimits& limits);

/// Runs one seed and prints all events; true if no promise was broken.
bool replay(std::uint64_t seed, const Traits& traits);

/// Runs one seed. If it fails, leaves out all faults that the failure does not need, and prints the rest.
bool shrink_seed(std::uint64_t seed, const Traits& traits);

}  // namespace vipd::sim
