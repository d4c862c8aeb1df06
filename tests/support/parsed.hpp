/// Helpers for the parser: the configuration of a good text, or the single complaint about a bad one.
#pragma once

#include <string>

#include "support/catch.hpp"
#include "support/render.hpp"
#include "vipd/config/parse.hpp"

namespace vipd::test {

/// The configuration in `text`, which must parse without a complaint.
inline Config good(const std::string& text) {
  const ParsedConfig parsed = parse_config(text);
  INFO(render(parsed.diagnostics, "f", text, false));
  REQUIRE(parsed.config.has_value());
  CHECK(parsed.diagnostics.empty());
  return *parsed.config;
}

/// The only complaint about `text`.
inline Diagnostic only(const std::string& text) {
  const ParsedConfig parsed = parse_config(text);
  INFO(render(parsed.diagnostics, "f", text, false));
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.config.has_value() == (parsed.diagnostics[0].severity == Severity::warning));
  return parsed.diagnostics[0];
}

/// "6:12", line and column.
inline std::string place(const Diagnostic& one) { return std::to_string(one.line) + ":" + std::to_string(one.column); }

}  // namespace vipd::test
