#include "vipd/os/advert_socket.hpp"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "vipd/os/packet_filters.hpp"
#include "vipd/os/socket_options.hpp"

namespace vipd {
namespace {

constexpr int kReceiveBuffer = 1 << 20;  // octets; holds adverts of all 255 routers of a segment at once

ip_mreqn ipv4_group(int ifindex) {
  ip_mreqn group{};
  std::memcpy(&group.imr_multiaddr, vrrp_group(Family::ipv4).octets().data(), 4);
  group.imr_ifindex = ifindex;
  return group;
}

ipv6_mreq ipv6_group(int ifindex) {
  ipv6_mreq group{};
  std::memcpy(&group.ipv6mr_multiaddr, vrrp_group(Family::ipv6).octets().data(), 16);
  group.ipv6mr_interface = static_cast<unsigned>(ifindex);
  return group;
}

Result<void> prepare_ipv4(const Fd& fd, int ifindex) {
  const ip_mreqn group = ipv4_group(ifindex);
  return all_of({set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255, "IP_MULTICAST_TTL"),
                 set_option(fd, IPPROTO_IP, IP_TTL, 255, "IP_TTL"),
                 set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP"),
                 set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL"),
                 set_option(fd, IPPROTO_IP, IP_TOS, int{IPTOS_PREC_INTERNETCONTROL}, "IP_TOS"),
                 set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, group, "IP_MULTICAST_IF")});
}

Result<void> prepare_ipv6(const Fd& fd, int ifindex) {
  return all_of({set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255, "IPV6_MULTICAST_HOPS"),
                 set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255, "IPV6_UNICAST_HOPS"),
                 set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP"),
                 set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, int{IPTOS_PREC_INTERNETCONTROL}, "IPV6_TCLASS"),
                 set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"),
                 set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT"),
                 set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, ifindex, "IPV6_MULTICAST_IF")});
}

}  // namespace

Result<Fd> open_advert_socket(int ifindex, Family family) {
  Fd fd(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kVrrpProtocol));
  if (!fd) return system_failure("cannot open a raw socket (CAP_NET_RAW is needed)", errno);
  const auto prepared =
      all_of({attach(fd, drop_everything()), set_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, ifindex, "SO_BINDTOIFINDEX"),
              family == Family::ipv4 ? prepare_ipv4(fd, ifindex) : prepare_ipv6(fd, ifindex),
              set_option(fd, SOL_SOCKET, SO_PRIORITY, kControlPriority, "SO_PRIORITY"),
              set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS")});
  if (!prepared) return std::unexpected(prepared.error());
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  return fd;
}

Result<void> join_group(const Fd& fd, int ifindex, Family family) {
  if (family == Family::ipv4)
    return set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, ipv4_group(ifindex), "IP_ADD_MEMBERSHIP");
  return set_option(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, ipv6_group(ifindex), "IPV6_ADD_MEMBERSHIP");
}

Result<void> leave_group(const Fd& fd, int ifindex, Family family) {
  if (family == Family::ipv4)
    return set_option(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, ipv4_group(ifindex), "IP_DROP_MEMBERSHIP");
  return set_option(fd, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, ipv6_group(ifindex), "IPV6_DROP_MEMBERSHIP");
}

}  // namespace vipd
