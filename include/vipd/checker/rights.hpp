/// The rights of a check that asks the network.
///
/// vipd-runner starts checks as root, and libcurl, OpenSSL and the resolver read data from strangers. So a check of the
/// network stays root only until it has opened what only root can open: a raw socket, or systemd's private socket. It
/// is never root while it reads an answer.
///
/// Not good yet: there is no filter of system calls. The resolver loads the modules that nsswitch.conf(5) names, and
/// these may make any call. A filter that is strict enough to help would fail the checks of some machines.
#pragma once

#include "vipd/base/result.hpp"

namespace vipd {

/// Makes this process uid and gid 65534 (nobody) for good: no other group, no capability, no new privileges, no core
/// dump. Does nothing in a process that is not root. Fails with the errno of the call that the kernel refused; the
/// caller must stop then.
Result<void> give_up_root();

}  // namespace vipd
