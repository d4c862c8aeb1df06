// Any line as the daemon's answer: vipctl shows it or refuses it, and its output is safe for a terminal.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "vipd/base/assert.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/render.hpp"

using namespace vipd;

namespace {

void check_text(const Result<std::string>& text) {
  if (!text) return;
  const auto harmless = [](char c) { return c == '\n' || static_cast<unsigned char>(c) >= ' '; };
  VIPD_ASSERT(std::ranges::all_of(*text, harmless));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  const Display display{.now = {}, .colour = false};
  if (const auto status = parse_document(line, "vipd.status/1")) check_text(render_status(*status, display));
  if (const auto events = parse_document(line, "vipd.events/1")) check_text(render_events(*events, display));
  return 0;
}
