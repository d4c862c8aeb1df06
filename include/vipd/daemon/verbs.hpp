/// Verbs: what can be asked on the control socket, by whom, and what that is in the daemon's life.
///
/// One table, kVerbs. Who asks is told by the kernel: SO_PEERCRED, unix(7). Root may ask for everything. Everybody else
/// who can open the socket, the group vipd, may ask for what changes nothing and gives no secret away.
/// docs/decisions/0019 has the reasons. Pure. Caller: ControlServer.
#pragma once

#include <sys/types.h>

#include <array>
#include <string_view>

#include "vipd/daemon/lifecycle.hpp"
#include "vipd/os/json.hpp"

namespace vipd {

/// What one has to be allowed to.
enum class Right : std::uint8_t {
  look,    ///< what the daemon does and why
  change,  ///< make the daemon do something
};

/// One row: a verb, its right, and the event that it is.
struct Verb {
  std::string_view name;
  Right right = Right::look;
  LifeEvent event = LifeEvent::look;
};

/// All verbs.
inline constexpr std::array<Verb, 7> kVerbs = {{
    {"status", Right::look, LifeEvent::look},
    {"events", Right::look, LifeEvent::look},
    {"version", Right::look, LifeEvent::look},
    {"diff", Right::look, LifeEvent::diff},
    {"reload", Right::change, LifeEvent::reload},
    {"confirm", Right::change, LifeEvent::confirm},
    {"reexec", Right::change, LifeEvent::reexec},
}};

/// The row of a request; null if its verb is not known.
const Verb* verb_of(const Json& request);
/// Whether the user with this uid has the right.
bool may(uid_t user, Right right);

}  // namespace vipd
