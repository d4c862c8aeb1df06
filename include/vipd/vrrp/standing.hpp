/// Standing: are we fit, at what priority, and why.
///
/// Keeps the causes that hold an instance out of the election, most basic first, and what its checks have come to, each
/// with a sentence for the operator. Three degrees: nothing is wrong; unfit, which is Active only as long as nobody
/// else will be (priority 1, see Election); and a fault, which is out of the election. The VirtualRouter sets and
/// clears causes from what the kernel says, and turns the verdict into election events. A cause that only a try can end
/// is tolerated after a while: the operator sees it until the try has succeeded, and the instance takes part.
///
/// An owner (255) has that priority or none (RFC 9568 6.1): weights do not touch it, and what makes others unfit is a
/// fault.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "vipd/vrrp/advert.hpp"

namespace vipd {

/// What can hold an instance in Initialize; in the order in which they are shown, one at a time.
enum class FaultCause : std::uint8_t {
  interface_missing,
  interface_down,  ///< or of a kind on which nobody can be heard
  no_source,
  wire,
  sending,
  preparation,
  claim,
  check,
  sync
};
inline constexpr std::size_t kFaultCauses = 9;

/// What the checks of an instance come to.
struct Health {
  std::optional<std::string> fault = {};  ///< why it must not take part, a sentence
  std::optional<std::string> unfit = {};  ///< why anybody else is better, a sentence
  int weight = 0;                         ///< is added to the priority

  friend bool operator==(const Health&, const Health&) = default;
};

class Standing {
 public:
  /// `priority` as configured, 1..255.
  explicit Standing(std::uint8_t priority) : priority_(priority) {}

  /// `detail` is a sentence without a full stop: "interface eth0 is down".
  void set(FaultCause cause, std::string detail) { causes_[cause] = {.detail = std::move(detail)}; }
  /// The cause is still shown, but the instance takes part: it may be over, and only a try can tell.
  void tolerate(FaultCause cause) { causes_.at(cause).tolerated = true; }
  void clear(FaultCause cause) { causes_.erase(cause); }
  bool has(FaultCause cause) const { return causes_.contains(cause); }

  /// Some cause keeps the instance out of the election.
  bool is_out() const {
    return std::ranges::any_of(causes_, [](const auto& each) { return !each.second.tolerated; });
  }
  /// The same without FaultCause::sync, which others cause.
  bool is_out_by_itself() const {
    return std::ranges::any_of(
        causes_, [](const auto& each) { return each.first != FaultCause::sync && !each.second.tolerated; });
  }

  /// The sentence of the most basic cause; null if none is set.
  const std::string* fault() const { return causes_.empty() ? nullptr : &causes_.begin()->second.detail; }
  /// The same without FaultCause::sync, which others cause.
  const std::string* own_fault() const { return fault() == sync_fault() ? nullptr : fault(); }
  /// The sentence of FaultCause::sync, or null.
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
  /// The sentence of what makes it unfit by itself, or null.
  const std::string* own_unfit() const { return health_.unfit && !is_owner() ? &*health_.unfit : nullptr; }
  /// The same, its sync group's included.
  const std::string* unfit() const { return own_unfit() == nullptr && group_unfit_ ? &*group_unfit_ : own_unfit(); }
  /// Neither a fault nor unfit.
  bool fit() const { return fault() == nullptr && unfit() == nullptr; }

  std::uint8_t base_priority() const { return priority_; }
  /// What it is worth by itself, 1..255: 1 is for the unfit, unless it was given, and 255 for the owner.
  std::uint8_t own_priority() const {
    if (is_owner()) return priority_;
    if (own_unfit() != nullptr) return 1;
    const int least = std::min<int>(priority_, 2);
    return static_cast<std::uint8_t>(std::clamp(priority_ + health_.weight, least, kOwnerPriority - 1));
  }
  /// What goes into the adverts, 1..255: no more than the sync group's.
  std::uint8_t effective_priority() const { return unfit() ? 1 : std::min(own_priority(), group_priority_); }
  /// The sync group has this priority, 1..255, and is unfit for this reason.
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
