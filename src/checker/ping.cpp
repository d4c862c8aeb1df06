#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "vipd/base/ip.hpp"
#include "vipd/checker/checker.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {
namespace {

struct Target {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Target target_of(const IpAddress& address) {
  Target target;
  if (address.family() == Family::ipv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, address.octets().data(), sizeof in.sin_addr);
    std::memcpy(&target.storage, &in, target.size = sizeof in);
  } else {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    std::memcpy(&in6.sin6_addr, address.octets().data(), sizeof in6.sin6_addr);
    std::memcpy(&target.storage, &in6, target.size = sizeof in6);
  }
  return target;
}

/// An echo request: type, code, checksum, identifier, sequence (RFC 792, RFC 4443). The identifier is the process id.
std::array<std::uint8_t, 8> request(bool ipv6) {
  const auto id = static_cast<std::uint16_t>(::getpid());
  std::array<std::uint8_t, 8> message{};
  message[0] = ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
  message[4] = static_cast<std::uint8_t>(id >> 8U);
  message[5] = static_cast<std::uint8_t>(id);
  message[7] = 1;
  if (ipv6) return message;  // the kernel forms the checksum of ICMPv6
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(0, message)));
  message[2] = static_cast<std::uint8_t>(checksum >> 8U);
  message[3] = static_cast<std::uint8_t>(checksum);
  return message;
}

/// True for the reply to our request. A raw socket also delivers other processes' packets, and those of IPv4 with a
/// header.
bool is_reply(std::span<const std::uint8_t> packet, bool ipv6, std::span<const std::uint8_t> asked) {
  const std::size_t header = ipv6 || packet.empty() ? 0 : (packet[0] & 0x0FU) * 4U;
  if (packet.size() < header + asked.size()) return false;
  const auto message = packet.subspan(header);
  return message[0] == (ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && message[4] == asked[4] && message[5] == asked[5];
}

bool same_address(const sockaddr_storage& a, const Target& b) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(&a);
  const auto* to = reinterpret_cast<const std::uint8_t*>(&b.storage);
  const bool ipv6 = b.storage.ss_family == AF_INET6;
  const std::size_t begin = ipv6 ? offsetof(sockaddr_in6, sin6_addr) : offsetof(sockaddr_in, sin_addr);
  return a.ss_family == b.storage.ss_family && std::memcmp(from + begin, to + begin, ipv6 ? 16 : 4) == 0;
}

}  // namespace

Answer check_ping(const std::string& text, BeforeAsking before_asking) {
  const auto address = IpAddress::parse(text);
  if (!address) return failure(text + " is not an address");
  const bool ipv6 = address->family() == Family::ipv6;
  const Target target = target_of(*address);
  const Fd fd(ipv6 ? ::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6)
                   : ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  if (!fd) return system_failure("cannot open a socket for ICMP", errno);
  if (const auto ready = before_asking(); !ready) return std::unexpected(ready.error());
  const auto asked = request(ipv6);
  const auto* to = reinterpret_cast<const sockaddr*>(&target.storage);
  if (::sendto(fd.get(), asked.data(), asked.size(), 0, to, target.size) < 0)
    return system_failure("cannot ask " + text, errno);
  std::array<std::uint8_t, 1500> packet;
  while (true) {  // ends by the timeout of the check
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0 && errno != EINTR) return system_failure(text + " does not answer", errno);
    const auto received = std::span(packet).first(got < 0 ? 0 : static_cast<std::size_t>(got));
    if (same_address(from, target) && is_reply(received, ipv6, asked)) return "";
  }
}

}  // namespace vipd
