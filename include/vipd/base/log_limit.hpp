/// LogLimit: bounds how often a message is logged that another host or process can provoke.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "vipd/base/time.hpp"

namespace vipd {

/// Lets one line a minute through.
class LogLimit {
 public:
  /// True if the last time it returned true is a minute ago or more.
  bool passes(TimePoint now) {
    if (now < next_) return false;
    next_ = now + std::chrono::minutes(1);
    return true;
  }

 private:
  TimePoint next_ = TimePoint::min();
};

/// Lets each sentence through once a minute, and remembers at most ten sentences. For text that another process makes
/// up.
class SentenceLimit {
 public:
  /// True if `sentence` may be logged now.
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
