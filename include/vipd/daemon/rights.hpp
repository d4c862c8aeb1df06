/// Rights: which user may ask the daemon for what.
///
/// The kernel tells the user of a client: SO_PEERCRED, unix(7). Root may ask for everything. Members of the group vipd
/// can open the socket, and may use the verbs that change nothing and reveal no secret. docs/decisions/0019 has the
/// reasons.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace vipd {

/// What a verb does to the daemon.
enum class Right : std::uint8_t {
  look,    ///< the verb shows what the daemon does and why
  change,  ///< the verb makes the daemon do something
};

/// True if the user with this uid has the right.
inline bool may(uid_t user, Right right) { return user == 0 || right == Right::look; }

}  // namespace vipd
