/// Bytes: the input of a fuzzer, taken piece by piece; behind its end are zeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vipd::fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  bool coin() { return (octet() & 1) != 0; }
  unsigned word() { return octet() * 256u + octet(); }
  /// A number in least..most.
  unsigned number(unsigned least, unsigned most) { return least + word() % (most - least + 1); }
  /// The next octets, `most` at most.
  std::span<const std::uint8_t> take(std::size_t most) {
    const auto taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const std::uint8_t> rest() { return take(rest_.size()); }
  std::string text() {
    const auto all = rest();
    return {all.begin(), all.end()};
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace vipd::fuzz
