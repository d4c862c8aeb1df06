#include "vipd/os/link_flags.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "vipd/os/fd.hpp"

namespace vipd {

std::optional<unsigned> link_flags(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return std::nullopt;
  name.copy(request.ifr_name, name.size());
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any || ::ioctl(any.get(), SIOCGIFFLAGS, &request) < 0) return std::nullopt;
  return static_cast<unsigned short>(request.ifr_flags);
}

}  // namespace vipd
