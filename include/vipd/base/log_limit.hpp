/// LogLimit: how often the same thing is said. Callers: whoever logs what somebody else can provoke.
#pragma once

#include <chrono>
#include <set>
#include <string>

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

/// Lets each sentence through once a minute, and at most ten sentences: for what another process makes up.
class SentenceLimit {
 public:
  /// True when `sentence` is to be said now.
  bool passes(const std::string& sentence, TimePoint now) {
    if (now >= next_) said_.clear();
    if (said_.empty()) next_ = now + std::chrono::minutes(1);
    return said_.size() < kMost && said_.insert(sentence).second;
  }

 private:
  static constexpr std::size_t kMost = 10;
  std::set<std::string> said_;
  TimePoint next_ = TimePoint::min();
};

}  // namespace vipd
