#include "vipd/os/overhearing.hpp"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>

#include "vipd/os/packet_batch.hpp"
#include "vipd/os/packet_filters.hpp"
#include "vipd/os/socket_options.hpp"

namespace vipd {
namespace {

/// The pause between two reads of overheard announcements; each read takes one batch.
constexpr auto kOverhearGap = std::chrono::milliseconds(2);

/// Opens a packet socket for ARP; its filter passes nothing until the socket is bound.
Result<Fd> open_for_arp(int ifindex) {
  Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("cannot open a packet socket (CAP_NET_RAW is needed)", errno);
  if (const auto attached = attach(fd, drop_everything()); !attached) return std::unexpected(attached.error());
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_ARP);
  to.sll_ifindex = ifindex;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
    return system_failure("cannot bind a packet socket", errno);
  return fd;
}

Result<Fd> open_for_advertisements(int ifindex) {
  Fd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!fd) return system_failure("cannot open a raw socket (CAP_NET_RAW is needed)", errno);
  icmp6_filter kinds;
  ICMP6_FILTER_SETBLOCKALL(&kinds);
  ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &kinds);
  const auto prepared =
      all_of({attach(fd, drop_everything()), set_option(fd, IPPROTO_ICMPV6, ICMP6_FILTER, kinds, "ICMP6_FILTER"),
              set_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, ifindex, "SO_BINDTOIFINDEX"),
              set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT")});
  if (!prepared) return std::unexpected(prepared.error());
  return fd;
}

}  // namespace

Result<Overhearing::Source> Overhearing::open(const Key& key, const std::vector<IpAddress>& addresses) {
  const auto [ifindex, family] = key;
  auto fd = family == Family::ipv4 ? open_for_arp(ifindex) : open_for_advertisements(ifindex);
  if (!fd) return std::unexpected(fd.error());
  if (const auto attached = attach(*fd, pass_announcements(family, addresses)); !attached)
    return std::unexpected(attached.error());
  auto watch = loop_.watch(fd->get(), EPOLLIN, Urgency::rest, [this, key] { read_some(key); });
  if (!watch) return std::unexpected(watch.error());
  return Source{.fd = std::move(*fd), .watch = std::move(*watch), .rest = {}, .addresses = addresses};
}

Result<void> Overhearing::listen_for(const WatchedAddresses& addresses) {
  std::erase_if(sources_, [&](const auto& each) { return !addresses.contains(each.first); });
  for (const auto& [key, wanted] : addresses) {
    const auto known = sources_.find(key);
    if (known == sources_.end()) {
      auto opened = open(key, wanted);
      if (!opened) return std::unexpected(opened.error());
      sources_.emplace(key, std::move(*opened));
    } else if (known->second.addresses != wanted) {
      const auto attached = attach(known->second.fd, pass_announcements(key.second, wanted));
      if (!attached) return attached;
      known->second.addresses = wanted;
    }
  }
  return {};
}

/// Reads one batch, and pauses.
void Overhearing::read_some(const Key& key) {
  PacketBatch& batch = PacketBatch::shared();
  Source& from = sources_.at(key);
  const int count = batch.receive(from.fd.get());
  for (int i = 0; i < count; ++i) overheard_(batch.packet(i, key.first, key.second, Duration::zero()));
  auto rest = loop_.after(kOverhearGap, [this, key] {
    if (const auto it = sources_.find(key); it != sources_.end()) loop_.rewatch(it->second.watch, EPOLLIN);
  });
  if (!rest) return;
  loop_.rewatch(from.watch, 0);
  from.rest = std::move(*rest);
}

}  // namespace vipd
