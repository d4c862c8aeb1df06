#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "vipd/checker/checker.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

Answer check_tcp(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  std::string host = target.substr(0, colon);
  const std::string port = target.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    return failure("cannot find " + host + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  int reason = 0;
  for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    const Fd fd(::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd && ::connect(fd.get(), each->ai_addr, each->ai_addrlen) == 0) return "";
    reason = errno;
  }
  return system_failure("cannot connect to " + target, reason);
}

}  // namespace vipd
