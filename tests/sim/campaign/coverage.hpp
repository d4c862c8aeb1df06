/// Coverage: the states and events that a campaign has seen. A campaign that saw little proves little.
///
/// The steps of the elections come from the observer of the World. All members are numbers, so processes can add them
/// up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "scenario.hpp"
#include "vipd/node/step_observer.hpp"

namespace vipd::sim {

struct Coverage {
  static constexpr std::size_t kModes = static_cast<std::size_t>(Mode::resigning) + 1;
  static constexpr std::size_t kEvents = std::variant_size_v<Event>;
  static constexpr std::size_t kWhys = static_cast<std::size_t>(Why::stalled) + 1;
  enum ErrorPath : std::uint8_t {
    add_refused,
    removal_refused,
    misreported,
    send_failed,
    hook_failed,
    hook_hung,
    hook_unstartable,
    check_failed,
    check_hung,
    check_lost,
    reload_applied,
    reload_refused,
    leftovers_met,
    kErrorPaths
  };

  std::array<std::array<std::uint64_t, kEvents>, kModes> cells{};
  std::array<std::uint64_t, kWhys> whys{};
  std::array<std::uint64_t, kRefusalKinds> refusals{};
  std::array<std::uint64_t, kFaultCauses> faults_shown{};
  std::array<std::uint64_t, kErrorPaths> errors{};
  std::array<std::uint64_t, kFaultKinds> injected{};  ///< faults of each kind; for noise, the packets
  std::uint64_t clusters = 0, seconds = 0;            ///< clusters, and seconds of virtual time
  std::uint64_t violations = 0;
  std::uint64_t digest = 0;  ///< the digest of all outside events of all clusters

  void count(const ElectionStep& step);
  void add(const Coverage& other);
  std::uint64_t faults() const;
  /// What a large campaign has to see and this one has not.
  std::vector<std::string> missing() const;
  std::string report() const;
};

}  // namespace vipd::sim
