/// Who besides vipd may use what it makes: the group vipd, whose members are the operators.
#pragma once

#include <string>

#include "vipd/base/result.hpp"

namespace vipd {

/// Gives the file at `path` the mode 0660 and, where there is such a group, the group vipd.
Result<void> share_with_group(const std::string& path);

}  // namespace vipd
