/// Link flags: IFF_* of one interface, read once. For programs that keep no NetworkView.
#pragma once

#include <optional>
#include <string>

namespace vipd {

/// The flags of an interface (netdevice(7), SIOCGIFFLAGS); nullopt if this machine has no such interface.
std::optional<unsigned> link_flags(const std::string& name);

}  // namespace vipd
