#include "vipd/node/election_settings.hpp"

#include <algorithm>

namespace vipd {
namespace {

/// The kernel of a unicast peer asks for a neighbour that does not answer once a second (RETRANS_TIMER of RFC 4861 10,
/// retrans_time_ms of arp(7)), whatever the peer has to send. Timers of the kernel are up to an eighth late.
constexpr auto kNeighbourRetry = std::chrono::milliseconds(1250);

/// How long the adverts of an Active peer may not reach a node that was away: until the peer's kernel asks for the
/// node's link-layer address again, and then until the peer's next advert.
Duration resolution_time(const InstanceConfig& config) {
  return config.peers.empty() ? Duration::zero() : kNeighbourRetry + config.advert_interval;
}

}  // namespace

ElectionSettings election_settings(const InstanceConfig& config, std::uint8_t priority, bool flaps, bool patient) {
  const bool capped = config.max_adopted_interval != Duration::zero();
  return {.version = config.version,
          .priority = priority,
          .interval = config.advert_interval,
          .preempt = config.preempt && !flaps,
          .patient = patient,
          .preempt_delay = config.preempt_delay,
          .startup_delay = config.startup_delay,
          .resolution_time = resolution_time(config),
          .max_adopted_interval =
              capped ? std::max(config.max_adopted_interval, config.advert_interval) : 10 * config.advert_interval,
          .grouped = !config.sync_group.empty(),
          .asks_first = !config.hooks.before_active.empty(),
          .primary = {}};
}

}  // namespace vipd
