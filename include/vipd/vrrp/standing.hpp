/// Standing: are we fit, at what priority, and why.
///
/// Keeps the causes that hold an instance out of the election, most basic first, each with a sentence for the operator.
/// The VirtualRouter sets and clears them from what the kernel says and turns the verdict into election events. Checks
/// and weights will enter here as further causes and as a change of the effective priority.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace vipd {

/// What can hold an instance in Initialize; in the order in which they are shown, one at a time.
enum class FaultCause : std::uint8_t { interface_missing, interface_down, no_source, wire, preparation, claim, sync };
inline constexpr std::size_t kFaultCauses = 7;

class Standing {
 public:
  /// `priority` as configured, 1..255.
  explicit Standing(std::uint8_t priority) : priority_(priority) {}

  /// `detail` is a sentence without a full stop: "interface eth0 is down".
  void set(FaultCause cause, std::string detail) { causes_[index(cause)] = std::move(detail); }
  void clear(FaultCause cause) { causes_[index(cause)].reset(); }
  bool has(FaultCause cause) const { return causes_[index(cause)].has_value(); }

  /// No cause is set.
  bool fit() const { return !fault(); }
  /// The sentence of the most basic cause; null when fit.
  const std::string* fault() const {
    for (const auto& cause : causes_)
      if (cause) return &*cause;
    return nullptr;
  }
  void set_base_priority(std::uint8_t priority) { priority_ = priority; }
  /// The same without FaultCause::sync, which others cause.
  const std::string* own_fault() const { return fault() == sync_fault() ? nullptr : fault(); }
  /// The sentence of FaultCause::sync, or null.
  const std::string* sync_fault() const { return causes_.back() ? &*causes_.back() : nullptr; }

  std::uint8_t base_priority() const { return priority_; }
  /// What it is worth by itself, 1..255.
  std::uint8_t own_priority() const { return priority_; }
  /// What goes into the adverts, 1..255: no more than the sync group's.
  std::uint8_t effective_priority() const { return std::min(own_priority(), limit_); }
  /// The sync group has this priority, 1..255.
  void limit_priority(std::uint8_t limit) { limit_ = limit; }

 private:
  static constexpr std::size_t index(FaultCause cause) { return static_cast<std::size_t>(cause); }

  std::uint8_t priority_;
  std::uint8_t limit_ = 255;
  std::array<std::optional<std::string>, kFaultCauses> causes_;
};

}  // namespace vipd
