/// config_history: the configurations that were in force, as vipd-runner has kept them.
///
/// vipctl reads them from the files of vipd-runner, which belong to root, and does not ask vipd: what root restores is
/// run as root later, and nobody who has taken over user vipd may have a word in it. A directory or a file in it that
/// others than root and the caller may write is refused. No daemon is needed. Caller: vipctl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"

namespace vipd {

/// A document "vipd.config/1" with the configurations in `state_dir`, the oldest first, or with the one that has this
/// number. With a number it has the texts of the files, without one their paths alone. Fails with EACCES where the
/// caller has no right to look.
Result<Document> kept_configurations(const std::string& state_dir, std::optional<std::uint64_t> number);

}  // namespace vipd
