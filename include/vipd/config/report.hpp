/// Report: collects the diagnostics of one configuration while it is read.
///
/// Reading goes on after an error, so one run finds all errors. A caller reports an error only if it is no consequence
/// of another one. Equal diagnostics are merged, since the checks run for each node that the files name.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "vipd/config/diagnostic.hpp"
#include "vipd/config/text.hpp"

namespace vipd {

class Report {
 public:
  explicit Report(std::span<const ConfigSource> sources) : sources_(sources) {}

  /// Adds an error, see error_at().
  void error(std::string kind, const Place& place, std::string message, std::string hint = "",
             std::optional<Place> related = {}) {
    add(error_at(place, std::move(kind), std::move(message), std::move(hint), related));
  }

  /// Adds a warning: the configuration can be used, but the operator may have meant something else.
  void warning(std::string kind, const Place& place, std::string message, std::string hint = "") {
    add({place, Severity::warning, std::move(kind), std::move(message), std::move(hint), {}});
  }

  void add(Diagnostic diagnostic) { diagnostics_.push_back(std::move(diagnostic)); }

  /// Counts `count` further diagnostics of which only the number is known.
  void omit(std::size_t count) { omitted_ += count; }
  std::size_t omitted() const { return omitted_; }

  /// The name of `other` in a message about `here`: "line 4" or "vipd.toml:4".
  std::string where(const Place& other, const Place& here) const { return name_place(other, here, sources_); }

  bool empty() const { return diagnostics_.empty(); }
  /// False once so many diagnostics exist that no further one is shown: finding a suggestion may take long.
  bool wants_hints() const { return diagnostics_.size() < kEnough; }
  bool has_errors() const { return std::ranges::any_of(diagnostics_, is_error); }

  /// The collected diagnostics by file, line and column, each once, and at most `limit` of them. Warnings are left out
  /// before errors; omitted() counts those that were left out.
  std::vector<Diagnostic> take(std::size_t limit) {
    const auto order = [](const Diagnostic& one) { return std::tie(one.file, one.line, one.column, one.message); };
    std::ranges::sort(diagnostics_, {}, order);
    const auto rest = std::ranges::unique(diagnostics_, {}, order);
    diagnostics_.erase(rest.begin(), rest.end());
    if (diagnostics_.size() > limit) {
      const auto errors_first = [&](const Diagnostic& one) { return std::tuple(!is_error(one), order(one)); };
      std::ranges::sort(diagnostics_, {}, errors_first);
      omit(diagnostics_.size() - limit);
      diagnostics_.resize(limit);
      std::ranges::sort(diagnostics_, {}, order);
    }
    return std::move(diagnostics_);
  }

 private:
  static constexpr std::size_t kEnough = 100;

  static bool is_error(const Diagnostic& one) { return one.severity == Severity::error; }

  std::span<const ConfigSource> sources_;
  std::vector<Diagnostic> diagnostics_;
  std::size_t omitted_ = 0;
};

}  // namespace vipd
