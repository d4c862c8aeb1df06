#include "vipd/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace vipd {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "vipd: assertion failed: %s (%s:%d); this is a bug, please report it\n", expression, file, line);
  std::abort();
}

}  // namespace vipd
