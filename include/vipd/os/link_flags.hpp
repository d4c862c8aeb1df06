/// Link flags: IFF_* of one interface, asked for once. For programs that keep no NetworkView.
#pragma once

#include <optional>
#include <string>

namespace vipd {

/// The flags by netdevice(7), SIOCGIFFLAGS; nullopt if this machine has no such interface.
std::optional<unsigned> link_flags(const std::string& name);

}  // namespace vipd
