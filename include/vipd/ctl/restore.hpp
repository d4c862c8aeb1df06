/// restore: puts the files of a previous configuration back in place.
///
/// vipctl writes the files, so the daemon needs no right to write below /etc. The history supplies the texts and the
/// names in conf.d. The files always go to the caller's `config` and the conf.d beside it, whatever paths the history
/// names.
///
/// A file keeps its owner, group, mode, access control list and place. A symbolic link stays a link, and its target is
/// replaced. The replaced file stays beside it with kBeforeRestore after its name. A file in conf.d that did not exist
/// then is renamed in the same way; vipd reads neither. The old file itself becomes the copy, so it is as secret as
/// before. A file that is missing today gets the rights of the main file. All files are prepared first; then all change
/// or none. If users other than root and the caller may change a directory on the way, the path is refused: they could
/// put a link into it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"

namespace vipd {

inline constexpr std::string_view kBeforeRestore = ".before-restore";  ///< suffix of replaced files

/// Restores `configuration`, an entry of "vipd.config/1" with the texts of its files; `config` is the present main
/// file. Returns the steps that were done, a line each. After an error nothing has changed; the error has the errno of
/// the failed call, if there is one.
Result<std::vector<std::string>> restore_files(const Document& configuration, const std::string& config);

}  // namespace vipd
