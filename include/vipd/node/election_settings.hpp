/// The settings of the Election of an instance, made of its configuration.
#pragma once

#include <cstdint>

#include "vipd/config/config.hpp"
#include "vipd/vrrp/election_event.hpp"

namespace vipd {

/// `priority` is the effective one, 1..255. With `flaps` the instance does not preempt, after flapping. `patient`: see
/// ElectionSettings. The primary address stays empty.
ElectionSettings election_settings(const InstanceConfig& config, std::uint8_t priority, bool flaps, bool patient);

}  // namespace vipd
