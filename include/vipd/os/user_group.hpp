/// Who besides vipd may use what it makes: the group vipd, whose members are the operators.
#pragma once

#include <sys/types.h>

#include <string>

#include "vipd/base/result.hpp"

namespace vipd {

/// Gives the file at `path` the mode and, where there is such a group, the group vipd.
Result<void> share_with_group(const std::string& path, mode_t mode);

}  // namespace vipd
