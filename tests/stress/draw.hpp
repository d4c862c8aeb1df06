/// Draw: every random choice, from a seed. The same seed gives the same choices on every machine and with every
/// compiler.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "vipd/base/time.hpp"

namespace vipd::stress {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}

  /// A number in 0..count-1.
  int below(int count) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(count)); }
  bool chance(int percent) { return below(100) < percent; }
  /// A time in whole milliseconds.
  Duration between(Duration least, Duration most) {
    const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(most - least).count();
    return least + std::chrono::milliseconds(below(static_cast<int>(span) + 1));
  }
  template <typename Value>
  Value one_of(const std::vector<Value>& values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace vipd::stress
