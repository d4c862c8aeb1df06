// Any text as a configuration: it becomes a Config, or diagnostics that can be shown.
#include <cstddef>
#include <cstdint>
#include <string>

#include "vipd/base/assert.hpp"
#include "vipd/config/parse.hpp"

using namespace vipd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConfigSource source{"vipd.toml", std::string(reinterpret_cast<const char*>(data), size)};
  const ParsedConfig parsed = parse_config({&source, 1}, "lb1");
  bool refused = false;
  for (const Diagnostic& one : parsed.diagnostics) {
    refused |= one.severity == Severity::error;
    VIPD_ASSERT(one.line >= 1 && one.column >= 1 && !one.kind.empty() && !one.message.empty());
  }
  VIPD_ASSERT(parsed.config.has_value() == !refused);
  render(parsed.diagnostics, {&source, 1}, false);
  return 0;
}
