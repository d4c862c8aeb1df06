/// FlapLimit: has an instance become Active too often of late?
///
/// Keeps when it did. Who flaps no longer preempts: it takes the addresses only when nobody else is fit to have them,
/// until it has been quiet for long enough. The limit itself is the configuration's and may change at any time. Caller:
/// VirtualRouter.
#pragma once

#include <vector>

#include "vipd/base/time.hpp"

namespace vipd {

class FlapLimit {
 public:
  static constexpr std::size_t kLargest = 100;  ///< limit

  /// It has become Active.
  void note(TimePoint now) {
    times_.push_back(now);
    if (times_.size() > kLargest + 1) times_.erase(times_.begin());
  }

  /// If it last became Active as one of more than `limit` times within `window`: when it will have been quiet for that
  /// long. Else TimePoint::min(). `limit` is 1..kLargest; 0 = no limit.
  TimePoint quiet_at(std::size_t limit, Duration window) const {
    if (limit == 0 || times_.size() <= limit) return TimePoint::min();
    const Duration took = times_.back() - times_[times_.size() - 1 - limit];
    return took > window ? TimePoint::min() : times_.back() + window;
  }

 private:
  std::vector<TimePoint> times_;
};

}  // namespace vipd
