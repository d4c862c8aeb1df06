/// config_history: the previous configurations that vipd-runner has kept.
///
/// vipctl reads them from the files of vipd-runner, which belong to root, and does not ask vipd. Root will run what
/// root restores, so an attacker with the rights of user vipd must not influence it. A directory or file is refused if
/// users other than root and the caller may write it. No daemon is needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"

namespace vipd {

/// Returns a document "vipd.config/1". Without `number` it lists all configurations in `state_dir`, the oldest first,
/// with the paths of their files. With `number` it has that configuration alone, with the texts of its files. Fails
/// with EACCES if the caller may not read the directory.
Result<Document> kept_configurations(const std::string& state_dir, std::optional<std::uint64_t> number);

}  // namespace vipd
