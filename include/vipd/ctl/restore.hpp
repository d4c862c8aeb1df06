/// restore: puts the files of an earlier configuration back where they were.
///
/// vipctl does it and not the daemon, which need not be allowed to write below /etc. The daemon gives the texts and the
/// names in conf.d; where they go is the caller's `config` and the conf.d beside it, whatever paths the daemon names.
///
/// A file keeps its owner, its group, its mode, its access control list and its place: a link stays one, and the file
/// that it leads to is replaced. The replaced file is kept beside it with kBeforeRestore behind its name, and so is a
/// file in conf.d that did not exist then; vipd reads neither. The old file itself becomes that copy, so it is as
/// secret as it was. A file that is not there any more gets the rights of the main file. All files are prepared first;
/// then all change or none. A directory on the way that users other than root or the caller may change is refused,
/// since they could put a link into it. Caller: vipctl.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"

namespace vipd {

inline constexpr std::string_view kBeforeRestore = ".before-restore";  ///< behind the name of what was replaced

/// `configuration` is an entry of "vipd.config/1" with the texts of its files, `config` the main file of today. Returns
/// what was done, a line each. On an error nothing has changed; it has the errno of what failed, if there is one.
Result<std::vector<std::string>> restore_files(const Document& configuration, const std::string& config);

}  // namespace vipd
