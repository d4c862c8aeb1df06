/// FlapLimit: tells whether an instance has become Active too often of late.
///
/// It keeps the times at which the instance became Active. A flapping instance no longer preempts until it has been
/// quiet for long enough. Until then it takes the addresses only if no other node is fit. The limit comes from the
/// configuration and may change at any time.
#pragma once

#include <vector>

#include "vipd/base/time.hpp"

namespace vipd {

class FlapLimit {
 public:
  static constexpr std::size_t kLargest = 100;  ///< greatest limit

  /// Notes that the instance became Active.
  void note(TimePoint now) {
    times_.push_back(now);
    if (times_.size() > kLargest + 1) times_.erase(times_.begin());
  }

  /// When the instance will have been quiet for `window`, if it became Active more than `limit` times within `window`.
  /// TimePoint::min() if it did not. `limit` is 1..kLargest; 0 = no limit.
  TimePoint quiet_at(std::size_t limit, Duration window) const {
    if (limit == 0 || times_.size() <= limit) return TimePoint::min();
    const Duration took = times_.back() - times_[times_.size() - 1 - limit];
    return took > window ? TimePoint::min() : times_.back() + window;
  }

 private:
  std::vector<TimePoint> times_;
};

}  // namespace vipd
