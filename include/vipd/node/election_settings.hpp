/// The settings by which the Election of an instance decides, as its configuration has them.
#pragma once

#include <cstdint>

#include "vipd/config/config.hpp"
#include "vipd/vrrp/election_event.hpp"

namespace vipd {

/// `priority`: effective, 1..255. `flaps`: the instance became Active too often, so it does not preempt. `patient`: see
/// ElectionSettings. The primary address stays empty.
ElectionSettings election_settings(const InstanceConfig& config, std::uint8_t priority, bool flaps, bool patient);

}  // namespace vipd
