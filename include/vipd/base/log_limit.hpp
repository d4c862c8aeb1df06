/// LogLimit: how often the same thing is said. Callers: whoever logs what somebody else can provoke.
#pragma once

#include <chrono>

#include "vipd/base/time.hpp"

namespace vipd {

/// Lets one line a minute through.
class LogLimit {
 public:
  /// True when the last time it said so is a minute ago or more.
  bool passes(TimePoint now) {
    if (now < next_) return false;
    next_ = now + std::chrono::minutes(1);
    return true;
  }

 private:
  TimePoint next_ = TimePoint::min();
};

}  // namespace vipd
