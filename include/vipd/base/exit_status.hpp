/// Exit statuses of vipd, vipd-runner and `vipd --check`, as in vipd(8).
#pragma once

namespace vipd {

inline constexpr int kExitOk = 0;       ///< all went well
inline constexpr int kExitFailure = 1;  ///< the log or standard error says why
inline constexpr int kExitConfig = 2;   ///< the configuration or the command line is refused

}  // namespace vipd
