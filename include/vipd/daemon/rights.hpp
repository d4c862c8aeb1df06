/// Rights: which user may ask the daemon for what.
///
/// The kernel tells who asks: SO_PEERCRED, unix(7). Root may ask for everything. Everybody else who can open the
/// socket, the group vipd, may ask for what changes nothing and gives no secret away. docs/decisions/0019 has the
/// reasons.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace vipd {

/// What a verb does to the daemon.
enum class Right : std::uint8_t {
  look,    ///< it tells what the daemon does and why
  change,  ///< it makes the daemon do something
};

/// Whether the user with this uid has the right.
inline bool may(uid_t user, Right right) { return user == 0 || right == Right::look; }

}  // namespace vipd
