/// Standing: whether an instance is fit, at which priority, and why.
///
/// It keeps the faults that hold an instance out of the election, most basic first, and the results of its checks, each
/// with a sentence for the operator. There are three degrees. An instance can be fit. It can be unfit: Active only
/// while no other node is (priority 1, see Election). It can be at fault: out of the election. VirtualRouter sets and
/// clears faults by the kernel's reports, and turns the verdict into election events. A fault that only a new try can
/// end is tolerated after a while. It is still shown until a try succeeds, but the instance takes part.
///
/// The priority of an owner (255) never changes (RFC 9568 6.1). Weights do not apply to an owner, and a cause that
/// makes other instances unfit is a fault for an owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "vipd/vrrp/advert.hpp"

namespace vipd {

/// The causes that can hold an instance in Initialize, in the order in which they are shown. One is shown at a time.
enum class FaultCause : std::uint8_t {
  interface_missing,
  interface_down,  ///< the interface is down, or of a kind that cannot receive adverts
  no_source,
  wire,
  sending,
  preparation,
  claim,
  check,
  sync
};
inline constexpr std::size_t kFaultCauses = 9;

/// The results of an instance's checks.
struct Health {
  std::optional<std::string> fault = {};  ///< why the instance must not take part, a sentence
  std::optional<std::string> unfit = {};  ///< why the instance is unfit, a sentence
  int weight = 0;                         ///< number that is added to the priority

  friend bool operator==(const Health&, const Health&) = default;
};

class Standing {
 public:
  /// `priority` is the configured one, 1..255.
  explicit Standing(std::uint8_t priority) : priority_(priority) {}

  /// `detail` is a sentence without a full stop: "interface eth0 is down".
  void set(FaultCause cause, std::string detail) { causes_[cause] = {.detail = std::move(detail)}; }
  /// Lets the instance take part while the cause is still shown: only a try can tell whether it is over.
  void tolerate(FaultCause cause) { causes_.at(cause).tolerated = true; }
  void clear(FaultCause cause) { causes_.erase(cause); }
  bool has(FaultCause cause) const { return causes_.contains(cause); }

  /// True if a cause keeps the instance out of the election.
  bool is_out() const {
    return std::ranges::any_of(causes_, [](const auto& each) { return !each.second.tolerated; });
  }
  /// The same without FaultCause::sync, which other instances cause.
  bool is_out_by_itself() const {
    return std::ranges::any_of(
        causes_, [](const auto& each) { return each.first != FaultCause::sync && !each.second.tolerated; });
  }

  /// The sentence of the most basic cause; null if none is set.
  const std::string* fault() const { return causes_.empty() ? nullptr : &causes_.begin()->second.detail; }
  /// The same without FaultCause::sync, which other instances cause.
  const std::string* own_fault() const { return fault() == sync_fault() ? nullptr : fault(); }
  /// The sentence of FaultCause::sync; null if it is not set.
  const std::string* sync_fault() const {
    const auto sync = causes_.find(FaultCause::sync);
    return sync == causes_.end() ? nullptr : &sync->second.detail;
  }

  void set_base_priority(std::uint8_t priority) {
    priority_ = priority;
    judge_health();
  }
  void set_health(Health health) {
    health_ = std::move(health);
    judge_health();
  }
  /// Why the instance itself is unfit, a sentence; null if it is not.
  const std::string* own_unfit() const { return health_.unfit && !is_owner() ? &*health_.unfit : nullptr; }
  /// Why the instance or its sync group is unfit, a sentence; null if neither is.
  const std::string* unfit() const { return own_unfit() == nullptr && group_unfit_ ? &*group_unfit_ : own_unfit(); }
  /// True without a fault and without a reason to be unfit.
  bool fit() const { return fault() == nullptr && unfit() == nullptr; }

  std::uint8_t base_priority() const { return priority_; }
  /// The priority of the instance without its sync group, 1..255: 1 if unfit, 255 for an owner. A weight lowers it no
  /// further than 2, unless 1 is configured.
  std::uint8_t own_priority() const {
    if (is_owner()) return priority_;
    if (own_unfit() != nullptr) return 1;
    const int least = std::min<int>(priority_, 2);
    return static_cast<std::uint8_t>(std::clamp(priority_ + health_.weight, least, kOwnerPriority - 1));
  }
  /// The priority in the adverts, 1..255; at most that of the sync group.
  std::uint8_t effective_priority() const { return unfit() ? 1 : std::min(own_priority(), group_priority_); }
  /// Sets the sync group's priority, 1..255, and why the group is unfit.
  void share(std::uint8_t priority, std::optional<std::string> unfit) {
    group_priority_ = priority;
    group_unfit_ = std::move(unfit);
  }

 private:
  struct Cause {
    std::string detail;
    bool tolerated = false;
  };

  bool is_owner() const { return priority_ == kOwnerPriority; }
  void judge_health() {
    const auto& fault = is_owner() && !health_.fault ? health_.unfit : health_.fault;
    if (fault)
      set(FaultCause::check, *fault);
    else
      clear(FaultCause::check);
  }

  std::uint8_t priority_;
  Health health_;
  std::uint8_t group_priority_ = 255;
  std::optional<std::string> group_unfit_;
  std::map<FaultCause, Cause> causes_;
};

}  // namespace vipd
