/// The configurations of a scenario's nodes, and how changes make one of another.
///
/// `node lb2 like lb1` and `lb1 reload` are followed by lines that change a text: "priority = 253" sets a key,
/// "- sync_group" takes a key away, "[check.app]" names the table of the next lines, "- [check.app]" takes a
/// table away. Lines before the first table change each [instance.NAME].
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/config/config.hpp"

namespace vipd::sim {

/// One line of a configuration, and its line number in the transcript.
struct ScenarioLine {
  std::string text;
  int line = 0;
};

/// A configuration as lines, without indentation.
using ScenarioLines = std::vector<ScenarioLine>;

/// `base` with these changes. The error begins with the line: "line 7: ...".
Result<ScenarioLines> amend(ScenarioLines base, std::span<const ScenarioLine> changes);

/// The Config of the lines on a host of this name. Each interface must be one of the simulated LANs.
Result<Config> judge(const ScenarioLines& lines, const std::string& host);

}  // namespace vipd::sim
