/// restore: puts the files of an earlier configuration back where they were.
///
/// vipctl does it and not the daemon, which need not be allowed to write below /etc. What stands there now is not lost:
/// each file that is replaced, and each in conf.d that did not exist then, is kept beside itself with
/// kBeforeRestore behind its name, which vipd does not read. A file is written whole or not at all. Caller: vipctl.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"

namespace vipd {

inline constexpr std::string_view kBeforeRestore = ".before-restore";  ///< behind the name of what was replaced

/// `configuration` is an entry of "vipd.config/1" with the texts of its files. Returns what was done, a line each;
/// stops at the first file that cannot be written, with its errno.
Result<std::vector<std::string>> restore_files(const Document& configuration);

}  // namespace vipd
