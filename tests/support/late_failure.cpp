#include "support/late_failure.hpp"

#include <atomic>
#include <iostream>

namespace vipd {
namespace {

std::atomic<int> failures = 0;

}  // namespace

void fail_late(const std::string& what) {
  ++failures;
  std::cerr << ("late failure: " + what + "\n") << std::flush;
}

int late_failures() { return failures; }

}  // namespace vipd
