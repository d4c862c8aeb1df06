/// Report: gathers the diagnostics of one file while it is read.
///
/// Reading goes on after an error, so that one run finds them all; whoever reports has seen to it that its error is no
/// consequence of another. Callers: parse_config() and what it uses.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "vipd/config/diagnostic.hpp"
#include "vipd/config/text.hpp"

namespace vipd {

class Report {
 public:
  explicit Report(std::vector<Diagnostic> diagnostics) : diagnostics_(std::move(diagnostics)) {}

  /// The config cannot be used. `related_line` is an earlier place that belongs to it, 0 = none.
  void error(std::string kind, const Place& place, std::string message, std::string hint = "", int related_line = 0) {
    add(Severity::error, std::move(kind), place, std::move(message), std::move(hint), related_line);
  }

  /// The config can be used, but the operator may have meant something else.
  void warning(std::string kind, const Place& place, std::string message, std::string hint = "") {
    add(Severity::warning, std::move(kind), place, std::move(message), std::move(hint), 0);
  }

  bool empty() const { return diagnostics_.empty(); }
  bool has_errors() const {
    return std::ranges::any_of(diagnostics_, [](const auto& one) { return one.severity == Severity::error; });
  }

  /// What was gathered, by line and column, not more than `limit`.
  std::vector<Diagnostic> take(std::size_t limit) {
    const auto by_place = [](const Diagnostic& one) { return std::tie(one.line, one.column, one.message); };
    std::ranges::sort(diagnostics_, {}, by_place);
    if (diagnostics_.size() > limit) diagnostics_.resize(limit);
    return std::move(diagnostics_);
  }

 private:
  void add(Severity severity, std::string kind, const Place& place, std::string message, std::string hint,
           int related_line) {
    diagnostics_.push_back({severity, std::move(kind), place.line, place.column, place.width, std::move(message),
                            std::move(hint), related_line});
  }

  std::vector<Diagnostic> diagnostics_;
};

}  // namespace vipd
